import { cellText } from '../core/cell-text.ts';
import type { GivenRow } from '../core/model-test.ts';
import type { Sql, SqlName } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column, ColumnType } from '../core/types.ts';
import { join, sql } from './fragment.ts';
import { parseColumn } from './parse-column.ts';
import { ownName, quoteName, quotePath, quoteText } from './quote.ts';

/** The place of a given row, from 0. */
const NTH = ownName('__nth');

/** Rows as they were written in a test, as a relation of typed columns in their order. A value that does not fit is NULL. */
export function renderGiven(columns: readonly Column[], rows: readonly GivenRow[]): Sql {
  const names = join(columns.map(({ name }) => quoteName(name)));
  return sql`(SELECT ${names} FROM ${renderTyped(columns, rows)} ORDER BY ${NTH})`;
}

/** `nth`, `misfits`: the rows with values that do not fit their columns, and the places of these columns. */
export function findMisfits(columns: readonly Column[], rows: readonly GivenRow[]): Statement {
  const each = columns.map((column, i) => {
    const { exact } = parseColumn(contractOf(column), rawName(i), undefined);
    return sql`CASE WHEN ${rawName(i)} IS NOT NULL AND NOT COALESCE(${exact}, false) THEN ${i} END`;
  });
  const text = sql`SELECT nth, misfits FROM (
  SELECT ${NTH} AS nth, list_filter([${join(each)}], lambda place: place IS NOT NULL) AS misfits FROM ${renderTyped(columns, rows)}
) WHERE len(misfits) > 0 ORDER BY nth`;
  return { name: 'given rows', text };
}

function renderTyped(columns: readonly Column[], rows: readonly GivenRow[]): Sql {
  const raw = columns.map((_, i) => rawName(i));
  const typed = columns.map((column, i) => {
    const { value } = parseColumn(contractOf(column), rawName(i), undefined);
    return sql`${value} AS ${quoteName(column.name)}`;
  });
  return sql`(SELECT *, ${join(typed)} FROM ${renderValues(columns, rows)} AS given(${join([NTH, ...raw])}))`;
}

function renderValues(columns: readonly Column[], rows: readonly GivenRow[]): Sql {
  const nothing = join(columns.map(() => NO_TEXT));
  if (rows.length === 0) return sql`(SELECT 0, ${nothing} WHERE false)`;
  const lines = rows.map((row, nth) => sql`(${join([nth, ...columns.map(({ name }) => renderText(row, name))])})`);
  return sql`(VALUES ${join(lines)})`;
}

const NO_TEXT = sql`CAST(NULL AS VARCHAR)`;

function renderText(row: GivenRow, name: string): Sql {
  const text = cellText(row.get(name));
  return text === null ? NO_TEXT : quoteText(text);
}

function rawName(index: number): SqlName {
  return ownName(`__c${index}`);
}

function contractOf({ name, type }: Column): Parameters<typeof parseColumn>[0] {
  return { source: name, name, type, parse: { kind: 'auto' }, required: false, checks: [] };
}

/**
 * Rows of a relation as texts by which they are compared, in the relation's order. Floating point numbers count to 12
 * digits (6 for float): what sums of them have beyond that depends on the order of the rows.
 */
function selectTexts(relation: Sql, columns: readonly Column[]): Statement {
  const each = columns.map(({ name, type }) => sql`${renderComparable(quoteName(name), type)} AS ${quoteName(name)}`);
  return { name: 'rows to compare', text: sql`SELECT ${join(each)} FROM ${relation}` };
}

function renderComparable(name: SqlName, type: ColumnType): Sql {
  if (type.kind !== 'float' && type.kind !== 'double') return sql`CAST(${name} AS VARCHAR)`;
  const digits = type.kind === 'float' ? 6 : 12;
  return sql`CASE WHEN isfinite(${name}) THEN printf(${quoteText(`%.${digits}g`)}, ${name} + 0) ELSE CAST(${name} AS VARCHAR) END`;
}

/** The rows of a table of a session, as texts by which they are compared. */
export function selectTableTexts(layer: string, table: string, columns: readonly Column[]): Statement {
  return selectTexts(quotePath(layer, table), columns);
}

/** Given rows as the texts that the rows of a table with these columns would have. */
export function selectGivenTexts(columns: readonly Column[], rows: readonly GivenRow[]): Statement {
  return selectTexts(renderGiven(columns, rows), columns);
}

/** Writes given rows as one Parquet file. */
export function copyGiven(columns: readonly Column[], rows: readonly GivenRow[], path: string): Statement {
  return { name: 'given file', text: sql`COPY ${renderGiven(columns, rows)} TO ${quoteText(path)} (FORMAT parquet)` };
}

/** The rows that a run has rejected, of `ops.quarantine`, in the order of file and line. */
export function selectRejected(runId: string): Statement {
  return {
    name: 'rejected rows',
    text: sql`SELECT source, source_file, line, codes, details, raw, status, attempt, business_key FROM ops.quarantine WHERE run_id = ${quoteText(runId)} ORDER BY source_file, line`,
  };
}
