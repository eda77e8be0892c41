import { addInputs, NO_INPUTS } from '../../core/input-bytes.ts';
import { type Approval, gatedBy } from '../../core/promote.ts';
import { type Measured, NOTHING_SPENT } from '../../core/requests.ts';
import type { RunPlan } from '../../core/run.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { factsOfRun, noFacts } from '../../lake/facts/fact-rows.ts';
import { findWaiting, keepFacts, rowsOf } from '../../lake/facts/keep-facts.ts';
import { toldOf } from '../../lake/facts/told.ts';
import { waitedFor } from '../../lake/gate/gate-folder.ts';
import { approvalRow, notEntered, recordApprovals } from '../../lake/gate/record-approval.ts';
import { putDownEvents } from '../../lake/lineage/untold.ts';
import { recordRun } from '../../lake/ops/record-run.ts';
import { type RunPrice, recordOf } from '../../lake/ops/run-row.ts';
import type { CommitRecord, LevelAudit } from '../../lake/run/run-records.ts';
import { readTimings } from '../../lake/run/timings.ts';
import { costOfRun } from '../../plan/cost.ts';
import { nameRate, type Rate, rateOf } from '../../plan/model-cost.ts';
import { CALLS } from '../../plan/run-requests.ts';
import { ASSUMED_RATES } from '../../plan/run-work.ts';

/** What Commit knows of a run that it has published; `commit` is what it took itself until then. */
type Published = Pick<CommitRecord, 'tables' | 'accounting'> & {
  readonly audits: readonly LevelAudit[];
  readonly commit: Measured;
  /** Who let it through; null where nobody has to. */
  readonly approval: Approval | null;
};

/** Whether the tables of facts have grown. */
export type Kept = { readonly grown: boolean; readonly folded: readonly string[] };

export const NOTHING_KEPT: Kept = { grown: false, folded: [] };

/** Enters a run that has published into the table of runs, and keeps what its models did. `folded`: keys of objects that may go. */
export async function publishFacts(deps: StepDeps, plan: RunPlan, published: Published): Promise<Kept> {
  const { audits, tables, accounting, approval } = published;
  const rate = rateOf(deps.settings.billedBy, plan.spec);
  const waiting = await findWaiting(deps, plan);
  const inputs = audits.flatMap(({ models }) => models).map((model) => model.inputs ?? NO_INPUTS);
  const recorded = recordOf(plan, { status: 'SUCCEEDED', accounting, tables, error: null });
  const price = rate.kind === 'aws' ? { price: await priceOnAws(deps, plan, published, rate) } : {};
  const result = { ...recorded, inputs: inputs.reduce(addInputs, NO_INPUTS), ...price };
  const timed = { ...plan, ...(approval && (await waitedFor(deps, plan.run))) };
  const row = await recordRun(deps, timed, result, rowsOf(waiting.before, 'runs'));
  const own = approval === null ? [] : [approvalRow(plan.run, approval)];
  const before = await notEntered(deps, plan.run.pipeline, rowsOf(waiting.before, 'approvals'));
  await recordApprovals(deps, plan, [...before, ...own]);
  const told = toldOf(deps, plan.run.run_id, () => factsOfRun(plan, audits, tables, rate));
  const facts = told ?? noFacts(plan.run.run_id);
  await putDownEvents(deps, plan, row, facts);
  await keepFacts(deps, plan, facts, waiting);
  return { grown: waiting.due, folded: waiting.keys };
}

/** By what has been measured; what Finish takes is assumed, as its own time comes after the row. */
async function priceOnAws(
  deps: StepDeps,
  plan: RunPlan,
  { audits, tables, commit, approval }: Published,
  rate: Extract<Rate, { kind: 'aws' }>,
): Promise<RunPrice> {
  const { get, put } = CALLS.Finish;
  const finish = { step: 'Finish', level: null, units: 0, ms: (get + put) * ASSUMED_RATES.requestMs };
  const steps = [
    ...(await readTimings(deps, plan, audits, commit)),
    { ...finish, spent: { ...NOTHING_SPENT, get, put } },
  ];
  return {
    usd: costOfRun({ status: 'SUCCEEDED', steps, tables, ...(approval && { gate: gatedBy(approval) }) }, rate.compute)
      .usd,
    rate: nameRate(rate),
  };
}
