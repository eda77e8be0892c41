import { DEFAULT_COMPUTE } from '../../core/compute.ts';
import { ObjectNotFound } from '../../core/errors.ts';
import { addCounts, NO_ROWS, worstOf } from '../../core/row-counts.ts';
import type { RunPlan, RunRef, RunResult } from '../../core/run.ts';
import { readJson, readPlan, runFolder, writeJson } from '../../lake/run/run-folder.ts';
import { costOfRun } from '../../plan/cost.ts';
import type { ObjectStore } from '../../ports.ts';
import type { Measure } from './telemetry.ts';

/** When the last run of a pipeline succeeded. */
type LastSuccess = { readonly run_id: string; readonly at: string };

/** Measures a run that has ended, once: a repeated Finish finds the run noted as the last that succeeded. */
export async function measureRun(
  { store, clock }: { readonly store: ObjectStore; readonly clock: { now(): Date } },
  run: RunRef,
  measure: Measure,
): Promise<void> {
  if (run.dry_run) return;
  const key = `ops/${run.pipeline}/last-success.json`;
  const before = await readLast(store, key);
  if (before?.run_id === run.run_id) return;
  const result = await readJson<RunResult>(store, runFolder.result(run));
  for (const [metric, value] of metricsOf(await readPlan(store, run), result)) measure(metric, value);
  const now = clock.now();
  if (before !== undefined) measure('Freshness', now.getTime() - Date.parse(before.at));
  await writeJson(store, key, { run_id: run.run_id, at: now.toISOString() } satisfies LastSuccess);
}

/** In one request, whether there is one or not: what a run costs counts it. */
async function readLast(store: ObjectStore, key: string): Promise<LastSuccess | undefined> {
  try {
    return await readJson<LastSuccess>(store, key);
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return undefined;
    throw cause;
  }
}

/** The figures of a run that succeeded. */
export function metricsOf(plan: RunPlan, result: RunResult): readonly (readonly [Parameters<Measure>[0], number])[] {
  const rows = Object.values(result.accounting).map(worstOf).reduce(addCounts, NO_ROWS);
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
