import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { SourceFormat } from '../core/spec.ts';
import { type CsvFormat, hasForeignEscapes, readingDialect } from '../sql/csv-dialect.ts';
import { dialectOf } from './dialect.ts';
import { type FileHead, passFile, readBytes, readChunks, readHead } from './file-bytes.ts';
import { inflate } from './inflate.ts';
import { LONGEST_RECORD, tooLongRecord } from './limits.ts';
import { createRecordScanner, type RecordScan, type ScanListener } from './record-scanner.ts';
import { createUnescaper } from './unescape.ts';

export type TextFormat = Exclude<SourceFormat, { kind: 'parquet' }>;

/** A landed text file as plain UTF-8 with one kind of line break, and what its bytes say about its records. */
export type TextFile =
  | {
      readonly kind: 'text';
      readonly path: string;
      readonly bytes: number;
      readonly scan: RecordScan;
      /** The first line or record. */
      readonly first: Uint8Array;
      readonly openQuote: OpenQuote | undefined;
    }
  | Damaged;

/** A record whose quote is never closed: the line on which it begins, and its text, which is the rest of the file. */
export type OpenQuote = { readonly line: number; readonly text: string };

type Damaged = { readonly kind: 'damaged'; readonly reason: string; readonly tooLarge?: true };
type Plain = { readonly kind: 'plain'; readonly file: FileHead };

/** The longest text of a record that quarantine keeps, in bytes. */
export const LONGEST_OPEN_QUOTE = 1_000_000;

const LF = 0x0a;
/** Browsers and Windows read latin-1 as windows-1252, its superset without control characters. */
export const LATIN1 = 'windows-1252';
export const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Brings a landed file into the one form that DuckDB reads without surprises: inflated, UTF-8, one kind of line break.
 * Copies go to `<scratch path>.*`; a file that has this form is left where it is.
 */
export async function openTextFile(path: string, format: TextFormat, scratch: string): Promise<TextFile> {
  const plain = await openPlain(path, format, scratch);
  if (plain.kind === 'damaged') return plain;
  if (format.kind === 'json' || !hasForeignEscapes(format)) return scanTextFile(plain.file, format, scratch, undefined);
  await pipeline(unescaped(plain.file, format), createWriteStream(`${scratch}.unescaped`));
  const copy = await readHead(`${scratch}.unescaped`);
  return copy === undefined ? damaged('not a file') : scanTextFile(copy, readingDialect(format), scratch, undefined);
}

async function* unescaped(file: FileHead, format: CsvFormat): AsyncGenerator<Uint8Array> {
  const unescaper = createUnescaper(format);
  for await (const chunk of readChunks(file, bomBytes(file))) yield unescaper.push(chunk);
  yield unescaper.end();
}

/** A landed file inflated and in UTF-8, its line breaks as they are. */
export async function openPlain(path: string, format: TextFormat, scratch: string): Promise<Plain | Damaged> {
  const landed = await readHead(path);
  if (landed === undefined) return damaged('not a file');
  const inflated = await inflate(landed, `${scratch}.inflated`);
  if (inflated.kind === 'damaged') return inflated;
  const file = inflated.kind === 'inflated' ? await readHead(`${scratch}.inflated`) : landed;
  if (file === undefined || file.size === 0) return damaged('the file is empty (0 bytes)');
  return decode(file, format, `${scratch}.decoded`);
}

async function scanTextFile(
  file: FileHead,
  format: TextFormat,
  scratch: string,
  openQuote: OpenQuote | undefined,
): Promise<TextFile> {
  const scan = await findRecords(file, format, {});
  if (scan.openQuote !== undefined) return closeQuote(file, format, scratch, scan.openQuote);
  if (scan.longest > LONGEST_RECORD) {
    return { ...damaged(tooLongRecord(scan.longest)), tooLarge: true };
  }
  const start = bomBytes(file);
  const first = await readBytes(file, start, start + scan.firstEnd);
  if (scan.breaks === 'lf') return { kind: 'text', path: file.path, bytes: file.size, scan, first, openQuote };
  const path = `${scratch}.lines`;
  await pipeline(unifyBreaks(file, format), createWriteStream(path));
  return { kind: 'text', path, bytes: file.size, scan, first, openQuote };
}

/**
 * What follows a quote that is never closed cannot be told apart. DuckDB drops such a record in some cases and refuses
 * it in others, so it is read from a copy in which a record stands in its place that is refused in all.
 */
async function closeQuote(
  file: FileHead,
  format: TextFormat,
  scratch: string,
  { line, offset }: { readonly line: number; readonly offset: number },
): Promise<TextFile> {
  const start = bomBytes(file) + offset;
  const rest = file.size - start;
  if (format.kind !== 'csv' || (format.header && offset === 0) || rest > LONGEST_OPEN_QUOTE) {
    return damaged(neverClosed(line, rest));
  }
  const text = (await readBytes(file, start, file.size)).toString();
  const path = `${scratch}.closed`;
  await pipeline(replaceRest(file.path, start, `${format.quote}x${format.quote}x`), createWriteStream(path));
  const closed = await readHead(path);
  return closed === undefined ? damaged('not a file') : scanTextFile(closed, format, scratch, { line, text });
}

export function neverClosed(line: number, rest: number): string {
  return `line ${line}: a quote is never closed; ${rest} bytes follow`;
}

async function* replaceRest(path: string, start: number, replacement: string): AsyncGenerator<Buffer> {
  if (start > 0) yield* createReadStream(path, { end: start - 1 });
  yield Buffer.from(replacement);
}

/** Reads a plain UTF-8 file once and finds its records; a byte order mark is no part of the first. */
export async function scanRecords(path: string, format: TextFormat, listener: ScanListener): Promise<RecordScan> {
  const file = await readHead(path);
  if (file === undefined) throw new RangeError(`${path} is not a file`);
  return findRecords(file, format, listener);
}

async function findRecords(file: FileHead, format: TextFormat, listener: ScanListener): Promise<RecordScan> {
  const scanner = createRecordScanner(dialectOf(format), listener);
  const start = bomBytes(file);
  if (file.size <= file.head.length) scanner.push(file.head.subarray(start));
  else await passFile(file.path, start, Number.POSITIVE_INFINITY, (bytes) => scanner.push(bytes));
  return scanner.end();
}

/** How many bytes of a file are a byte order mark: 0 or 3. */
export function bomBytes(file: FileHead): number {
  return bomIn(file.head);
}

export function bomIn(head: Buffer): number {
  return head.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
}

/**
 * A copy in which every record ends in a line feed. DuckDB takes the first line break that it sees for all others, and
 * loses records of files with several kinds, or in CRLF where the last line has too few fields.
 */
async function* unifyBreaks(file: FileHead, format: TextFormat): AsyncGenerator<Uint8Array> {
  let out = Buffer.alloc(0);
  let at = 0;
  const copy = (bytes: Uint8Array, ended: boolean): void => {
    out.set(bytes, at);
    at += bytes.length;
    if (ended) at = out.writeUInt8(LF, at);
  };
  const scanner = createRecordScanner(dialectOf(format), { copy });
  for await (const chunk of readChunks(file, bomBytes(file))) {
    // Every line break of the chunk is at least as long as the line feed for it.
    out = Buffer.allocUnsafe(chunk.length);
    at = 0;
    scanner.push(chunk);
    yield out.subarray(0, at);
  }
}

async function decode(file: FileHead, format: TextFormat, target: string): Promise<Plain | Damaged> {
  const utf16 = utf16Mark(file.head);
  const declared = format.kind === 'csv' ? format.encoding : 'utf-8';
  if (declared === 'utf-8') {
    if (utf16 === undefined) return { kind: 'plain', file };
    return damaged(otherMark(utf16));
  }
  const label = declared === 'utf-16' ? (utf16 ?? 'utf-16le') : LATIN1;
  try {
    await pipeline(decoded(file, label), createWriteStream(target));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    return damaged(notDecodable(declared, cause));
  }
  const plain = await readHead(target);
  return plain === undefined ? damaged('not a file') : { kind: 'plain', file: plain };
}

/** Which UTF-16 a text says that it is. */
export function utf16Mark(head: Buffer): string | undefined {
  return { fffe: 'utf-16le', feff: 'utf-16be' }[head.subarray(0, 2).toString('hex')];
}

export function otherMark(utf16: string): string {
  return `the file begins with the byte order mark of ${utf16}; expected utf-8`;
}

export function notDecodable(declared: string, cause: TypeError): string {
  return `the file is not ${declared}: ${cause.message}`;
}

async function* decoded(file: FileHead, label: string): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder(label, { fatal: true });
  for await (const chunk of createReadStream(file.path)) {
    yield Buffer.from(decoder.decode(chunk as Buffer, { stream: true }));
  }
  yield Buffer.from(decoder.decode());
}

function damaged(reason: string): Damaged {
  return { kind: 'damaged', reason };
}
