import { opsTable } from '../core/ops.ts';
import type { Row } from '../ports.ts';
import { selectRuns } from '../sql/query.ts';
import { loadTable } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';
import { listFailedRuns } from './failed-runs.ts';
import { parseTime } from './moment.ts';
import { runsIn, straighten } from './run-order.ts';
import { queryRows } from './select.ts';

/**
 * The runs of one pipeline or of all, as the ops tables keep them (OPS_TABLES.runs) with `pipeline` first, and those that
 * failed on AWS, of which there are notes; newest first.
 * A pipeline's runs are in the order in which they published, whatever their clocks said; those of several pipelines
 * come together by time.
 */
export async function listRuns(deps: QueryDeps, pipeline?: string): Promise<readonly Row[]> {
  const tables = await deps.catalog.list();
  const known = tables.filter((id) => id.layer === 'ops' && id.name === 'runs').map((id) => id.pipeline);
  const wanted = known.filter((name) => pipeline === undefined || name === pipeline).sort();
  const rows = wanted.length === 0 ? [] : await queryRows(deps, selectRuns(wanted));
  const placed: { readonly row: Row; readonly time: number }[] = [];
  for (const [name, own] of Map.groupBy(rows, (row) => String(row['pipeline']))) {
    placed.push(...(await inOrder(deps, name, own)));
  }
  for (const name of pipeline === undefined ? new Set(tables.map((id) => id.pipeline)) : [pipeline]) {
    const ended = new Set(rows.filter((row) => row['pipeline'] === name).map((row) => row['run_id']));
    const failed = (await listFailedRuns(deps, name)).filter((row) => !ended.has(row['run_id'] ?? null));
    placed.push(...failed.map((row) => ({ row, time: timeOf(row) })));
  }
  // Sorting is stable: what a pipeline did at one time stays in its order.
  return placed.sort((a, b) => b.time - a.time).map(({ row }) => row);
}

/** The row of a run. One that failed while it published, and was finished by another, has a row of either; the later one is what became of it. */
export function latestOf(rows: readonly Row[], runId: string): Row | undefined {
  const ended = (row: Row): number => parseTime(String(row['finished_at'])) ?? 0;
  return rows.filter((row) => row['run_id'] === runId).sort((a, b) => ended(b) - ended(a))[0];
}

function timeOf(row: Row): number {
  return parseTime(String(row['started_at'])) ?? 0;
}

/**
 * Newest first; runs whose snapshots are gone come before all others, in the order of their times. Those that failed, and that a
 * later run has entered, have none of their own: they stand by their times.
 */
async function inOrder(
  deps: QueryDeps,
  pipeline: string,
  rows: readonly Row[],
): Promise<readonly { readonly row: Row; readonly time: number }[]> {
  const entry = await loadTable(deps.catalog, opsTable(pipeline, 'runs'));
  const places = new Map(runsIn(entry?.metadata).map((id, at) => [id, at]));
  const place = (row: Row): number => places.get(String(row['run_id'])) ?? -1;
  const [entered, own] = [rows.filter((row) => isEntered(row, places)), rows.filter((row) => !isEntered(row, places))];
  const ordered = own.toReversed().sort((a, b) => place(a) - place(b));
  const times = straighten(ordered.map(timeOf));
  const placed = ordered.map((row, at) => ({ row, time: times[at] ?? 0 })).reverse();
  return [...placed, ...entered.map((row) => ({ row, time: timeOf(row) }))];
}

function isEntered(row: Row, places: ReadonlyMap<string, number>): boolean {
  return row['status'] === 'FAILED' && !places.has(String(row['run_id']));
}
