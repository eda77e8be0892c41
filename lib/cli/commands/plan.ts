import { planRun } from '../../query/plan-run.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { renderExplanation } from '../output/explanation.ts';

/** Shows what a run would do. */
export async function plan(context: Context, pipeline: string): Promise<number> {
  const { deps } = await openLake(context, 'read');
  const explanation = await planRun(deps, pipeline);
  await context.answer(explanation, () => renderExplanation(explanation, context));
  return EXIT.done;
}
