import { BRONZE_FILE } from '../core/bronze-file.ts';
import type { EventColumns } from '../core/keyed.ts';
import type { KeyedMode } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { CopyStatement, Statement } from '../core/statement.ts';
import { HASH, MAPPED, PARSED, QUARANTINE, REJECTED, RID } from './batch-tables.ts';
import { renderEventHash } from './event-hash.ts';
import { join, sql } from './fragment.ts';
import { OP, SOURCE_FILE, VALID_FROM, VALID_TO } from './keyed-columns.ts';
import { ownName, quoteName, quoteText } from './quote.ts';
import { BUCKET } from './scan.ts';
import { userTerm } from './user-sql.ts';

/** Rows of a table on their way back to the lines of the files that brought them. */

/** The rows that were asked for, each with its number. */
const ROWS = ownName('__rows');
/** What the files brought: those rows themselves, or the events behind them. */
const BROUGHT = ownName('__brought');

export const TRACED = {
  /** Of a row: its place among those that were asked for. */
  row: ownName('__row'),
  /** Of what was brought: its own number. */
  nth: ownName('__nth'),
  fileName: BRONZE_FILE.name,
  file: quoteName(BRONZE_FILE.name),
  /** The number of the data file that it lies in. */
  data: BUCKET,
} as const;

/** A scan whose files may say nothing of the bronze file, where the table has it as a column that everyone sees. */
export function renderKnownFile(scan: Sql): Sql {
  return sql`(SELECT * REPLACE (coalesce(${TRACED.file}, source_file) AS ${TRACED.file}) FROM ${scan})`;
}

/** The rows of a view that meet a user's condition. A comment at the end of it ends with its line. */
export function selectTraced(view: Sql, where: string): Sql {
  return sql`SELECT * FROM ${view} WHERE ${userTerm(`${where}\n`)}`;
}

/** `__rows`: the first rows of the view that meet a user's condition, in the order of their values. */
export function createTracedRows(view: Sql, where: string, limit: number): Statement {
  return {
    name: 'trace',
    text: sql`CREATE TABLE ${ROWS} AS SELECT *, row_number() OVER () - 1 AS ${TRACED.row} FROM (${selectTraced(view, where)} ORDER BY ALL LIMIT ${limit})`,
  };
}

export function countTraced(view: Sql, where: string): Statement {
  return { name: 'trace', text: sql`SELECT count(*) AS rows FROM (${selectTraced(view, where)})` };
}

/** The rows themselves are what their files brought. */
export function bringRows(): Statement {
  return {
    name: 'brought',
    text: sql`CREATE TABLE ${BROUGHT} AS SELECT *, ${TRACED.row} AS ${TRACED.nth} FROM ${ROWS}`,
  };
}

/**
 * The events behind the rows of a keyed table, by its log: of an `upsert` row those of its sequence, of a version those from
 * its start up to its end.
 */
export function bringEvents(mode: KeyedMode, columns: EventColumns, log: Sql): Statement {
  const sequence = quoteName(mode.sequence);
  const within =
    mode.kind === 'upsert'
      ? sql`e.${sequence} = r.${sequence}`
      : sql`e.${sequence} >= r.${VALID_FROM} AND (r.${VALID_TO} IS NULL OR e.${sequence} < r.${VALID_TO})`;
  const same = mode.key.map((name) => sql`e.${quoteName(name)} = r.${quoteName(name)}`);
  return {
    name: 'brought',
    text: sql`CREATE TABLE ${BROUGHT} AS SELECT *, row_number() OVER (ORDER BY ${TRACED.row}, ${sequence}, ${renderEventHash(columns)}, ${SOURCE_FILE}) - 1 AS ${TRACED.nth}
FROM (SELECT e.* REPLACE (e.${SOURCE_FILE} AS ${TRACED.file}), r.${TRACED.row} FROM ${log} e JOIN ${ROWS} r ON ${join([...same, within], ' AND ')})`,
  };
}

/** All rows as they are, in their order. */
export function selectTracedRows(): Statement {
  return { name: 'trace', text: sql`SELECT * FROM ${ROWS} ORDER BY ${TRACED.row}` };
}

/** Of what was brought: which row it is behind, its file, its data file and, of an event, what it does. */
export function selectBrought(keyed: boolean): Statement {
  const op = keyed ? OP : sql`NULL`;
  return {
    name: 'brought',
    text: sql`SELECT ${TRACED.row}, ${TRACED.nth}, ${TRACED.file}, ${TRACED.data}, ${op} AS op FROM ${BROUGHT} ORDER BY ${TRACED.nth}`,
  };
}

/** What was brought as a file, for the sessions in which landed files are read again. */
export function writeBrought(path: string): CopyStatement {
  return { name: 'brought', text: sql`COPY ${BROUGHT} TO ${quoteText(path)} (FORMAT parquet, RETURN_STATS)` };
}

/** What one landed file brought, of such a file. */
export function openBrought(path: string, key: string): Statement {
  return {
    name: 'brought',
    text: sql`CREATE TABLE ${BROUGHT} AS SELECT * FROM read_parquet(${quoteText(path)}, hive_partitioning = false) WHERE ${TRACED.file} = ${quoteText(key)}`,
  };
}

/** The status that found rows have in `__rejected`: the second read, which is for rejected rows, finds their text and lines. */
const FOUND = 'traced';

/** Into `__rejected`: parsed rows whose hash is that of a row that the table keeps with it. */
export function findByHash(column: string): Statement {
  return found(
    sql`SELECT p.rowid AS rid, b.${TRACED.nth} AS nth FROM ${PARSED} p JOIN ${BROUGHT} b ON b.${quoteName(column)} = p.${HASH}`,
  );
}

/** Into `__rejected`: rows of which the model makes what the table has, column by column. */
export function findByValues(columns: readonly string[]): Statement {
  const same = columns.map(quoteName).map((name) => sql`b.${name} IS NOT DISTINCT FROM m.${name}`);
  return found(
    sql`SELECT m.${RID} AS rid, b.${TRACED.nth} AS nth FROM ${MAPPED} m JOIN ${BROUGHT} b ON ${join(same, ' AND ')}`,
  );
}

function found(pairs: Sql): Statement {
  return {
    name: 'found',
    text: sql`INSERT INTO ${REJECTED} (rid, issues, status) SELECT rid, list({'code': ${quoteText(FOUND)}, 'detail': CAST(nth AS VARCHAR)} ORDER BY nth), ${quoteText(FOUND)} FROM (${pairs}) GROUP BY rid`,
  };
}

/** `nth`, `line`, `raw` of what was found, of the quarantine's own table. */
export function selectFound(): Statement {
  return {
    name: 'found',
    text: sql`SELECT unnest(details) AS nth, line, raw FROM ${QUARANTINE} WHERE status = ${quoteText(FOUND)} ORDER BY line`,
  };
}
