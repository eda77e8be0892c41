import { opsTable } from '../../../core/ops.ts';
import type { RunPlan } from '../../../core/run.ts';
import type { KnownPeriod } from '../../../plan/branches/pending.ts';
import { countPeriod, withoutPeriod } from '../../../sql/branches/periods.ts';
import { loadTable } from '../../../table/read.ts';
import type { StepDeps } from '../../deps.ts';
import { openScratch } from '../../files/scratch.ts';
import { stageFiles } from '../../files/stage-files.ts';
import type { Placed } from '../../run/unit-result.ts';
import { openOps } from '../open-ops.ts';
import { commitOps, OPS_FILE_BYTES, opsTarget, writeOpsRows } from '../ops-tables.ts';
import { forgetFailedPeriod } from './failed-periods.ts';

type Planned = Pick<RunPlan, 'run' | 'branch'>;

/**
 * Enters the period that a run was for into the table of branches, once for the run, in the place of the row of an attempt before it.
 * Nothing for a run of no branch.
 */
export async function recordPeriod(deps: StepDeps, plan: Planned, status: KnownPeriod['status']): Promise<void> {
  const { run, branch } = plan;
  if (branch === undefined || run.dry_run) return;
  const { name, period, attempt } = branch;
  const row = {
    branch: name,
    period,
    status,
    run_id: run.run_id,
    attempts: attempt,
    finished_at: deps.clock.now().toISOString(),
  };
  const others = await othersOf(deps, run, { branch: name, period });
  const placed = [...(others ?? []), ...(await writeOpsRows(deps, plan, 'branches', [row]))];
  await commitOps(deps, run, 'branches', placed, { kind: others === undefined ? 'nothing' : 'all' });
  if (status === 'SUCCEEDED') {
    await forgetFailedPeriod(deps.store, { pipeline: run.pipeline, branch: name, period });
  }
}

/** All other rows of the table, written anew where it has one of the period; else undefined. */
async function othersOf(
  deps: StepDeps,
  run: Planned['run'],
  named: Parameters<typeof countPeriod>[0],
): Promise<readonly Placed[] | undefined> {
  const id = opsTable(run.pipeline, 'branches');
  const entry = await loadTable(deps.catalog, id);
  if (entry === undefined) return undefined;
  await using session = await deps.engine.open(deps.settings);
  await using table = await openOps(deps.store, session, 'branches', entry.metadata);
  if (Number((await session.rows(countPeriod(named)))[0]?.['n']) === 0) return undefined;
  await using scratch = await openScratch(deps, 'periods');
  const target = opsTarget(deps, 'branches', id, entry);
  const from = withoutPeriod(table.relation, named);
  const staging = { from, target, folder: scratch.folder, fileBytes: OPS_FILE_BYTES, stem: `${run.run_id}-others` };
  return (await stageFiles(session, staging, deps)).placed;
}
