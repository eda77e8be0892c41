import type { Asked } from '../../core/asked.ts';
import { planWithCost } from '../../query/plan-cost.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderExplanation } from '../output/explanation.ts';

/** Shows what a run would do, and what it would cost on AWS; ends with 3 where a run would be refused for a change. */
export async function plan(context: Context, pipeline: string, asked: Asked): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const explanation = await planWithCost(deps, pipeline, asked);
  await context.answer(explanation, () => renderExplanation(explanation, context));
  return explanation.changes.some(({ refused }) => refused) ? EXIT.refused : EXIT.done;
}
