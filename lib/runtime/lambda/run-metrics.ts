import { DEFAULT_COMPUTE } from '../../core/compute.ts';
import { ObjectNotFound, Unavailable } from '../../core/errors.ts';
import { addCounts, NO_ROWS, worstOf } from '../../core/row-counts.ts';
import type { RunPlan, RunRef, RunResult } from '../../core/run.ts';
import { durationOf } from '../../lake/ops/run-row.ts';
import { readJson, readPlan, runFolder, swapJson } from '../../lake/run/run-folder.ts';
import { costOfRun } from '../../plan/cost.ts';
import type { ObjectStore } from '../../ports.ts';
import { hasPromises, judgeEnded, type Kept, type Promised } from './promise-metrics.ts';
import type { Measure } from './telemetry.ts';

/** When the last run of a pipeline succeeded, if one has, and where something is promised the runs by which that is judged. */
type LastSuccess = { readonly run_id?: string; readonly at?: string; readonly kept?: Kept };

/** So often it is read again where others change it meanwhile. */
const ATTEMPTS = 5;

function keyOf(pipeline: string): string {
  return `ops/${pipeline}/last-success.json`;
}

/** Measures a run that has ended, once: a repeated Finish finds the run noted as the last that succeeded. */
export async function measureRun(
  { store, clock }: { readonly store: ObjectStore; readonly clock: { now(): Date } },
  run: RunRef,
  measure: Measure,
): Promise<void> {
  if (run.dry_run) return;
  const key = keyOf(run.pipeline);
  const seen = await readLast(store, key);
  if (seen.last?.run_id === run.run_id) return;
  const result = await readJson<RunResult>(store, runFolder.result(run));
  const plan = await readPlan(store, run);
  const now = clock.now();
  const { quarantined, condemned, read } = rowsOf(result);
  const ended = {
    ...endedAt(plan, now, true),
    duration_ms: result.duration_ms,
    read,
    rejected: quarantined + condemned,
  };
  const before = await change(store, key, seen, (last) => ({
    run_id: run.run_id,
    at: now.toISOString(),
    ...keep(last?.kept, ended, plan.spec),
  }));
  for (const [metric, value] of judge(before?.kept, ended, plan.spec)) measure(metric, value);
  for (const [metric, value] of metricsOf(plan, result)) measure(metric, value);
  if (before?.at !== undefined) measure('Freshness', now.getTime() - Date.parse(before.at));
}

/** Judges what is promised once a run has failed. `plan` is from before it was undone. Where nothing is promised, nothing is measured. */
export async function measureFailure(
  { store, clock }: { readonly store: ObjectStore; readonly clock: { now(): Date } },
  plan: Pick<RunPlan, 'run' | 'created_at' | 'planning_ms' | 'spec'>,
  measure: Measure,
): Promise<void> {
  if (plan.run.dry_run || !hasPromises(plan.spec.slo)) return;
  const key = keyOf(plan.run.pipeline);
  const now = clock.now();
  const ended = { ...endedAt(plan, now, false), duration_ms: durationOf(plan, now) };
  const before = await change(store, key, await readLast(store, key), (last) => ({
    ...last,
    ...keep(last?.kept, ended, plan.spec),
  }));
  for (const [metric, value] of judge(before?.kept, ended, plan.spec)) measure(metric, value);
}

type Seen = { readonly last?: LastSuccess; readonly etag?: string };

/** Answers what was there before. Functions that end two runs have no lock any more, and may be here at once. */
async function change(
  store: ObjectStore,
  key: string,
  seen: Seen,
  changed: (last: LastSuccess | undefined) => LastSuccess,
): Promise<LastSuccess | undefined> {
  for (let attempt = 1, { last, etag } = seen; ; attempt += 1) {
    if (await swapJson(store, key, etag, changed(last))) return last;
    if (attempt === ATTEMPTS) throw new Unavailable(`${key} was changed by others ${ATTEMPTS} times`);
    ({ last, etag } = await readLast(store, key));
  }
}

function endedAt({ created_at }: Pick<RunPlan, 'created_at'>, now: Date, succeeded: boolean) {
  return { started: Date.parse(created_at), finished: now.getTime(), succeeded };
}

type Ended = Parameters<typeof judgeEnded>[1];

function keep(before: Kept | undefined, ended: Ended, promised: Promised): { readonly kept?: Kept } {
  return hasPromises(promised.slo) ? { kept: judgeEnded(before, ended, promised).kept } : {};
}

function judge(before: Kept | undefined, ended: Ended, promised: Promised) {
  return hasPromises(promised.slo) ? judgeEnded(before, ended, promised).figures : [];
}

function rowsOf({ accounting }: Pick<RunResult, 'accounting'>) {
  return Object.values(accounting).map(worstOf).reduce(addCounts, NO_ROWS);
}

/** In one request, whether there is one or not: what a run costs counts it. */
async function readLast(store: ObjectStore, key: string): Promise<Seen> {
  try {
    const { bytes, etag } = await store.read(key);
    return { last: JSON.parse(new TextDecoder().decode(bytes)) as LastSuccess, etag };
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return {};
    throw cause;
  }
}

/** The figures of a run that succeeded. */
export function metricsOf(plan: RunPlan, result: RunResult): readonly (readonly [Parameters<Measure>[0], number])[] {
  const rows = rowsOf(result);
  const sum = (numbers: readonly number[]): number => numbers.reduce((total, n) => total + n, 0);
  const sources = Object.values(plan.sources);
  return [
    ['RowsRead', rows.read],
    ['RowsAccepted', rows.accepted],
    ['RowsQuarantined', rows.quarantined],
    ['RowsCondemned', rows.condemned],
    ['RowsDuplicate', rows.duplicates],
    ['FilesRead', sum(sources.map((source) => source.files))],
    ['BytesRead', sum(sources.map((source) => source.bytes))],
    ['FilesWritten', sum(Object.values(result.tables).map((table) => table.files_added))],
    ['QuarantineRate', rows.read === 0 ? 0 : ((rows.quarantined + rows.condemned) / rows.read) * 100],
    ['RunDuration', result.duration_ms],
    ['EstimatedCost', (result.cost ?? costOfRun(result, plan.spec.compute ?? DEFAULT_COMPUTE)).usd],
    ['RunSucceeded', 1],
  ];
}
