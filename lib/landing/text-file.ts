import { createReadStream, createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { SourceFormat } from '../core/spec.ts';
import { dialectOf } from './dialect.ts';
import { type FileHead, readBytes, readChunks, readHead } from './file-bytes.ts';
import { inflate } from './inflate.ts';
import { createRecordScanner, type RecordScan, type ScanListener } from './record-scanner.ts';

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
    }
  | Damaged;

type Damaged = { readonly kind: 'damaged'; readonly reason: string };
type Plain = { readonly kind: 'plain'; readonly file: FileHead };

/** The longest record that a unit's memory has room for, in bytes. */
export const LONGEST_RECORD = 128 * 1024 * 1024;

const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Brings a landed file into the one form that DuckDB reads without surprises: inflated, UTF-8, one kind of line break.
 * Copies go to `<scratch path>.*`; a file that has this form is left where it is.
 */
export async function openTextFile(path: string, format: TextFormat, scratch: string): Promise<TextFile> {
  const landed = await readHead(path);
  if (landed === undefined) return damaged('not a file');
  const inflated = await inflate(landed, `${scratch}.inflated`);
  if (inflated.kind === 'damaged') return inflated;
  const file = inflated.kind === 'inflated' ? await readHead(`${scratch}.inflated`) : landed;
  if (file === undefined || file.size === 0) return damaged('the file is empty (0 bytes)');
  const decoded = await decode(file, format, `${scratch}.decoded`);
  return decoded.kind === 'damaged' ? decoded : scanTextFile(decoded.file, format, `${scratch}.lines`);
}

async function scanTextFile(file: FileHead, format: TextFormat, target: string): Promise<TextFile> {
  const scan = await findRecords(file, format, {});
  if (scan.longest > LONGEST_RECORD) return damaged(tooLong(scan));
  const start = bomBytes(file);
  const first = await readBytes(file, start, start + scan.firstEnd);
  if (scan.breaks !== 'mixed') return { kind: 'text', path: file.path, bytes: file.size, scan, first };
  await pipeline(unifyBreaks(file, format), createWriteStream(target));
  return { kind: 'text', path: target, bytes: file.size, scan: { ...scan, breaks: 'lf' }, first };
}

/** Reads a plain UTF-8 file once and finds its records; a byte order mark is no part of the first. */
export async function scanRecords(path: string, format: TextFormat, listener: ScanListener): Promise<RecordScan> {
  const file = await readHead(path);
  if (file === undefined) throw new RangeError(`${path} is not a file`);
  return findRecords(file, format, listener);
}

async function findRecords(file: FileHead, format: TextFormat, listener: ScanListener): Promise<RecordScan> {
  const scanner = createRecordScanner(dialectOf(format), listener);
  for await (const chunk of readChunks(file, bomBytes(file))) scanner.push(chunk);
  return scanner.end();
}

/** How many bytes of a file are a byte order mark: 0 or 3. */
function bomBytes(file: FileHead): number {
  return file.head.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
}

/** DuckDB takes the first line break for all of them, and may then see no record at all. */
async function* unifyBreaks(file: FileHead, format: TextFormat): AsyncGenerator<Uint8Array> {
  const lineFeed = Uint8Array.of(0x0a);
  let pieces: Uint8Array[] = [];
  const copy = (bytes: Uint8Array, ended: boolean): void => {
    pieces.push(bytes);
    if (ended) pieces.push(lineFeed);
  };
  const scanner = createRecordScanner(dialectOf(format), { copy });
  for await (const chunk of readChunks(file, bomBytes(file))) {
    scanner.push(chunk);
    yield Buffer.concat(pieces);
    pieces = [];
  }
}

async function decode(file: FileHead, format: TextFormat, target: string): Promise<Plain | Damaged> {
  const utf16 = { fffe: 'utf-16le', feff: 'utf-16be' }[file.head.subarray(0, 2).toString('hex')];
  const declared = format.kind === 'csv' ? format.encoding : 'utf-8';
  if (declared === 'utf-8') {
    if (utf16 === undefined) return { kind: 'plain', file };
    return damaged(`the file begins with the byte order mark of ${utf16}; expected utf-8`);
  }
  // Browsers and Windows read latin-1 as windows-1252, its superset without control characters.
  const label = declared === 'utf-16' ? (utf16 ?? 'utf-16le') : 'windows-1252';
  try {
    await pipeline(decoded(file, label), createWriteStream(target));
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    return damaged(`the file is not ${declared}: ${cause.message}`);
  }
  const plain = await readHead(target);
  return plain === undefined ? damaged('not a file') : { kind: 'plain', file: plain };
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

function tooLong(scan: RecordScan): string {
  const limit = `a record is ${scan.longest} bytes long; at most ${LONGEST_RECORD} are read`;
  return scan.openQuote === undefined ? limit : `line ${scan.openQuote}: a quote is never closed, and ${limit}`;
}
