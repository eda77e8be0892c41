import { join } from 'node:path';
import { OPS_TABLES, opsTable } from '../../core/ops.ts';
import type { QuarantineFilter } from '../../sql/quarantine-table.ts';
import { countReleasable, renderReleased } from '../../sql/quarantine-table.ts';
import { quotePath } from '../../sql/quote.ts';
import { createSchemas } from '../../sql/scan.ts';
import { writeTable } from '../../sql/write.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { placeDataFiles, withScratch } from '../files/place-files.ts';
import { fenced } from '../run/fence.ts';
import { releaseLock, takeLock } from '../run/lock.ts';
import type { Placed } from '../run/unit-result.ts';
import { fieldIdsOf, openTable } from '../tables/table-state.ts';
import { commitOps, opsTarget } from './ops-tables.ts';

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
  const session = await deps.engine.open(deps.settings);
  for (const statement of createSchemas(['ops'])) await session.run(statement);
  const name = { schema: 'ops', table: 'quarantine' };
  const opened = await openTable(deps.store, session, name, entry.metadata, OPS_TABLES.quarantine);
  try {
    const table = quotePath('ops', 'quarantine');
    const rows = Number((await session.rows(countReleasable(table, filter)))[0]?.['rows']);
    if (rows === 0) return undefined;
    const target = opsTarget(deps, 'quarantine', id, entry);
    return await withScratch(deps, 'release', async (scratch) => {
      const files = await session.copy(
        writeTable({
          name: 'write released',
          from: renderReleased(table, filter),
          columns: OPS_TABLES.quarantine,
          fieldIds: fieldIdsOf(target.schema),
          partitionBy: [],
          sortBy: [],
          folder: join(scratch, 'out'),
          fileBytes: 134_217_728,
        }),
      );
      return { rows, files: await placeDataFiles(deps, files, { table: id, ...target, stem: run.run_id }) };
    });
  } finally {
    await session.close();
    await opened.release();
  }
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
  const run = { pipeline, run_id: runId, dry_run: false, epoch: await takeLock(deps, pipeline, runId) };
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
