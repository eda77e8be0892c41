import { stringify } from 'csv-stringify/sync';
import type { Row } from '../../ports.ts';
import { columnsOf, type ResultColumn, textOf } from './rows.ts';

/**
 * Rows as CSV by RFC 4180: a header, CRLF after every record, quotes where a comma, a quote, a line break or an outer
 * space asks for them. Null is empty text and an empty string is `""`, so that the two stay apart; nested values are JSON.
 */
export function renderCsv(rows: readonly Row[], columns: readonly ResultColumn[] = columnsOf(rows)): string {
  return toCsv([columns.map((column) => column.name)]) + renderCsvRecords(rows, columns);
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
