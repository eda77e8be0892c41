import { opsTable } from '../../core/ops.ts';
import type { QuarantineFilter } from '../../sql/quarantine-table.ts';
import { countReleasable, renderReleased } from '../../sql/quarantine-table.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { openScratch } from '../files/scratch.ts';
import { stageFiles } from '../files/stage-files.ts';
import { fenced } from '../run/fence.ts';
import { releaseLock, takeLock } from '../run/lock.ts';
import type { Placed } from '../run/unit-result.ts';
import { openOps } from './open-ops.ts';
import { commitOps, OPS_FILE_BYTES, opsTarget } from './ops-tables.ts';

export type Released = { readonly rows: number; readonly files: readonly Placed[] };

/** Writes the quarantine table anew with some rows released; `undefined` when no row matches. Publishes nothing. */
export async function stageReleased(
  deps: StepDeps,
  run: { readonly pipeline: string; readonly run_id: string },
  filter: QuarantineFilter,
): Promise<Released | undefined> {
  const id = opsTable(run.pipeline, 'quarantine');
  const entry = await loadTable(deps.catalog, id);
  if (entry === undefined) return undefined;
  await using session = await deps.engine.open(deps.settings);
  await using quarantine = await openOps(deps.store, session, 'quarantine', entry.metadata);
  const rows = Number((await session.rows(countReleasable(quarantine.relation, filter)))[0]?.['rows']);
  if (rows === 0) return undefined;
  const target = opsTarget(deps, 'quarantine', id, entry);
  await using scratch = await openScratch(deps, 'release');
  const from = renderReleased(quarantine.relation, filter);
  const staging = { from, target, folder: scratch.folder, fileBytes: OPS_FILE_BYTES, stem: run.run_id };
  return { rows, files: (await stageFiles(session, staging, deps)).placed };
}

/**
 * Releases rows from quarantine: they stay there with status `released`, and neither their hash nor their attempts are
 * held against rows that land from now on. `runId` names the change. Returns how many rows. Throws LockHeld while a run works.
 */
export async function releaseQuarantine(
  deps: StepDeps,
  pipeline: string,
  runId: string,
  filter: QuarantineFilter,
): Promise<number> {
  const run = { pipeline, run_id: runId, dry_run: false, epoch: await takeLock(deps, { pipeline, run_id: runId }) };
  try {
    const held = fenced(deps, run);
    const released = await stageReleased(held, run, filter);
    if (released === undefined) return 0;
    await commitOps(held, run, 'quarantine', released.files, { kind: 'all' });
    return released.rows;
  } finally {
    await releaseLock(deps, run);
  }
}
