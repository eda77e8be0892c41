import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { TableId } from '../../lib/core/tables.ts';
import { bucket } from '../../lib/define/index.ts';
import type { LocalLake } from '../../lib/runtime/local.ts';
import { describeTable, openLake, PIPELINES, runPipeline } from './lakes.ts';
import { exportRows } from './table-rows.ts';

const SILVER = { pipeline: 'on_read', layer: 'silver' } as const;

/**
 * Three batches into keyed tables that are merged on read, as the lake of all modes has them: position deletes of ours, which every
 * reader has to follow after each run. For Spark to compare: the rows that Strata reads.
 */
export async function writeOnRead(root: string, batches: readonly string[]) {
  const lake = await openLake(root, PIPELINES);
  const folder = join(lake.root, 'bronze', 'on_read', 'sensors');
  await mkdir(folder, { recursive: true });
  const runs: string[] = [];
  for (const [at, batch] of batches.entries()) {
    await copyFile(batch, join(folder, `batch-${at}.csv`));
    runs.push(await runPipeline(lake, 'on_read'));
  }
  await mkdir(join(root, 'rows'));
  const tables = { current: await describe(lake, 'current'), versions: await describe(lake, 'versions') };
  return { batches, runs, tables };
}

async function describe(lake: LocalLake, name: string) {
  const id: TableId = { ...SILVER, name };
  const rows = join(lake.root, 'rows', `${name}.parquet`);
  await exportRows(lake, name, rows, SILVER);
  return { ...(await describeTable(lake, id, [bucket(4, 'sensor')])), rows };
}
