import type { PipelineSpec } from '../../core/spec.ts';
import { orderPipelines, type PipelinePlace } from '../../query/pipeline-graph.ts';
import { listPipelines } from '../../runtime/load-pipeline.ts';
import type { LocalLake } from '../../runtime/local.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { renderTable } from '../output/table.ts';

/** Shows which pipelines there are, and which of them read and follow which. */
export async function pipelines(context: Context): Promise<number> {
  const places = await findPlaces(await openLake(context, 'read'));
  await context.answer(places, () => renderPlaces(places, context));
  return EXIT.done;
}

/** The pipelines of a folder in the order in which they can run. Throws InvalidInput for one that does not compile. */
export async function findPlaces({ deps, pipelines }: LocalLake): Promise<readonly PipelinePlace[]> {
  const specs: PipelineSpec[] = [];
  for (const name of await listPipelines(pipelines)) specs.push(await deps.specs(name));
  return orderPipelines(specs);
}

function renderPlaces(places: readonly PipelinePlace[], { options, layout, hint }: Context): string {
  if (places.length === 0) return `no pipelines in ${options.pipelines}; try ${hint('init')}\n`;
  const rows = places.map(({ name, schedule, after, reads, read_by }) => ({
    pipeline: name,
    schedule: schedule ?? '-',
    'runs after': listed(after),
    reads: listed(reads),
    'read by': listed(read_by),
  }));
  const columns = ['pipeline', 'schedule', 'runs after', 'reads', 'read by'];
  return renderTable(
    rows,
    columns.map((name) => ({ name, whole: true })),
    layout,
  );
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? '-' : names.join(', ');
}
