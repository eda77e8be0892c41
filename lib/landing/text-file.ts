import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { SourceFormat } from '../core/spec.ts';
import { dialectOf } from './dialect.ts';
import { firstBytes, inflate } from './inflate.ts';
import { createRecordScanner, type RecordScan, type ScanListener } from './record-scanner.ts';

export type TextFormat = Exclude<SourceFormat, { kind: 'parquet' }>;

/** A landed text file as plain UTF-8 with one kind of line break, and what its bytes say about its records. */
export type TextFile =
  | { readonly kind: 'text'; readonly path: string; readonly scan: RecordScan }
  | { readonly kind: 'damaged'; readonly reason: string };

type Plain = { readonly kind: 'plain'; readonly path: string } | { readonly kind: 'damaged'; readonly reason: string };

/** The longest record that a unit's memory has room for, in bytes. */
export const LONGEST_RECORD = 128 * 1024 * 1024;

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);
const READ_BYTES = 1024 * 1024;

/**
 * Brings a landed file into the one form that DuckDB reads without surprises: inflated, UTF-8, one kind of line break.
 * Copies go to `<scratch path>.*`; a file that has this form is left where it is.
 */
export async function openTextFile(path: string, format: TextFormat, scratch: string): Promise<TextFile> {
  const inflated = await inflate(path, `${scratch}.inflated`);
  if (inflated.kind === 'damaged') return inflated;
  const plain = inflated.kind === 'inflated' ? `${scratch}.inflated` : path;
  if ((await stat(plain)).size === 0) return { kind: 'damaged', reason: 'the file is empty (0 bytes)' };
  const decoded = await decode(plain, format, `${scratch}.decoded`);
  if (decoded.kind === 'damaged') return decoded;
  const scan = await scanRecords(decoded.path, format);
  if (scan.longest > LONGEST_RECORD) return { kind: 'damaged', reason: tooLong(scan) };
  if (scan.breaks !== 'mixed') return { kind: 'text', path: decoded.path, scan };
  const target = `${scratch}.lines`;
  await pipeline(unifyBreaks(decoded.path, format), createWriteStream(target));
  return { kind: 'text', path: target, scan: { ...scan, breaks: 'lf' } };
}

/** Reads a plain UTF-8 file once and finds its records; a byte order mark is no part of the first. */
export async function scanRecords(path: string, format: TextFormat, listener: ScanListener = {}): Promise<RecordScan> {
  const scanner = createRecordScanner(dialectOf(format), listener);
  for await (const chunk of withoutBom(path)) scanner.push(chunk);
  return scanner.end();
}

/** How many bytes of a plain UTF-8 file are a byte order mark: 0 or 3. */
export async function bomBytes(path: string): Promise<number> {
  return (await firstBytes(path, BOM.length)).equals(BOM) ? BOM.length : 0;
}

async function* withoutBom(path: string): AsyncGenerator<Buffer> {
  yield* createReadStream(path, { start: await bomBytes(path), highWaterMark: READ_BYTES });
}

/** DuckDB takes the first line break for all of them, and may then see no record at all. */
async function* unifyBreaks(path: string, format: TextFormat): AsyncGenerator<Uint8Array> {
  const lineFeed = Uint8Array.of(0x0a);
  let pieces: Uint8Array[] = [];
  const copy = (bytes: Uint8Array, ended: boolean): void => {
    pieces.push(bytes);
    if (ended) pieces.push(lineFeed);
  };
  const scanner = createRecordScanner(dialectOf(format), { copy });
  for await (const chunk of withoutBom(path)) {
    scanner.push(chunk);
    yield Buffer.concat(pieces);
    pieces = [];
  }
}

async function decode(path: string, format: TextFormat, target: string): Promise<Plain> {
  const start = await firstBytes(path, 2);
  const utf16 = { fffe: 'utf-16le', feff: 'utf-16be' }[start.toString('hex')];
  const declared = format.kind === 'csv' ? format.encoding : 'utf-8';
  if (declared === 'utf-8') {
    if (utf16 === undefined) return { kind: 'plain', path };
    return { kind: 'damaged', reason: `the file begins with the byte order mark of ${utf16}; expected utf-8` };
  }
  // Browsers and Windows read latin-1 as windows-1252, its superset without control characters.
  const label = declared === 'utf-16' ? (utf16 ?? 'utf-16le') : 'windows-1252';
  try {
    await pipeline(decoded(path, label), createWriteStream(target));
    return { kind: 'plain', path: target };
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    await rm(target, { force: true });
    return { kind: 'damaged', reason: `the file is not ${declared}: ${cause.message}` };
  }
}

async function* decoded(path: string, label: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(label, { fatal: true });
  for await (const chunk of createReadStream(path, { highWaterMark: READ_BYTES })) {
    yield Buffer.from(decoder.decode(chunk as Buffer, { stream: true }));
  }
  yield Buffer.from(decoder.decode());
}

function tooLong(scan: RecordScan): string {
  const limit = `a record is ${scan.longest} bytes long; at most ${LONGEST_RECORD} are read`;
  return scan.openQuote === undefined ? limit : `line ${scan.openQuote}: a quote is never closed, and ${limit}`;
}
