import type { Database } from '../../lib/core/tables.ts';
import { columnsOf, currentSchema } from '../../lib/iceberg/schema.ts';
import { openTable } from '../../lib/lake/tables/table-state.ts';
import type { LocalLake } from '../../lib/runtime/local.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { loadTable } from '../../lib/table/read.ts';
import { withSession } from './lakes.ts';

/** The silver tables of the pipeline `modes`, as Strata reads them. */
const SILVER: Database = { pipeline: 'modes', layer: 'silver' };

export async function entryOf(lake: LocalLake, name: string, database: Database = SILVER) {
  const entry = await loadTable(lake.deps.catalog, { ...database, name });
  if (entry === undefined) throw new Error(`no table ${name}`);
  return entry;
}

export async function exportRows(
  lake: LocalLake,
  name: string,
  to: string,
  database: Database = SILVER,
): Promise<void> {
  await withTable(lake, { name, database }, async (run) => {
    await run(`COPY t TO ${quoteText(to)} (FORMAT parquet)`);
  });
}

/** Throws unless a table, as it is or as a run left it, has the rows of Parquet files. */
export async function compareRows(lake: LocalLake, name: string, files: string, runId?: string): Promise<void> {
  await withTable(lake, { name, runId }, async (run) => {
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
  {
    name,
    runId,
    database,
  }: { readonly name: string; readonly runId?: string | undefined; readonly database?: Database },
  use: (run: (text: string) => Promise<readonly Readonly<Record<string, unknown>>[]>) => Promise<void>,
): Promise<void> {
  const { metadata } = await entryOf(lake, name, database);
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
