import { compactTables } from '../../lib/runtime/compact.ts';
import { expireTables, vacuumTables } from '../../lib/runtime/maintain.ts';
import { rollbackTable } from '../../lib/runtime/rollback-table.ts';
import { tagTable } from '../../lib/runtime/tag-table.ts';
import { describeModels, describeOthers, openLake, PIPELINES, writeModes } from './lakes.ts';

/**
 * The lake of all modes after maintenance: a snapshot has a name, one table went back by a run, small files were joined, and
 * all that nothing keeps is gone.
 */
export async function writeMaintained(root: string) {
  const { batches, runs } = await writeModes(root);
  const { deps } = await openLake(root, PIPELINES);
  const [first = '', second = ''] = runs;
  const table = 'modes_silver.appended';
  await tagTable(deps, { table, name: 'first', runId: first });
  await rollbackTable(deps, { table, to: second });
  const compact = await compactTables(deps, { pipeline: 'modes', compact: { min_files: 2, all: true } });
  if (compact.kind !== 'ended' || compact.result.error !== null) throw new Error(JSON.stringify(compact));
  const retention = { target: 'modes', olderThanMs: 0, forceRetention: true };
  const expired = await expireTables(deps, { ...retention, keep: 1 });
  const vacuumed = await vacuumTables(deps, retention);
  if (expired.failed.length + vacuumed.failed.length > 0) throw new Error(JSON.stringify([expired, vacuumed]));
  const lake = await openLake(root, PIPELINES);
  const tables = await describeModels(lake, 'modes');
  return { batches, tables, others: await describeOthers(lake, tables) };
}
