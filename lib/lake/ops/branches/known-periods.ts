import { opsTable } from '../../../core/ops.ts';
import type { Branch } from '../../../core/schedule/branch.ts';
import type { KnownPeriod } from '../../../plan/branches/pending.ts';
import { selectPeriods } from '../../../sql/branches/periods.ts';
import { loadTable } from '../../../table/read.ts';
import type { StepDeps } from '../../deps.ts';
import { openOps } from '../open-ops.ts';
import { readFailedPeriods } from './failed-periods.ts';

/** What is known of the periods of a branch, each once, in their order. */
export async function knownPeriods(
  deps: StepDeps,
  pipeline: string,
  { name }: Branch,
): Promise<readonly KnownPeriod[]> {
  const known = new Map<string, KnownPeriod>();
  for (const one of [
    ...(await inTable(deps, pipeline, name)),
    ...(await readFailedPeriods(deps.store, pipeline, name)),
  ]) {
    const before = known.get(one.period);
    // A note that its run did not come to remove says nothing against the table.
    if (before?.status !== 'SUCCEEDED' && (before?.attempts ?? 0) <= one.attempts) known.set(one.period, one);
  }
  return [...known.values()].sort((a, b) => (a.period < b.period ? -1 : 1));
}

async function inTable(deps: StepDeps, pipeline: string, branch: string): Promise<readonly KnownPeriod[]> {
  const entry = await loadTable(deps.catalog, opsTable(pipeline, 'branches'));
  if (entry === undefined) return [];
  await using session = await deps.engine.open(deps.settings);
  const only = [{ column: 'branch', op: 'in', values: [branch] } as const];
  await using _rows = await openOps(deps.store, session, 'branches', entry.metadata, only);
  return (await session.rows(selectPeriods(branch))).map((row) => ({
    period: String(row['period']),
    status: row['status'] === 'SUCCEEDED' ? 'SUCCEEDED' : 'FAILED',
    run_id: String(row['run_id']),
    attempts: Number(row['attempts']),
    finished_at: String(row['finished_at']),
  }));
}
