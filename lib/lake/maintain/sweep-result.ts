import { InvalidInput } from '../../core/errors.ts';
import type { ExpireAnswer, SweepOperation, Swept, VacuumAnswer } from '../../core/maintenance.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { costOfSweep } from '../../plan/compaction-cost.ts';
import type { StepDeps } from '../deps.ts';
import { recordRun } from '../ops/record-run.ts';
import { durationOf, priceBy } from '../ops/run-row.ts';
import { readJsonIfAny, writeOnce } from '../run/run-folder.ts';
import { recordFolder } from './removals.ts';
import { recordOf, type SweepPlan, sweepPlaces } from './sweep-plan.ts';
import type { SweepOutcome } from './sweep-tables.ts';

/** How an expiry or a vacuum ended, as its folder keeps it. */
export type SweepResult = {
  readonly run_id: string;
  readonly kind: SweepOperation;
  /** FAILED: in the end, or some tables were left as they are. */
  readonly status: 'SUCCEEDED' | 'FAILED';
  readonly at: string;
  readonly duration_ms: number;
  readonly asked: SweepPlan['asked'];
  readonly answer: ExpireAnswer | VacuumAnswer;
  readonly error: { readonly name: string; readonly message: string } | null;
};

/** What was done to each table, or would be. */
export function answerOf({ run, kind }: SweepPlan, outcomes: readonly SweepOutcome[]): ExpireAnswer | VacuumAnswer {
  const common = {
    pipeline: run.pipeline,
    dry_run: run.dry_run,
    record: run.dry_run ? null : recordFolder(recordOf(run)),
    failed: outcomes.flatMap(({ failed }) => failed ?? []),
  };
  if (kind === 'expire') return { ...common, tables: outcomes.flatMap(({ expired }) => expired ?? []) };
  const unknown = outcomes.flatMap((one) => one.unknown ?? []);
  return { ...common, tables: outcomes.flatMap(({ vacuumed }) => vacuumed ?? []), unknown };
}

/** The same beside those of other operations. */
export function sweptBy(swept: Swept | undefined, plan: SweepPlan, outcomes: readonly SweepOutcome[]): Swept {
  return { ...swept, [plan.kind]: answerOf(plan, outcomes) };
}

export function readSweepResult(
  { store }: Pick<StepDeps, 'store'>,
  run: SweepPlan['run'],
): Promise<SweepResult | undefined> {
  return readJsonIfAny<SweepResult>(store, sweepPlaces.result(run));
}

/** Enters an expiry or a vacuum that has come to its end into the table of runs, and writes its result. */
export async function endSweep(deps: StepDeps, plan: SweepPlan, outcomes: readonly SweepOutcome[]): Promise<void> {
  const answer = answerOf(plan, outcomes);
  const [first] = answer.failed;
  const count = `${answer.failed.length} of ${outcomes.length} tables left as they are`;
  const error = first && { name: 'TablesLeft', message: `${count}; ${first.table}: ${first.error}` };
  const result = resultOf(deps, plan, answer, error);
  // A pipeline that has not run yet has no books.
  if (plan.items.length > 0) {
    const files = removedFiles(outcomes);
    const spent = deps.spent?.();
    const measured = { ms: result.duration_ms, ...(spent && { spent }) };
    const spec = await specOf(deps, plan);
    const price = priceBy(deps, spec, (compute) => costOfSweep(measured, compute));
    const row = { status: result.status, files, rows_read: 0, rows_added: 0, error: result.error, ...price };
    await recordRun(deps, { ...plan, ...(spec && { spec }) }, row);
  }
  await writeOnce(deps.store, sweepPlaces.result(plan.run), result);
}

/** By which it is priced. One that is gone, or does not compile at the moment, is swept all the same. */
async function specOf({ specs }: StepDeps, { run }: SweepPlan): Promise<PipelineSpec | undefined> {
  return specs(run.pipeline).catch((cause: unknown) => {
    if (cause instanceof InvalidInput) return undefined;
    throw cause;
  });
}

/** The same for one that something ended which no table is to blame for. */
export async function endFailedSweep(
  deps: StepDeps,
  plan: SweepPlan,
  error: { readonly name: string; readonly message: string },
): Promise<void> {
  const result = failedSweep(deps, plan, error);
  await recordRun(deps, plan, { status: 'FAILED', files: 0, rows_read: 0, rows_added: 0, error });
  await writeOnce(deps.store, sweepPlaces.result(plan.run), result);
}

/** The result of one that something ended which no table is to blame for. */
export function failedSweep(
  deps: Pick<StepDeps, 'clock'>,
  plan: SweepPlan,
  error: { readonly name: string; readonly message: string },
): SweepResult {
  return resultOf(deps, plan, answerOf(plan, []), error);
}

function resultOf(
  deps: Pick<StepDeps, 'clock'>,
  plan: SweepPlan,
  answer: SweepResult['answer'],
  error: { readonly name: string; readonly message: string } | undefined,
): SweepResult {
  const now = deps.clock.now();
  return {
    run_id: plan.run.run_id,
    kind: plan.kind,
    status: error === undefined ? 'SUCCEEDED' : 'FAILED',
    at: now.toISOString(),
    duration_ms: durationOf(plan, now),
    asked: plan.asked,
    answer,
    error: error ?? null,
  };
}

function removedFiles(outcomes: readonly SweepOutcome[]): number {
  return outcomes.reduce((sum, { expired, vacuumed }) => {
    return sum + (expired?.data_files ?? 0) + (expired?.metadata_files ?? 0) + (vacuumed?.files ?? 0);
  }, 0);
}
