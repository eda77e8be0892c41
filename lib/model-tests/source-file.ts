import { cellJson, cellText } from '../core/cell-text.ts';
import type { GivenFile, GivenRow } from '../core/model-test.ts';
import { nameInFile } from '../core/renames.ts';
import type { SourceFormat, SourceSpec } from '../core/spec.ts';

type CsvFormat = Extract<SourceFormat, { kind: 'csv' }>;
type JsonFormat = Extract<SourceFormat, { kind: 'json' }>;

/** A file as it lands, and the `line` by which the quarantine knows each of its rows. */
export type SourceFile = { readonly bytes: Uint8Array; readonly lines: readonly number[] };

/**
 * The columns of a file: all of the contract, and those that only its rows have. A column that rows have by a former name is
 * there by that, and one with a default, which no row names, is not there.
 */
export function fileColumns(source: SourceSpec, rows: readonly GivenRow[]): readonly string[] {
  const named = new Set(rows.flatMap((row) => [...row.keys()]));
  const positions = source.format.kind === 'csv' && !source.format.header;
  const own = source.columns.filter((column) => {
    if (positions || named.has(column.source)) return true;
    return column.default === undefined && nameInFile(column, [...named]) === undefined;
  });
  return [...new Set([...own.map((column) => column.source), ...named])];
}

/** Writes what a test gives for a source in the source's format. Parquet is the engine's to write. */
export function renderSourceFile(source: SourceSpec, file: GivenFile, format: CsvFormat | JsonFormat): SourceFile {
  if (file.kind === 'text') return { bytes: encode(file.text, format), lines: [] };
  const records =
    format.kind === 'csv'
      ? csvRecords(fileColumns(source, file.rows), file.rows, format)
      : file.rows.map((row) => cellJson({ kind: 'struct', fields: [...row] }));
  const header = format.kind === 'csv' && format.header ? 1 : 0;
  const array = format.kind === 'json' && format.layout === 'array';
  const text = array ? `[\n${records.join(',\n')}\n]\n` : `${records.join('\n')}\n`;
  return {
    bytes: encode(text, format),
    lines: array ? file.rows.map((_, nth) => nth + 1) : linesOf(records).slice(header),
  };
}

/** On which line each record begins; a value may have line breaks. */
function linesOf(records: readonly string[]): readonly number[] {
  let line = 1;
  return records.map((record) => {
    const first = line;
    line += record.split(/\r\n|\r|\n/).length;
    return first;
  });
}

function csvRecords(columns: readonly string[], rows: readonly GivenRow[], format: CsvFormat): readonly string[] {
  const record = (texts: readonly (string | null)[]): string =>
    texts.map((text) => field(text, format)).join(format.delimiter);
  const lines = rows.map((row) => record(columns.map((name) => cellText(row.get(name)))));
  return format.header ? [record(columns), ...lines] : lines;
}

/** Null is the text that stands for it, bare; every other text is quoted where it needs to be. */
function field(text: string | null, { delimiter, quote, nullText, ...format }: CsvFormat): string {
  if (text === null) return nullText[0] ?? '';
  if (quote === '') return text;
  const special = [delimiter, quote, format.escape, '\n', '\r'].filter((mark) => mark !== '');
  const bare = text !== '' && !nullText.includes(text) && text.trim() === text;
  if (bare && !special.some((mark) => text.includes(mark))) return text;
  const mark = format.escape === '' ? quote : format.escape;
  const escaped = mark === quote ? text : text.replaceAll(mark, mark + mark);
  return `${quote}${escaped.replaceAll(quote, mark + quote)}${quote}`;
}

function encode(text: string, format: CsvFormat | JsonFormat): Uint8Array {
  const encoding = format.kind === 'csv' ? format.encoding : 'utf-8';
  if (encoding === 'latin-1') return Buffer.from(text, 'latin1');
  return encoding === 'utf-16' ? Buffer.from(`\uFEFF${text}`, 'utf16le') : Buffer.from(text, 'utf8');
}
