import { copyFile, mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { bucket } from '../../lib/define/index.ts';
import type { LocalLake } from '../../lib/runtime/local.ts';
import { describeTable, openLake, PIPELINES, runPipeline } from './lakes.ts';
import { entryOf, exportRows } from './table-rows.ts';

const SILVER = { pipeline: 'on_read', layer: 'silver' } as const;

/**
 * Three batches into keyed tables that are merged on read, as the lake of all modes has them: position deletes of ours, which every
 * reader has to follow after each run. For Spark to compare: the rows that Strata reads.
 */
export async function writeOnRead(root: string, batches: readonly string[]) {
  const lake = await openLake(root, PIPELINES);
  const folder = join(lake.root, 'bronze', 'on_read', 'sensors');
  await mkdir(folder, { recursive: true });
  await mkdir(join(root, 'rows'));
  const runs: string[] = [];
  const states: Readonly<Record<string, State[]>> = { current: [], versions: [] };
  for (const [at, batch] of batches.entries()) {
    await copyFile(batch, join(folder, `batch-${at}.csv`));
    runs.push(await runPipeline(lake, 'on_read'));
    for (const [name, seen] of Object.entries(states)) seen.push(await stateOf(lake, name, at));
  }
  const tables: Record<string, object> = {};
  for (const [name, rows] of Object.entries(states)) {
    tables[name] = { ...(await describeTable(lake, { ...SILVER, name }, [bucket(4, 'sensor')])), states: rows };
  }
  return { batches, runs, tables };
}

type State = { readonly snapshot: string; readonly rows: string };

/** What Strata reads of a table after a run. */
async function stateOf(lake: LocalLake, name: string, at: number): Promise<State> {
  const rows = join(lake.root, 'rows', `${name}-${at}.parquet`);
  await exportRows(lake, name, rows, SILVER);
  const { metadata } = await entryOf(lake, name, SILVER);
  return { snapshot: String(metadata['current-snapshot-id']), rows };
}
