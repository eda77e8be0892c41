import { stringify } from 'csv-stringify/sync';
import type { JsonValue, Row } from '../../ports.ts';
import { columnsOf, isNumberType, type ResultColumn, textOf } from './rows.ts';

/**
 * Rows as CSV by RFC 4180: a header, CRLF after every record, quotes where a comma, a quote, a line break or an outer
 * space asks for them. Null is empty text and an empty string is `""`, so that the two stay apart; nested values are JSON.
 */
export function renderCsv(rows: readonly Row[], columns: readonly ResultColumn[] = columnsOf(rows)): string {
  return toCsv([columns.map((column) => column.name)]) + renderCsvRecords(rows, columns);
}

/**
 * The same for spreadsheets, which take text that begins with one of `= + - @`, a tab or a carriage return for a formula:
 * such a cell begins with an apostrophe. Numbers of a column of numbers stay.
 */
export const SAFE_CSV = {
  header: (columns: readonly ResultColumn[]): string => toCsv([columns.map((column) => disarmed(column.name))]),
  records: (rows: readonly Row[], columns: readonly ResultColumn[]): string => {
    const cells = columns.map((column) => (isNumberType(column.type) ? textOf : disarmedCell));
    return toCsv(rows.map((row) => columns.map((column, at) => cells[at]?.(row[column.name]) ?? null)));
  },
};

function disarmedCell(value: JsonValue | undefined): string | undefined {
  const text = textOf(value);
  return text === undefined ? undefined : disarmed(text);
}

/** The wide forms of the signs are taken for them in some languages. Source: owasp.org/www-community/attacks/CSV_Injection */
function disarmed(text: string): string {
  return /^[=+\-@\t\r\n\uFF1D\uFF0B\uFF0D\uFF20]/.test(text) ? `'${text}` : text;
}

/** The same records without a header, for rows that come in parts. */
export function renderCsvRecords(rows: readonly Row[], columns: readonly ResultColumn[]): string {
  return toCsv(rows.map((row) => columns.map((column) => textOf(row[column.name]) ?? null)));
}

function toCsv(records: readonly (readonly (string | null)[])[]): string {
  return stringify([...records], {
    record_delimiter: '\r\n',
    quoted_match: /[\r\n]|^\s|\s$/,
    cast: { string: (value) => (value === '' ? { value, quoted_empty: true } : value) },
  });
}
