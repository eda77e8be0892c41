import type { MaintenancePlan, MaintenanceResult, MaintenanceState } from '../../core/maintenance.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { findWritten } from '../../lake/maintain/discard-maintenance.ts';
import {
  maintenancePlaces,
  readMaintenancePlan,
  readRewriteResult,
  readRound,
  type TableRound,
} from '../../lake/maintain/maintenance-folder.ts';
import { readOutcomes } from '../../lake/maintain/record-maintenance.ts';
import { durationOf } from '../../lake/ops/run-row.ts';
import { releaseLock } from '../../lake/run/lock.ts';
import { clearOpenRun } from '../../lake/run/open-run.ts';
import { readJsonIfAny, runFolder, writeOnce } from '../../lake/run/run-folder.ts';

/** Partitions that a result names. */
const MOST_LEFT = 1_000;

/** Ends a run of maintenance: its result, no more files that no table took, no lock. */
export async function runFinishRewrite(state: MaintenanceState, deps: StepDeps): Promise<MaintenanceState> {
  const { run } = state;
  if ((await deps.store.head(runFolder.result(run))) === undefined) {
    const plan = await readMaintenancePlan(deps.store, run);
    const { tables, left, rounds } = await readOutcomes(deps, plan);
    const taken = await findTaken(deps, plan, rounds);
    for (const key of await findWritten(deps.store, plan)) if (!taken.has(key)) await deps.store.remove(key);
    const result: MaintenanceResult = {
      run_id: run.run_id,
      pipeline: run.pipeline,
      kind: 'compact',
      status: 'SUCCEEDED',
      tables,
      left: left.slice(0, MOST_LEFT),
      rounds,
      duration_ms: durationOf(plan, deps.clock.now()),
      error: null,
    };
    await writeOnce(deps.store, runFolder.result(run), result);
  }
  await clearOpenRun(deps.store, run);
  await releaseLock(deps, run);
  return { ...state, status: 'done' };
}

/** Keys of the new files that tables have. */
async function findTaken(
  deps: StepDeps,
  { run, tables }: MaintenancePlan,
  rounds: number,
): Promise<ReadonlySet<string>> {
  const taken = new Set<string>();
  for (let round = 0; round < rounds; round += 1) {
    const bins = new Set<string>();
    for (const { id } of tables) {
      const outcome = await readJsonIfAny<TableRound>(deps.store, maintenancePlaces.outcome(run, round, id));
      for (const [unit, bin] of outcome?.bins ?? []) bins.add(`${unit} ${bin}`);
    }
    for (const item of await readRound(deps.store, run, round)) {
      const result = await readRewriteResult(deps.store, run, item);
      const written = (result?.bins ?? []).filter(({ bin }) => bins.has(`${item.unit} ${bin}`));
      for (const { key } of written.flatMap((one) => one.written)) taken.add(key);
    }
  }
  return taken;
}
