import { cellText } from '../core/cell-text.ts';
import type { GivenRow } from '../core/model-test.ts';
import type { Statement } from '../core/statement.ts';
import type { Column, ColumnType } from '../core/types.ts';
import { parseColumn } from './parse-column.ts';
import { quoteName, quotePath, quoteText } from './quote.ts';

/** The place of a given row, from 0. */
const NTH = '__nth';

/** Rows as they were written in a test, as a relation of typed columns in their order. A value that does not fit is NULL. */
export function renderGiven(columns: readonly Column[], rows: readonly GivenRow[]): string {
  const names = columns.map(({ name }) => quoteName(name)).join(', ');
  return `(SELECT ${names} FROM ${renderTyped(columns, rows)} ORDER BY ${NTH})`;
}

/** `nth`, `misfits`: the rows with values that do not fit their columns, and the places of these columns. */
export function findMisfits(columns: readonly Column[], rows: readonly GivenRow[]): Statement {
  const each = columns.map((column, i) => {
    const { exact } = parseColumn(contractOf(column), rawName(i), undefined);
    return `CASE WHEN ${rawName(i)} IS NOT NULL AND NOT COALESCE(${exact}, false) THEN ${i} END`;
  });
  const text = `SELECT nth, misfits FROM (
  SELECT ${NTH} AS nth, list_filter([${each.join(', ')}], lambda place: place IS NOT NULL) AS misfits FROM ${renderTyped(columns, rows)}
) WHERE len(misfits) > 0 ORDER BY nth`;
  return { name: 'given rows', text };
}

function renderTyped(columns: readonly Column[], rows: readonly GivenRow[]): string {
  const raw = columns.map((_, i) => rawName(i));
  const typed = columns.map((column, i) => {
    const { value } = parseColumn(contractOf(column), rawName(i), undefined);
    return `${value} AS ${quoteName(column.name)}`;
  });
  return `(SELECT *, ${typed.join(', ')} FROM ${renderValues(columns, rows)} AS given(${[NTH, ...raw].join(', ')}))`;
}

function renderValues(columns: readonly Column[], rows: readonly GivenRow[]): string {
  const nothing = columns.map(() => 'CAST(NULL AS VARCHAR)').join(', ');
  if (rows.length === 0) return `(SELECT 0, ${nothing} WHERE false)`;
  const lines = rows.map((row, nth) => `(${[nth, ...columns.map(({ name }) => renderText(row, name))].join(', ')})`);
  return `(VALUES ${lines.join(',\n')})`;
}

function renderText(row: GivenRow, name: string): string {
  const text = cellText(row.get(name));
  return text === null ? 'CAST(NULL AS VARCHAR)' : quoteText(text);
}

function rawName(index: number): string {
  return `__c${index}`;
}

function contractOf({ name, type }: Column): Parameters<typeof parseColumn>[0] {
  return { source: name, name, type, parse: { kind: 'auto' }, required: false, checks: [] };
}

/**
 * Rows of a relation as texts by which they are compared, in the relation's order. Floating point numbers count to 12
 * digits (6 for float): what sums of them have beyond that depends on the order of the rows.
 */
function selectTexts(relation: string, columns: readonly Column[]): Statement {
  const each = columns.map(({ name, type }) => `${renderComparable(quoteName(name), type)} AS ${quoteName(name)}`);
  return { name: 'rows to compare', text: `SELECT ${each.join(', ')} FROM ${relation}` };
}

function renderComparable(name: string, type: ColumnType): string {
  if (type.kind !== 'float' && type.kind !== 'double') return `CAST(${name} AS VARCHAR)`;
  const digits = type.kind === 'float' ? 6 : 12;
  return `CASE WHEN isfinite(${name}) THEN printf('%.${digits}g', ${name} + 0) ELSE CAST(${name} AS VARCHAR) END`;
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
  return { name: 'given file', text: `COPY ${renderGiven(columns, rows)} TO ${quoteText(path)} (FORMAT parquet)` };
}

/** The rows that a run has rejected, of `ops.quarantine`, in the order of file and line. */
export function selectRejected(runId: string): Statement {
  return {
    name: 'rejected rows',
    text: `SELECT source, source_file, line, codes, details, raw, status, attempt, business_key FROM ops.quarantine WHERE run_id = ${quoteText(runId)} ORDER BY source_file, line`,
  };
}
