import { OPS_TABLES } from '../../core/ops.ts';
import { type Awaiting, awaitingOf } from '../../core/promote.ts';
import { findAwaiting } from '../../lake/gate/gate-folder.ts';
import { readOpenRun } from '../../lake/run/open-run.ts';
import { readPlanIfAny } from '../../lake/run/run-folder.ts';
import type { Row } from '../../ports.ts';
import type { QueryDeps } from '../deps.ts';

/** The run of a pipeline that waits to be decided about; undefined where none does. One whose time has passed waits no more. */
export async function awaitingRun(
  { store }: Pick<QueryDeps, 'store'>,
  pipeline: string,
  now: Date,
): Promise<{ readonly awaiting: Awaiting; readonly started_at: string } | undefined> {
  const { run } = await readOpenRun(store, { pipeline });
  if (run === undefined || run.dry_run) return undefined;
  const gate = await findAwaiting(store, run, now);
  const plan = gate && (await readPlanIfAny(store, run));
  return gate && plan && { awaiting: awaitingOf(gate), started_at: plan.created_at };
}

/** Those of one pipeline or of all, as the table of runs would have them, with `pipeline` first. */
export async function listAwaiting(
  deps: Pick<QueryDeps, 'store'>,
  pipeline: string | undefined,
  now: Date,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const name of pipeline === undefined ? await deps.store.folders('ops/') : [pipeline]) {
    const found = await awaitingRun(deps, name, now);
    if (found === undefined) continue;
    const unknown = Object.fromEntries(OPS_TABLES.runs.map((column) => [column.name, null]));
    const { started_at } = found;
    const { run_id } = found.awaiting;
    rows.push({ pipeline: name, ...unknown, run_id, status: 'AWAITING_APPROVAL', started_at, kind: 'run' });
  }
  return rows;
}
