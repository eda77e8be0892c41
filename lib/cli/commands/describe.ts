import { InvalidInput } from '../../core/errors.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { describeTable } from '../../query/describe-table.ts';
import { findTable } from '../../query/find-table.ts';
import { listPipelines } from '../../runtime/load-pipeline.ts';
import type { LocalLake } from '../../runtime/local.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderDescription } from '../output/description.ts';

export async function describe(context: Context, name: string): Promise<number> {
  const { deps, pipelines } = await openLakeAt(context, 'read');
  const table = await findTable(deps.catalog, name);
  const spec = await specIfAny(context, deps, table.id.pipeline);
  const others = spec === undefined ? [] : await otherSpecs(deps, pipelines, spec.name);
  const description = await describeTable(deps, table, spec, others);
  await context.answer(description, () => renderDescription(description, context.layout));
  return EXIT.done;
}

/** A table outlives its pipeline, and can be described without it. */
async function specIfAny(
  context: Context,
  deps: LocalLake['deps'],
  pipeline: string,
): Promise<PipelineSpec | undefined> {
  try {
    return await deps.specs(pipeline);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    context.note(`lineage is not known: ${error.message}`);
    return undefined;
  }
}

/** The other pipelines of the folder, as far as they compile. */
async function otherSpecs(deps: LocalLake['deps'], pipelines: string, own: string): Promise<readonly PipelineSpec[]> {
  const found: PipelineSpec[] = [];
  for (const name of await listPipelines(pipelines)) {
    if (name === own) continue;
    try {
      found.push(await deps.specs(name));
    } catch (error) {
      if (!(error instanceof InvalidInput)) throw error;
    }
  }
  return found;
}
