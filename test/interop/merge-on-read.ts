import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { exitCode } from './environments.ts';
import { openLake, runBatch } from './lakes.ts';
import { compareRows, entryOf, exportRows } from './table-rows.ts';

const TABLES = ['appended', 'versions', 'versions__log'] as const;

/**
 * A lake whose tables Spark changes between two runs, by position deletes in a Hadoop catalog over the lake's own folder.
 * Throws unless Strata then reads what Spark reads, and the tables of before as they were. For Spark to compare: each table
 * after the second run, and the rows that Strata reads.
 */
export async function writeMergeOnRead(root: string, python: string, jar: string) {
  const lake = await openLake(root, join(import.meta.dirname, 'pipelines'));
  const first = await runBatch(lake, 0);
  const rows = (state: string, name: string): string => join(root, 'rows', state, `${name}.parquet`);
  await mkdir(join(root, 'rows', 'first'), { recursive: true });
  await mkdir(join(root, 'rows', 'second'));
  for (const name of TABLES) await exportRows(lake, name, rows('first', name));
  const script = join(import.meta.dirname, 'checks', 'merge_on_read.py');
  const code = await exitCode(python, [script, join(root, 'silver'), join(root, 'spark'), jar]);
  if (code !== 0) throw new Error(`merge_on_read.py ended with ${code}`);
  for (const name of TABLES) {
    await compareRows(lake, name, join(root, 'spark', name, '*.parquet'));
    await compareRows(lake, name, rows('first', name), first);
  }
  await runBatch(lake, 1);
  const tables: Record<string, { readonly metadata: string; readonly rows: string }> = {};
  for (const name of TABLES) {
    await exportRows(lake, name, rows('second', name));
    await compareRows(lake, name, rows('first', name), first);
    tables[name] = { metadata: (await entryOf(lake, name)).metadataLocation, rows: rows('second', name) };
  }
  return { tables };
}
