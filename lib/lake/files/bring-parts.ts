import { mapConcurrent } from '../../core/concurrency.ts';
import type { ByteRange, ObjectParts } from '../../core/objects.ts';
import type { DataFile } from '../../iceberg/types.ts';
import { type Footer, parseFooter, type RowGroup } from '../../landing/parquet/footer.ts';
import { chunkRange, columnIds, renderEnd } from '../../landing/parquet/parts.ts';
import type { Borrowed, ObjectStore } from '../../ports.ts';
import { acquireAll } from '../resources.ts';
import { joinBorrowed } from './borrowed.ts';
import { rowGroupAsFile } from './row-groups.ts';

/** What of a data file is read: columns, by field id, of the row groups that may hold a row that counts. */
export type Needed = {
  readonly columns: ReadonlySet<number>;
  /** False where a part of the file, with the statistics of that part, holds no row that counts; left out: all may. */
  readonly mayMatch?: (part: DataFile) => boolean;
};

/** A data file; without `needed` it is brought whole. */
export type FileToBring = DataFile & { readonly needed?: Needed };

/** Bytes of data files: of those that were looked into, and of those of them that were brought, footers included. */
export type BroughtBytes = { readonly kept: number; readonly brought: number };

export type Brought = Borrowed & { readonly bytes: BroughtBytes };

/** A file so small costs less brought whole than a request for its footer more. */
const SMALL_BYTES = 16 * 1024;

/** Of a footer: what it has at any rate, for each column, and for each column of a row group, as DuckDB writes it. */
const FOOTER_BYTES = { all: 512, column: 32, chunk: 160 };
const ROWS_PER_GROUP = 122_880;
const LONGEST_TAIL = 1024 * 1024;

/** What of a file may come along because it lies between two ranges, which then are one request: of what is needed, and at any rate. */
const GAP_SHARE = 0.08;
const GAP_BYTES = 4 * 1024;

/** A file of which more than this part is needed is brought whole, with its checksum. */
const MOST_PARTS = 0.9;

/** What of data files has to come, before it does. */
export type PlannedParts = { readonly bytes: BroughtBytes; bring(): Promise<Borrowed> };

/**
 * Finds what is needed of data files of our own, for which only their footers are read. What is brought are the bytes of
 * column chunks, in files that have holes elsewhere, and whose footers name only the row groups that are there. A column
 * that was not asked for is in the schema all the same: reading it fails. A store that lends its own files lends them as
 * they are.
 */
export async function planParts(store: ObjectStore, files: readonly FileToBring[]): Promise<PlannedParts> {
  const plans = await mapConcurrent(files, (file) => planFile(store, file));
  const parts = plans.flatMap((plan) => (plan.parts === undefined ? [] : [plan.parts]));
  const whole = plans.flatMap((plan) => (plan.parts === undefined ? [plan.key] : []));
  return {
    bytes: {
      kept: files.reduce((sum, { bytes }) => sum + Number(bytes), 0),
      brought: plans.reduce((sum, { bytes }) => sum + bytes, 0),
    },
    bring: async () => joinBorrowed(await acquireAll([() => store.borrow(whole), () => store.borrowParts(parts)])),
  };
}

/** The same, at once. */
export async function bringParts(store: ObjectStore, files: readonly FileToBring[]): Promise<Brought> {
  const { bytes, bring } = await planParts(store, files);
  return { ...(await bring()), bytes };
}

/** What of a file has to come; without `parts` all of it. `bytes`: how many that are, with those that said so. */
type FilePlan = { readonly key: string; readonly parts?: ObjectParts; readonly bytes: number };

async function planFile(store: ObjectStore, file: FileToBring): Promise<FilePlan> {
  const key = store.key(file.path);
  const size = Number(file.bytes);
  if (file.needed === undefined || size <= SMALL_BYTES) return { key, bytes: size };
  const end = await readEnd(store, key, file);
  const ids = end && columnIds(end.footer);
  if (end === undefined || ids === undefined) return { key, bytes: size + tailOf(file) };
  const { footer, etag, bytes: looked } = end;
  const groups = neededGroups(file, file.needed, footer, ids);
  const ranges = neededRanges(file.needed, groups, ids);
  const bytes = looked + bytesOf(ranges);
  if (bytes > MOST_PARTS * size) return { key, bytes: looked + size };
  const rendered = { start: footer.start, bytes: renderEnd(footer, groups) };
  return { key, parts: { key, etag, ranges, end: rendered }, bytes };
}

type End = { readonly footer: Footer; readonly etag: string; readonly bytes: number };

/** The footer and how many bytes it took to see it; undefined for one that is none, which the engine shall refuse. */
async function readEnd(store: ObjectStore, key: string, file: DataFile): Promise<End | undefined> {
  const size = Number(file.bytes);
  const from = size - tailOf(file);
  const tail = await store.readRange(key, from, size);
  const last = Buffer.from(tail.bytes);
  if (last.length !== size - from || last.subarray(-4).toString('latin1') !== 'PAR1') return undefined;
  const start = size - 8 - last.readUInt32LE(last.length - 8);
  if (start < 4) return undefined;
  const more = start < from ? (await store.readRange(key, start, from, tail.etag)).bytes : new Uint8Array();
  const bytes = Buffer.concat([more, last]);
  try {
    const footer = parseFooter(bytes.subarray(start - (from - more.length), bytes.length - 8), start);
    return { footer, etag: tail.etag, bytes: bytes.length };
  } catch (cause) {
    if (cause instanceof RangeError) return undefined;
    throw cause;
  }
}

/** What the first request for a footer asks for, so that few need a second one. */
function tailOf({ bytes, rows, valueCounts }: DataFile): number {
  const { all, column, chunk } = FOOTER_BYTES;
  const groups = Math.ceil(Number(rows) / ROWS_PER_GROUP);
  return Math.min(Number(bytes), LONGEST_TAIL, all + valueCounts.size * (column + groups * chunk));
}

function neededGroups(
  file: DataFile,
  { mayMatch = () => true }: Needed,
  footer: Footer,
  ids: readonly number[],
): readonly RowGroup[] {
  return footer.rowGroups.filter((group) => mayMatch(rowGroupAsFile(file, footer, ids, group)));
}

function neededRanges({ columns }: Needed, groups: readonly RowGroup[], ids: readonly number[]): readonly ByteRange[] {
  const chunks = groups.flatMap((group) => group.chunks.filter((_, at) => columns.has(ids[at] ?? -1)));
  return joinRanges(chunks.map(chunkRange).filter(({ start, end }) => end > start));
}

/** Ranges in order, those that lie closest together as one, as far as what comes along is little. */
export function joinRanges(ranges: readonly ByteRange[]): readonly ByteRange[] {
  const sorted = ranges.toSorted((a, b) => a.start - b.start);
  const gaps = sorted.map((range, at) => range.start - (sorted[at - 1]?.end ?? 0));
  const joined = new Set<number>();
  let left = Math.max(GAP_BYTES, GAP_SHARE * bytesOf(ranges));
  const closest = gaps.map((_, at) => at).slice(1);
  closest.sort((a, b) => (gaps[a] ?? 0) - (gaps[b] ?? 0));
  for (const at of closest) {
    left -= Math.max(0, gaps[at] ?? 0);
    if (left < 0) break;
    joined.add(at);
  }
  const merged: ByteRange[] = [];
  for (const [at, range] of sorted.entries()) {
    const last = merged.at(-1);
    if (last === undefined || !joined.has(at)) merged.push(range);
    else merged[merged.length - 1] = { start: last.start, end: Math.max(last.end, range.end) };
  }
  return merged;
}

function bytesOf(ranges: readonly ByteRange[]): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}
