import { opsTable } from '../../core/ops.ts';
import type { RunPlan } from '../../core/run.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { fullName } from '../../core/tables.ts';
import {
  countReleasable,
  countWithdrawn,
  type QuarantineFilter,
  renderReleased,
  renderWithdrawn,
  type Withdrawal,
} from '../../sql/quarantine-table.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { openScratch } from '../files/scratch.ts';
import { stageFiles } from '../files/stage-files.ts';
import { fenced } from '../run/fence.ts';
import { releaseLock, takeLock } from '../run/lock.ts';
import type { Placed } from '../run/unit-result.ts';
import { tableIdOf } from '../tables/table-state.ts';
import { openOps } from './open-ops.ts';
import { commitOps, OPS_FILE_BYTES, opsTarget } from './ops-tables.ts';

export type Released = { readonly rows: number; readonly files: readonly Placed[] };

type Change = { readonly count: (table: Sql) => Statement; readonly render: (table: Sql) => Sql };

function releasing(filter: QuarantineFilter): Change {
  return { count: (table) => countReleasable(table, filter), render: (table) => renderReleased(table, filter) };
}

/** What a run withdraws from tables, because they take the files again, is released for them. */
export function withdrawing(plan: RunPlan): Change {
  const withdrawal = withdrawalOf(plan);
  return { count: (table) => countWithdrawn(table, withdrawal), render: (table) => renderWithdrawn(table, withdrawal) };
}

function withdrawalOf({ spec, withdraw, withdraw_from, tables }: RunPlan): Withdrawal {
  const silver = spec.models.filter((model) => model.layer === 'silver');
  const all = silver.map((model) => ({
    source: model.from,
    table: fullName(tableIdOf(spec, model)),
    withdrawn: withdraw_from?.includes(model.id) !== false,
    exists: tables[model.id] !== null,
  }));
  const withdrawn = all.filter((one) => one.withdrawn);
  // What a table that is there keeps, and what one that is new never had, stays in quarantine as it is.
  const keeping = new Set(all.filter((one) => one.exists && !one.withdrawn).map(({ source }) => source));
  const parted = new Set(withdrawn.filter((one) => one.exists && keeping.has(one.source)).map(({ source }) => source));
  return {
    files: withdraw,
    tables: withdrawn.map(({ table }) => table),
    whole: [...new Set(withdrawn.map(({ source }) => source))].filter((source) => !keeping.has(source)),
    parted: all.filter((one) => one.exists && parted.has(one.source)),
  };
}

/** Writes the quarantine table anew with some rows released; `undefined` when no row matches. Publishes nothing. */
export async function stageReleased(
  deps: StepDeps,
  run: { readonly pipeline: string; readonly run_id: string },
  change: Change,
): Promise<Released | undefined> {
  const id = opsTable(run.pipeline, 'quarantine');
  const entry = await loadTable(deps.catalog, id);
  if (entry === undefined) return undefined;
  await using session = await deps.engine.open(deps.settings);
  await using quarantine = await openOps(deps.store, session, 'quarantine', entry.metadata);
  const rows = Number((await session.rows(change.count(quarantine.relation)))[0]?.['rows']);
  if (rows === 0) return undefined;
  const target = opsTarget(deps, 'quarantine', id, entry);
  await using scratch = await openScratch(deps, 'release');
  const from = change.render(quarantine.relation);
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
    const released = await stageReleased(held, run, releasing(filter));
    if (released === undefined) return 0;
    await commitOps(held, run, 'quarantine', released.files, { kind: 'all' });
    return released.rows;
  } finally {
    await releaseLock(deps, run);
  }
}
