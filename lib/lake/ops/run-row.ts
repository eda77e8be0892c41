import type { Compute } from '../../core/compute.ts';
import type { EstimatedCost } from '../../core/cost.ts';
import type { InputBytes } from '../../core/input-bytes.ts';
import type { RunPlan, RunResult } from '../../core/run.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { nameRate, type Priced, rateOf } from '../../plan/model-cost.ts';
import type { JsonValue } from '../../ports.ts';
import type { StepDeps } from '../deps.ts';

/** Of a plan, what the books name; that of a run of maintenance has it too. */
export type RecordedPlan = Pick<RunPlan, 'run' | 'created_at' | 'planning_ms' | 'sources' | 'branch'> & {
  /** Left out: `compact` of a run of maintenance, `run` of others. */
  readonly kind?: RunKind;
  readonly spec?: Pick<PipelineSpec, 'runAt'> & Priced;
  /** Milliseconds for which it waited for a person, which is no work. */
  readonly waited_ms?: number;
};

/** What a row of the table of runs is about. */
export type RunKind = 'run' | 'compact' | 'expire' | 'vacuum' | 'tag' | 'rollback';

/** What a run did, as one row says it. */
export type RecordedRun = {
  readonly status: RunResult['status'];
  readonly files: number;
  readonly rows_read: number;
  readonly rows_added: number;
  readonly error: RunResult['error'];
  /** Of the tables that it read; left out of one that failed. */
  readonly inputs?: InputBytes;
  /** Null where it is not known; left out: by the hours that it took, where nobody sends a bill. */
  readonly price?: RunPrice | null;
};

/** US dollars, and by which rate. */
export type RunPrice = { readonly usd: number; readonly rate: string };

/** What a run took in, by its result. */
export function recordOf(
  plan: RecordedPlan,
  { status, accounting, tables, error }: Pick<RunResult, 'status' | 'accounting' | 'tables' | 'error'>,
): RecordedRun {
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
  return {
    status,
    files: sum(Object.values(plan.sources).map((s) => s.files)),
    rows_read: sum(Object.values(accounting).map((c) => c.read)),
    rows_added: sum(Object.values(tables).map((t) => t.rows_added)),
    error,
  };
}

/** A row of the table of runs; instants as text. */
export function runRow(plan: RecordedPlan, result: RecordedRun, now: Date): { readonly [column: string]: JsonValue } {
  return {
    run_id: plan.run.run_id,
    status: result.status,
    started_at: plan.created_at,
    finished_at: now.toISOString(),
    duration_ms: durationOf(plan, now),
    files: result.files,
    rows_read: result.rows_read,
    rows_added: result.rows_added,
    error: result.error === null ? null : `${result.error.name}: ${result.error.message}`,
    bytes_brought: result.inputs?.brought ?? null,
    bytes_kept: result.inputs?.kept ?? null,
    bytes_skipped: result.inputs?.skipped ?? null,
    run_date: plan.spec?.runAt?.date ?? null,
    cost_usd: result.price?.usd ?? null,
    cost_rate: result.price?.rate ?? null,
    kind: plan.kind ?? (plan.run.kind === 'maintenance' ? 'compact' : 'run'),
  };
}

/** Milliseconds that a run has taken up to a moment. */
export function durationOf(
  { created_at, planning_ms, waited_ms = 0 }: Pick<RecordedPlan, 'created_at' | 'planning_ms' | 'waited_ms'>,
  now: Date,
): number {
  return now.getTime() - Date.parse(created_at) + planning_ms - waited_ms;
}

/** What AWS asks for by the sizes of a pipeline's functions; elsewhere nothing, as a row is priced by the hour then. */
export function priceBy(
  { settings }: Pick<StepDeps, 'settings'>,
  spec: Priced | undefined,
  costOf: (compute: Compute) => Pick<EstimatedCost, 'usd'>,
): { readonly price?: RunPrice } {
  const rate = rateOf(settings.billedBy, spec ?? {});
  return rate.kind === 'aws' ? { price: { usd: costOf(rate.compute).usd, rate: nameRate(rate) } } : {};
}
