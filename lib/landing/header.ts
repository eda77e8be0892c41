import { parse } from 'csv-parse/sync';
import type { SourceFormat } from '../core/spec.ts';
import { firstBytes } from './inflate.ts';

export type Header =
  | { readonly kind: 'header'; readonly names: readonly string[] }
  | { readonly kind: 'damaged'; readonly reason: string };

const ENCODINGS = { 'utf-8': 'utf-8', 'utf-16': 'utf-16le', 'latin-1': 'latin1' } as const;
const LONGEST_HEADER = 1024 * 1024;

/** The first record of a CSV file: its column names as written, a byte order mark removed. */
export async function readHeader(path: string, format: Extract<SourceFormat, { kind: 'csv' }>): Promise<Header> {
  const text = new TextDecoder(ENCODINGS[format.encoding]).decode(await firstBytes(path, LONGEST_HEADER));
  const names = parseFirstRecord(text, format);
  if (names === undefined)
    return { kind: 'damaged', reason: 'the first record is not a CSV header that ends within 1 MiB' };
  const broken = names.find((name) => name.includes('\ufffd'));
  if (broken !== undefined)
    return { kind: 'damaged', reason: `the header is not ${format.encoding}: ${JSON.stringify(broken)}` };
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) return { kind: 'damaged', reason: `the header names column ${JSON.stringify(twice)} twice` };
  return { kind: 'header', names };
}

function parseFirstRecord(text: string, format: Extract<SourceFormat, { kind: 'csv' }>): readonly string[] | undefined {
  try {
    const records: string[][] = parse(text, {
      to: 1,
      delimiter: format.delimiter,
      quote: format.quote === '' ? false : format.quote,
      escape: format.escape === '' ? null : format.escape,
      relax_column_count: true,
      relax_quotes: true,
    });
    return records[0];
  } catch {
    return undefined;
  }
}
