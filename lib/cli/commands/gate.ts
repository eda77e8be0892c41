import type { Approval } from '../../core/promote.ts';
import type { RunRef } from '../../core/run.ts';
import { reviewRun } from '../../query/gate/review.ts';
import type { RunAnswer } from '../../remote/run-request.ts';
import { type Decided, type DecideRequest, decideGated } from '../../runtime/decide-gated.ts';
import type { RemotePlace } from '../../runtime/remote-lake.ts';
import { hidingPersonal, type PersonalOption } from '../command-shape.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { noteMasked } from '../output/masked.ts';
import { renderReview } from '../output/review.ts';
import { runDocument, runText } from '../output/run-answer.ts';
import { reportEnd, runPipeline } from './run.ts';

type OfPipeline = { readonly pipeline?: string };

const SAMPLE = 5;
/** How long another run is waited for that works just now. */
const TURN_MS = 60_000;

/** Shows what a run would publish. */
export async function review(context: Context, runId: string, asked: PersonalOption & OfPipeline): Promise<number> {
  const deps = hidingPersonal((await openLakeAt(context, 'read')).deps, asked);
  const found = await reviewRun(deps, runId, SAMPLE, asked.pipeline);
  await context.answer(found, () => renderReview(found, context));
  noteMasked(
    context,
    found.tables.flatMap(({ table, diff }) => (diff?.masked ?? []).map((column) => `${table}.${column}`)),
  );
  return EXIT.done;
}

/** Decides about a run, and has it published or undone. What was decided stays, whatever becomes of that. */
export async function decide(context: Context, runId: string, request: DecideRequest): Promise<number> {
  const { deps } = await openLakeAt(context, 'write');
  const { run, ...decided } = await decideGated(deps, runId, request);
  tellBefore(context, run, decided);
  const { pipeline } = run;
  const answer =
    context.deployed === undefined
      ? await runPipeline(context, { pipeline, runId, waitMs: TURN_MS, maintain: true })
      : await carryOutThere(context.deployed, run);
  return decided.approval.decision === 'approved'
    ? tellPublished(context, answer, pipeline, runId)
    : tellUndone(context, answer, run, decided.approval);
}

/** In the deployed lake its own execution goes on with it. */
async function carryOutThere(place: RemotePlace, run: RunRef): Promise<RunAnswer> {
  const { openRemoteRuns } = await import('../../runtime/remote-lake.ts');
  const result = await (await openRemoteRuns(run.pipeline, place)).carryOut(run);
  if (result !== undefined) return { kind: 'ended', result, again: false };
  return { kind: 'locked', message: `run ${run.run_id} is decided about, and what follows from that is not done yet` };
}

function tellBefore(context: Context, { run_id }: RunRef, { before, approval }: Decided): void {
  if (before) context.note(`run ${run_id} was ${approval.decision} before, by ${approval.by} at ${approval.at}`);
}

async function tellPublished(context: Context, answer: RunAnswer, pipeline: string, runId: string): Promise<number> {
  await context.answer(runDocument({ pipeline }, answer), () => runText(context, { pipeline }, answer));
  return reportEnd(context, answer, { pipeline, runId });
}

/** A run that was rejected has failed; who rejected it has not. */
async function tellUndone(context: Context, answer: RunAnswer, run: RunRef, approval: Approval): Promise<number> {
  const { pipeline, run_id } = run;
  if (answer.kind !== 'ended') {
    context.note(`run ${run_id} is rejected, and undone by the next run of ${pipeline}`);
    return EXIT.locked;
  }
  await context.answer(
    { pipeline, run_id, status: 'REJECTED', approval },
    () =>
      `run ${run_id} of ${pipeline} is rejected by ${approval.by}: nothing of it is published, and the next run takes its files again\n`,
  );
  return EXIT.done;
}
