import { MASK } from '../../core/personal.ts';
import type { Sql, SqlName } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import type { Column, ColumnType } from '../../core/types.ts';
import { renderForJson } from '../exports.ts';
import { join, NOTHING, sql } from '../fragment.ts';
import { ownName, quoteName, quoteText } from '../quote.ts';

/** Rows of files that a table has now, and of those that it had when it was served, which are not the same as they were. */
export const SERVED_NOW = ownName('batch.served_now');
export const SERVED_THEN = ownName('batch.served_then');
/** And of the files that both have. */
export const SERVED_SHARED = ownName('batch.served_shared');
/** The rows that are to be copied, and the keys of which there are none any more. */
export const SERVED_ROWS = ownName('__served_rows');
export const SERVED_GONE = ownName('__served_gone');

/**
 * Writes rows as the CSV that PostgreSQL's COPY reads: nothing for NULL, text in quotes, so that text without characters is `""` and
 * a line that says `\.` ends nothing. Source: postgresql.org/docs/current/sql-copy.html, "CSV Format"
 */
export function copyServed(from: Sql, columns: readonly Column[], path: string): Statement {
  const select = columns.map((column) => sql`${renderValue(column)} AS ${quoteName(column.name)}`);
  const quoted = columns.filter(({ type }) => isWritten(type)).map(({ name }) => quoteName(name));
  const force = quoted.length === 0 ? NOTHING : sql`, FORCE_QUOTE (${join(quoted)})`;
  return {
    name: 'serve',
    text: sql`COPY (SELECT ${join(select)} FROM ${from}) TO ${quoteText(path)} (FORMAT csv, HEADER false, DELIMITER ',', QUOTE '"', ESCAPE '"', NULLSTR ''${force})`,
  };
}

/** Types that CSV has as text which may hold anything. */
function isWritten({ kind }: ColumnType): boolean {
  return ['string', 'binary', 'list', 'struct'].includes(kind);
}

function renderValue({ name, type }: Column): Sql {
  const value = quoteName(name);
  switch (type.kind) {
    case 'list':
      return isArray(type) ? renderArray(value, type.element) : renderJson(value, type);
    case 'struct':
      return renderJson(value, type);
    default:
      return renderScalar(value, type);
  }
}

/** A list of values is an array, any other list is JSON: arrays of PostgreSQL have no rows of different lengths. */
export function isArray(type: ColumnType): boolean {
  return type.kind === 'list' && type.element.kind !== 'list' && type.element.kind !== 'struct';
}

function renderScalar(value: Sql, { kind }: ColumnType): Sql {
  switch (kind) {
    case 'binary':
      return sql`${quoteText('\\x')} || lower(hex(${value}))`;
    case 'date':
    case 'timestamp':
    case 'timestamptz': {
      // DuckDB says BC behind the day, PostgreSQL behind all.
      const text = sql`CAST(${value} AS VARCHAR)`;
      return sql`CASE WHEN contains(${text}, ' (BC)') THEN replace(${text}, ' (BC)', '') || ' BC' ELSE ${text} END`;
    }
    default:
      return value;
  }
}

/** Source: postgresql.org/docs/current/arrays.html, "Array Input and Output Syntax" */
function renderArray(value: Sql, element: ColumnType): Sql {
  const one = ownName('element');
  const text = sql`CAST(${renderScalar(one, element)} AS VARCHAR)`;
  const escaped = sql`replace(replace(${text}, ${quoteText('\\')}, ${quoteText('\\\\')}), '"', ${quoteText('\\"')})`;
  return sql`'{' || array_to_string(list_transform(${value}, lambda ${one}: coalesce('"' || ${escaped} || '"', 'NULL')), ',') || '}'`;
}

function renderJson(value: Sql, type: ColumnType): Sql {
  return sql`CASE WHEN ${value} IS NOT NULL THEN CAST(to_json(${renderForJson(value, type)}) AS VARCHAR) END`;
}

/** `column`, and each column of the key as text: a row with a character that no text of PostgreSQL may have. No row where there is none. */
export function findNul(
  from: Sql,
  columns: readonly Column[],
  { named, hidden }: { readonly named: readonly string[]; readonly hidden: ReadonlySet<string> },
): Statement | undefined {
  const tests = columns.flatMap((column) => {
    const found = hasNul(column);
    return found === undefined ? [] : [{ name: column.name, found }];
  });
  if (tests.length === 0) return undefined;
  const which = tests.map(({ name, found }) => sql` WHEN ${found} THEN ${quoteText(name)}`);
  const any = tests.map(({ found }) => sql`coalesce(${found}, false)`);
  return {
    name: 'text that PostgreSQL cannot have',
    text: sql`SELECT CASE${join(which, '')} END AS "column", ${asTexts(named, hidden)} AS "row" FROM ${from} WHERE ${join(any, ' OR ')} LIMIT 1`,
  };
}

function hasNul({ name, type }: Column): Sql | undefined {
  const value = quoteName(name);
  if (type.kind === 'string') return sql`contains(${value}, chr(0))`;
  if (!holdsText(type)) return undefined;
  if (isArray(type)) return sql`len(list_filter(${value}, lambda element: contains(element, chr(0)))) > 0`;
  // JSON spells it; two backslashes are one that somebody wrote.
  return sql`regexp_matches(CAST(to_json(${value}) AS VARCHAR), ${quoteText('(^|[^\\\\])(\\\\\\\\)*\\\\u0000')})`;
}

function holdsText(type: ColumnType): boolean {
  if (type.kind === 'list') return holdsText(type.element);
  if (type.kind === 'struct') return type.fields.some((field) => holdsText(field.type));
  return type.kind === 'string';
}

/** `n`, and the key as text: a key that more than one row has, or that has a NULL. No row where there is none. */
export function findWrongKey(from: Sql, key: readonly string[], hidden: ReadonlySet<string>): Statement {
  const names = key.map(quoteName);
  const empty = join(
    names.map((name) => sql`${name} IS NULL`),
    ' OR ',
  );
  return {
    name: 'keys that are served',
    text: sql`SELECT count(*) AS n, ${asTexts(key, hidden)} AS "row" FROM ${from} GROUP BY ${join(names)} HAVING count(*) > 1 OR ${empty} ORDER BY n DESC LIMIT 1`,
  };
}

/** The keys of all rows of a table that are those of a row to copy. */
export function keysOfServed(key: readonly string[]): Sql {
  const names = join(key.map(quoteName));
  const all = sql`SELECT ${names} FROM ${SERVED_NOW} UNION ALL SELECT ${names} FROM ${SERVED_SHARED}`;
  return sql`(SELECT * FROM (${all}) SEMI JOIN (SELECT DISTINCT ${names} FROM ${SERVED_ROWS}) USING (${names}))`;
}

function asTexts(names: readonly string[], hidden: ReadonlySet<string>): Sql {
  const parts = names.map((name) => {
    const value = hidden.has(name)
      ? sql`CASE WHEN ${quoteName(name)} IS NOT NULL THEN ${quoteText(MASK)} END`
      : sql`CAST(${quoteName(name)} AS VARCHAR)`;
    return sql`${quoteText(`${name} = `)} || coalesce(${value}, 'NULL')`;
  });
  if (parts.length === 0) return quoteText(MASK);
  return sql`concat_ws(', ', ${join(parts)})`;
}

/** What has come between two states of which the rows that both have are left out, and the keys that are gone, where there is a key. */
export function createServedChanges(columns: readonly Column[], key: readonly string[]): readonly Statement[] {
  const all = join(columns.map(({ name }) => quoteName(name)));
  const rows = except(SERVED_ROWS, all, SERVED_NOW, SERVED_THEN);
  if (key.length === 0) return [rows];
  const names = join(key.map(quoteName));
  const same = join(
    key.map((name) => sql`n.${quoteName(name)} = t.${quoteName(name)}`),
    ' AND ',
  );
  const gone = sql`SELECT DISTINCT ${names} FROM ${SERVED_THEN} t WHERE NOT EXISTS (SELECT 1 FROM ${SERVED_NOW} n WHERE ${same})`;
  return [rows, { name: 'gone from what is served', text: sql`CREATE TEMP TABLE ${SERVED_GONE} AS ${gone}` }];
}

function except(into: SqlName, all: Sql, one: SqlName, other: SqlName): Statement {
  return {
    name: 'changed in what is served',
    text: sql`CREATE TEMP TABLE ${into} AS SELECT ${all} FROM ${one} EXCEPT ALL SELECT ${all} FROM ${other}`,
  };
}

/** `rows`, `gone`: how many rows are to be copied, and keys that are gone. */
export function countServedChanges(key: readonly string[]): Statement {
  const gone = key.length === 0 ? sql`0` : sql`(SELECT count(*) FROM ${SERVED_GONE})`;
  return {
    name: 'changes to serve',
    text: sql`SELECT (SELECT count(*) FROM ${SERVED_ROWS}) AS "rows", ${gone} AS gone`,
  };
}
