import { lineageSteps } from '../../query/lineage-steps.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderLineage } from '../output/lineage.ts';
import { specsBut } from '../specs-here.ts';

export type LineageSides = { readonly up: boolean; readonly down: boolean };

/** Neither side asked for: both. */
export async function lineage(context: Context, name: string, asked: LineageSides): Promise<number> {
  const { deps, pipelines } = await openLakeAt(context, 'read');
  const steps = lineageSteps(await specsBut(deps, pipelines), name);
  const answer = {
    name: steps.name,
    ...(asked.up || !asked.down ? { upstream: steps.upstream } : {}),
    ...(asked.down || !asked.up ? { downstream: steps.downstream } : {}),
  };
  await context.answer(answer, () => renderLineage(answer));
  return EXIT.done;
}
