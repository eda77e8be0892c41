import type { Sql } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { join, NOTHING, sql } from '../fragment.ts';
import { ownName, quoteName, quotePath, quoteText, quoteTexts } from '../quote.ts';
import { userSql } from '../user-sql.ts';

/** Text of values as they are read here, whatever the server or the user has set. */
const SETTINGS = [
  sql`SET DateStyle = 'ISO, YMD'`,
  sql`SET TimeZone = 'UTC'`,
  sql`SET bytea_output = 'hex'`,
  sql`SET extra_float_digits = 1`,
];
const BEGIN = sql`BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY`;

/** Begins a transaction that sees the table as it is now, whatever becomes of it; the last answers `snapshot`. */
export function beginExtract(): readonly Statement[] {
  return [...SETTINGS, BEGIN, sql`SELECT pg_export_snapshot() AS "snapshot"`].map(named('begin'));
}

/** Begins one that sees what another sees, as long as that has not ended. */
export function joinExtract(snapshot: string): readonly Statement[] {
  return [...SETTINGS, BEGIN, sql`SET TRANSACTION SNAPSHOT ${quoteText(snapshot)}`].map(named('begin'));
}

const named =
  (name: string) =>
  (text: Sql): Statement => ({ name, text });

/** Rows of a table that an extract takes. */
export type ExtractedRows = {
  readonly schema: string;
  readonly table: string;
  /** SQL of the server, for a row. */
  readonly where?: string;
  /** Those whose cursor is this or later, less what is taken again. */
  readonly since?: {
    readonly column: string;
    readonly type: string;
    readonly value: string;
    readonly overlapMs: number;
  };
};

/** A range of whole numbers, `to` exclusive; the first has the rows without a number too. */
export type ExtractRange = { readonly column: string; readonly from?: bigint; readonly to?: bigint };

const TIMES: readonly string[] = ['timestamp without time zone', 'timestamp with time zone'];

function conditionOf({ where, since }: ExtractedRows, range?: ExtractRange): Sql {
  const parts: Sql[] = [];
  if (where !== undefined) parts.push(sql`(${userSql(where)}\n)`);
  if (since !== undefined) {
    const value = sql`CAST(${quoteText(since.value)} AS ${userSql(since.type)})`;
    const less = TIMES.includes(since.type) ? sql` - ${since.overlapMs} * INTERVAL '1 millisecond'` : NOTHING;
    parts.push(sql`${quoteName(since.column)} >= ${value}${less}`);
  }
  if (range !== undefined) parts.push(inRange(range));
  return parts.length === 0 ? NOTHING : sql` WHERE ${join(parts, ' AND ')}`;
}

function inRange({ column, from, to }: ExtractRange): Sql {
  const name = quoteName(column);
  if (from === undefined && to === undefined) return sql`true`;
  if (from === undefined) return sql`(${name} < ${to ?? 0n} OR ${name} IS NULL)`;
  return to === undefined ? sql`${name} >= ${from}` : sql`(${name} >= ${from} AND ${name} < ${to})`;
}

/** `low`, `high`: of a column, as text; both null without a row. */
export function selectBounds(rows: ExtractedRows, column: string): Statement {
  const name = quoteName(column);
  return {
    name: 'bounds',
    text: sql`SELECT min(${name})::text AS low, max(${name})::text AS high FROM ${quotePath(rows.schema, rows.table)}${conditionOf(rows)}`,
  };
}

/** Columns of the server by name and type, which `readExtract` takes. */
export type ExtractColumn = { readonly name: string; readonly type: string };

export function copyExtract(rows: ExtractedRows, columns: readonly ExtractColumn[], range?: ExtractRange): Statement {
  const select = columns.map(({ name, type }) =>
    type.endsWith('[]') ? sql`to_json(${quoteName(name)})` : quoteName(name),
  );
  return {
    name: 'copy',
    text: sql`COPY (SELECT ${join(select)} FROM ${quotePath(rows.schema, rows.table)}${conditionOf(rows, range)}) TO STDOUT (FORMAT csv, NULL '', ENCODING 'UTF8')`,
  };
}

/** Writes files of such rows as one Parquet file, with types of the server where there are such. */
export function writeExtract(parts: readonly string[], columns: readonly ExtractColumn[], path: string): Statement {
  const texts = columns.map(({ name }) => sql`${quoteText(name)}: 'VARCHAR'`);
  const select = columns.map(({ name, type }) => sql`${typed(quoteName(name), type)} AS ${quoteName(name)}`);
  const from = sql`read_csv(${quoteTexts(parts)}, auto_detect = false, header = false, delim = ',', quote = '"', escape = '"', nullstr = '', allow_quoted_nulls = false, max_line_size = 4194304, columns = {${join(texts)}})`;
  return {
    name: 'extract',
    text: sql`COPY (SELECT ${join(select)} FROM ${from}) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd)`,
  };
}

/** `n`: rows of the file. */
export function countExtract(path: string): Statement {
  return { name: 'rows of the extract', text: sql`SELECT count(*) AS n FROM read_parquet(${quoteText(path)})` };
}

const TYPES: Readonly<Record<string, string>> = {
  boolean: 'boolean',
  smallint: 'integer',
  integer: 'integer',
  bigint: 'bigint',
  real: 'float',
  'double precision': 'double',
};

function typed(value: Sql, type: string): Sql {
  const own = TYPES[type];
  if (own !== undefined) return sql`CAST(${value} AS ${ownName(own)})`;
  const [, precision, scale] = /^numeric\((\d+),(\d+)\)$/.exec(type) ?? [];
  if (precision !== undefined && Number(precision) <= 38)
    return sql`CAST(${value} AS DECIMAL(${Number(precision)},${Number(scale)}))`;
  // PostgreSQL says BC behind all, DuckDB behind the day.
  const day = sql`regexp_replace(regexp_replace(${value}, '^(\\S+) (.*) BC$', '\\1 (BC) \\2'), ' BC$', ' (BC)')`;
  if (type === 'date') return sql`CAST(${day} AS DATE)`;
  if (type === TIMES[0]) return sql`CAST(${day} AS TIMESTAMP)`;
  if (type === TIMES[1]) return sql`CAST(${day} AS TIMESTAMP WITH TIME ZONE)`;
  return type === 'bytea' ? sql`unhex(substr(${value}, 3))` : value;
}
