import { InvalidInput } from '../../core/errors.ts';
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
async function findPlaces(lake: LocalLake): Promise<readonly PipelinePlace[]> {
  const { places, broken } = await findSoundPlaces(lake);
  const [wrong] = broken;
  if (wrong !== undefined) throw wrong.cause;
  return places;
}

/** The same of those that compile, and by name what is wrong with the others. */
export async function findSoundPlaces({ deps, pipelines }: Pick<LocalLake, 'deps' | 'pipelines'>): Promise<{
  readonly places: readonly PipelinePlace[];
  readonly broken: readonly { readonly name: string; readonly cause: InvalidInput }[];
}> {
  const specs: PipelineSpec[] = [];
  const broken: { name: string; cause: InvalidInput }[] = [];
  for (const name of await listPipelines(pipelines)) {
    try {
      specs.push(await deps.specs(name));
    } catch (cause) {
      if (!(cause instanceof InvalidInput)) throw cause;
      broken.push({ name, cause });
    }
  }
  return { places: orderPipelines(specs), broken };
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
