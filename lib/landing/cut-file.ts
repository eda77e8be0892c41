import type { FilePiece } from '../core/file-piece.ts';

import type { SourceFormat } from '../core/spec.ts';
import { hasForeignEscapes } from '../sql/csv-dialect.ts';
import { type ByteSource, readWhole } from './byte-source.ts';
import type { Cut } from './cut.ts';
import { type Dialect, dialectOf } from './dialect.ts';
import { containerOf } from './inflate.ts';
import { LONGEST_RECORD, tooLongRecord } from './limits.ts';
import { cutParquet } from './parquet/pieces.ts';
import { createRecordScanner } from './record-scanner.ts';
import { type FileScan, scanInRanges } from './scan-ranges.ts';
import { BOM, bomIn, LATIN1, LONGEST_OPEN_QUOTE, neverClosed, type TextFormat } from './text-file.ts';

/** Cuts a landed file into parts of about `bytes`, where records begin. */
export async function cutFile(source: ByteSource, format: SourceFormat, bytes: number): Promise<Cut> {
  if (format.kind === 'parquet') return cutParquet(source, bytes);
  const head = await readWhole(source, 0, BOM.length + 5);
  const container = containerOf(head);
  if (container !== 'plain') return { kind: container === 'compressed' ? 'in turn' : 'whole' };
  const dialect = cuttableDialect(format);
  if (dialect === undefined) return { kind: 'in turn' };
  const start = isLatin1(format) ? 0 : bomIn(head);
  const scan = await scanInRanges(source, dialect, { start, rangeBytes: bytes, longestLine: LONGEST_RECORD });
  return refuse(scan, source.size) ?? piecesOf(source, format, dialect, { start, scan });
}

/** As a file that is read whole would be. */
function refuse(scan: FileScan | undefined, size: number): Cut | undefined {
  if (scan === undefined) return { kind: 'refused', code: 'FILE_TOO_LARGE', reason: tooLongRecord(undefined) };
  const { longest, openQuote } = scan;
  const rest = openQuote === undefined ? 0 : size - openQuote.offset;
  if (openQuote !== undefined && rest > LONGEST_OPEN_QUOTE) {
    return { kind: 'refused', code: 'UNREADABLE_FILE', reason: neverClosed(openQuote.lines + 1, rest) };
  }
  if (longest <= LONGEST_RECORD) return undefined;
  return { kind: 'refused', code: 'FILE_TOO_LARGE', reason: tooLongRecord(longest) };
}

async function piecesOf(
  source: ByteSource,
  format: TextFormat,
  dialect: Dialect,
  { start, scan }: { readonly start: number; readonly scan: FileScan | undefined },
): Promise<Cut> {
  const [, ...later] = scan?.boundaries ?? [];
  if (later.length === 0) return { kind: 'whole' };
  const header = format.kind === 'csv' && format.header ? await findHeader(source, dialect, start) : undefined;
  const begins = [{ offset: start, lines: 0 }, ...later];
  const pieces = begins.map(({ offset, lines }, nth): FilePiece => {
    const to = begins[nth + 1]?.offset ?? source.size;
    return { nth, from: offset, to, lines, ...(nth > 0 && header !== undefined ? { header } : {}) };
  });
  return { kind: 'pieces', pieces };
}

/** The first record with its line break. */
async function findHeader(
  source: ByteSource,
  dialect: Dialect,
  start: number,
): Promise<NonNullable<FilePiece['header']> | undefined> {
  let found: FilePiece['header'];
  const scanner = createRecordScanner(dialect, {
    nextStart: 1,
    start: (offset, lines) => {
      found = { from: start, to: start + offset, lines };
      return Number.POSITIVE_INFINITY;
    },
  });
  for await (const chunk of source.read(start, source.size)) {
    scanner.push(chunk);
    if (found !== undefined) return found;
  }
  return undefined;
}

/** The dialect by the bytes of the file as it has landed; undefined where these are not the bytes that are read. */
function cuttableDialect(format: TextFormat): Dialect | undefined {
  if (format.kind === 'json') return format.layout === 'array' ? undefined : dialectOf(format);
  if (hasForeignEscapes(format) || format.encoding === 'utf-16') return undefined;
  if (!isLatin1(format)) return dialectOf(format);
  const delimiter = latin1Bytes(format.delimiter);
  return delimiter && { ...dialectOf(format), delimiter };
}

export function isLatin1(format: TextFormat): boolean {
  return format.kind === 'csv' && format.encoding === 'latin-1';
}

function latin1Bytes(text: string): Uint8Array | undefined {
  const characters = new TextDecoder(LATIN1).decode(Uint8Array.from({ length: 256 }, (_, byte) => byte));
  const codes = [...text].map((character) => characters.indexOf(character));
  return codes.includes(-1) ? undefined : Uint8Array.from(codes);
}
