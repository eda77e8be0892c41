import { InvalidInput } from '../../core/errors.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { chosenTexts } from '../../query/chosen-texts.ts';
import { describeTable } from '../../query/describe-table.ts';
import { findTable } from '../../query/find-table.ts';
import type { LocalLake } from '../../runtime/local.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderDescription } from '../output/description.ts';
import { specsBut } from '../specs-here.ts';

export async function describe(context: Context, name: string): Promise<number> {
  const { deps, pipelines } = await openLakeAt(context, 'read');
  const table = await findTable(deps.catalog, name);
  const spec = await specIfAny(context, deps, table.id.pipeline);
  const others = spec === undefined ? [] : await specsBut(deps, pipelines, spec.name);
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
    return await chosenTexts(deps, pipeline);
  } catch (error) {
    if (!(error instanceof InvalidInput)) throw error;
    context.note(`lineage is not known: ${error.message}`);
    return undefined;
  }
}
