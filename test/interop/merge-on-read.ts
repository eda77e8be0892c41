import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database } from '../../lib/core/tables.ts';
import { columnsOf, currentSchema } from '../../lib/iceberg/schema.ts';
import { openTable } from '../../lib/lake/tables/table-state.ts';
import type { LocalLake } from '../../lib/runtime/local.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { loadTable } from '../../lib/table/read.ts';
import { exitCode } from './environments.ts';
import { openLake, runBatch, withSession } from './lakes.ts';

const SILVER: Database = { pipeline: 'modes', layer: 'silver' };
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

async function entryOf(lake: LocalLake, name: string) {
  const entry = await loadTable(lake.deps.catalog, { ...SILVER, name });
  if (entry === undefined) throw new Error(`no table ${name}`);
  return entry;
}

async function exportRows(lake: LocalLake, name: string, to: string): Promise<void> {
  await withTable(lake, name, undefined, async (run) => {
    await run(`COPY t TO ${quoteText(to)} (FORMAT parquet)`);
  });
}

/** Throws unless a table, as it is or as a run left it, has the rows of Parquet files. */
async function compareRows(lake: LocalLake, name: string, files: string, runId?: string): Promise<void> {
  await withTable(lake, name, runId, async (run) => {
    const other = `(SELECT * FROM read_parquet(${quoteText(files)}))`;
    const rows = await run(
      `SELECT (SELECT count(*) FROM t) AS rows, (SELECT count(*) FROM (FROM t EXCEPT ALL FROM ${other})) AS more,
        (SELECT count(*) FROM (FROM ${other} EXCEPT ALL FROM t)) AS missing`,
    );
    const { rows: all, more, missing } = rows[0] ?? {};
    if (Number(all) === 0 || Number(more) + Number(missing) > 0) {
      throw new Error(
        `${name} ${runId ?? ''}: ${all} rows, of which ${files} lacks ${more}, and has ${missing} others`,
      );
    }
  });
}

async function withTable(
  lake: LocalLake,
  name: string,
  runId: string | undefined,
  use: (run: (text: string) => Promise<readonly Readonly<Record<string, unknown>>[]>) => Promise<void>,
): Promise<void> {
  const { metadata } = await entryOf(lake, name);
  const found = metadata.snapshots.find((one) => one.summary['strata.run_id'] === runId);
  const id = runId === undefined ? undefined : found?.['snapshot-id'];
  await withSession(lake, async (session) => {
    const columns = columnsOf(currentSchema(metadata));
    await using _files = await openTable(
      lake.deps.store,
      session,
      { schema: 'main', table: 't' },
      metadata,
      columns,
      id === undefined ? {} : { snapshotId: id },
    );
    await use((text) => session.rows({ name: 'rows', text: userSql(text) }));
  });
}
