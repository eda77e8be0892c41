import { costOfMonth } from '../../query/month-cost.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderMonth } from '../output/month-cost.ts';

/** Compares what the runs of a month were estimated to cost with what they recorded; by default of this month. */
export async function cost(context: Context, pipeline: string | undefined, month: string | undefined): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const found = await costOfMonth(deps, month ?? deps.clock.now().toISOString().slice(0, 7), pipeline);
  // An empty answer to a misspelt name would be no answer.
  if (pipeline !== undefined && found.pipelines.every(({ lines }) => lines.length === 0)) await deps.specs(pipeline);
  await context.answer(found, () => renderMonth(found, context));
  return EXIT.done;
}
