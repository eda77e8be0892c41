import { orderBranches } from '../../plan/branches/order.ts';
import { listBranches } from '../../query/branches/list-branches.ts';
import { sleepUnless } from '../../runtime/interrupt.ts';
import { reportEnd, runPipeline } from '../commands/run.ts';
import type { Context } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { runDocument, runText } from '../output/run-answer.ts';
import { branchedSpecs } from './branched.ts';
import { type Followed, followBranches } from './loop.ts';

export type FollowOptions = { readonly once?: boolean };

/** Runs branches in the foreground as their schedules say, until the command is stopped. */
export async function follow(
  context: Context,
  pipeline: string | undefined,
  { once = false }: FollowOptions,
): Promise<number> {
  const { deps, pipelines } = await openLake(context, 'read');
  const specs = await branchedSpecs(deps, pipelines, pipeline);
  const followed = specs.flatMap((spec) => orderBranches(spec).map((branch) => ({ pipeline: spec.name, branch })));
  const due = async (): Promise<readonly Followed[]> => {
    const standing = await listBranches(deps, specs);
    return followed.filter(({ pipeline: name, branch }) =>
      standing.some((one) => one.pipeline === name && one.branch === branch.name && one.due.length > 0),
    );
  };
  const documents: unknown[] = [];
  let ran = 0;
  const run = async (one: Followed): Promise<number> => {
    const request = {
      pipeline: one.pipeline,
      branch: one.branch.name,
      waitMs: Number.POSITIVE_INFINITY,
      maintain: true,
    };
    ran += 1;
    const answer = await runPipeline(context, request);
    if (!context.options.json) await context.print(runText(context, request, answer));
    else if (once) documents.push(runDocument(request, answer));
    else await context.printData(`${JSON.stringify(runDocument(request, answer))}\n`);
    return reportEnd(context, answer, request);
  };
  const code = await context.interruptible((interrupted) => {
    if (!once) context.note(`following ${followed.map((one) => `${one.pipeline} ${one.branch.name}`).join(', ')}`);
    const sleep = (ms: number): Promise<void> => sleepUnless(ms, interrupted);
    return followBranches(followed, { once }, { now: () => deps.clock.now(), sleep, due, run });
  });
  if (once) await context.answer({ runs: documents }, () => (ran === 0 ? 'no branch has anything to do now\n' : ''));
  return code;
}
