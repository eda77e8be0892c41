import { parse } from 'csv-parse/sync';
import type { SourceFormat } from '../core/spec.ts';
import { tooManyColumns } from './limits.ts';

export type Header =
  | { readonly kind: 'header'; readonly names: readonly string[] }
  | { readonly kind: 'damaged'; readonly reason: string };

type Csv = Extract<SourceFormat, { kind: 'csv' }>;

/** The column names as written in the first record of a CSV file. The record has to be free of any doubt. */
export function parseHeader(first: Uint8Array, format: Csv): Header {
  const text = decodeStrictly(first);
  if (text === undefined) return damaged(`the header is not ${format.encoding}`);
  if (text.includes('\0')) return damaged(`the header holds NUL bytes; is the file ${format.encoding} text?`);
  if (text.trim() === '') return damaged('the first line is blank; expected the column names');
  const names = parseRecord(text, format);
  if (names === undefined) return damaged(`the header is not one CSV record: ${JSON.stringify(text.slice(0, 200))}`);
  const many = tooManyColumns(names.length);
  if (many !== undefined) return damaged(many);
  const seen = new Set<string>();
  const twice = names.find((name) => seen.size === seen.add(name).size);
  if (twice !== undefined) return damaged(`the header names column ${JSON.stringify(twice)} twice`);
  return { kind: 'header', names };
}

function decodeStrictly(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function parseRecord(text: string, format: Csv): readonly string[] | undefined {
  try {
    const records: string[][] = parse(text, {
      delimiter: format.delimiter,
      quote: format.quote === '' ? null : format.quote,
      escape: format.escape === '' ? null : format.escape,
      record_delimiter: ['\n', '\r\n', '\r'],
      relax_column_count: true,
    });
    return records.length === 1 ? records[0] : undefined;
  } catch {
    return undefined;
  }
}

function damaged(what: string): Header {
  return { kind: 'damaged', reason: `line 1: ${what}` };
}
