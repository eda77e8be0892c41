import { ZORDER_BITS } from '../core/zorder.ts';
import { columnRange } from './scan.ts';
import { currentSchema, fieldByName } from './schema.ts';
import type { DataFile, TableMetadata } from './types.ts';
import { compareValues, firstAbove, firstNotBelow } from './values.ts';

/** The columns by which rows are to lie: in an order, or along a Z-order; one of the two has none. */
export type Layout = { readonly sort: readonly string[]; readonly zorder: readonly string[] };

/**
 * Where a file lies in a column, from 0 to 1: above the part of all files that end before it begins, below those that begin after its end.
 * Files that overlap all others lie everywhere, however their bounds follow each other.
 */
export type Span = { readonly low: number; readonly high: number };

export type FilePlace = {
  /** Among the files of the table. */
  readonly place: number;
  /** By the columns of a Z-order, else none. What has no bounds may lie anywhere. */
  readonly spans: readonly Span[];
};

/**
 * The place of each file among those of a table by where its rows lie in an order, as its bounds tell. Files that are near each other
 * are written anew together, so that each compaction narrows further what the one before it had to leave wide: rows of a partition
 * that no single worker takes are as good as sorted after a few of them.
 */
export function placesOf(metadata: TableMetadata, files: readonly DataFile[], layout: Layout): readonly FilePlace[] {
  const columns = layout.zorder.length > 0 ? layout.zorder : layout.sort;
  const spans = columns.map((column) => spansOf(metadata, files, column));
  const keys = files.map((_, at) => {
    const place = (bits: number): readonly number[] => spans.map((span) => middleOf(span[at], bits));
    return layout.zorder.length > 0 ? [interleave(place(ZORDER_BITS))] : place(SORT_BITS).map(BigInt);
  });
  const order = files.map((_, at) => at).sort((a, b) => compareKeys(keys[a] ?? [], keys[b] ?? []) || a - b);
  const places = new Array<number>(files.length);
  for (const [place, at] of order.entries()) places[at] = place;
  const told = layout.zorder.length > 0 ? spans : [];
  return files.map((_, at) => ({ place: places[at] ?? 0, spans: told.map((span) => span[at] ?? ANYWHERE) }));
}

const ANYWHERE: Span = { low: 0, high: 1 };

/** So many that files beside each other have places of their own, however many there are. */
const SORT_BITS = 40;

/** In 2^bits parts. What has no bounds lies before all. */
function middleOf(span: Span | undefined, bits: number): number {
  return span === undefined ? 0 : Math.floor(((span.low + span.high) / 2) * (2 ** bits - 1));
}

function spansOf(metadata: TableMetadata, files: readonly DataFile[], column: string): readonly (Span | undefined)[] {
  const field = fieldByName(currentSchema(metadata), column);
  const { type } = field ?? {};
  if (field === undefined || typeof type !== 'string') return files.map(() => undefined);
  const ranges = files.map((file) => columnRange(type, field.id, file));
  const lows = ranges.flatMap(({ lower }) => lower ?? []).sort(compareValues);
  const highs = ranges.flatMap(({ upper }) => upper ?? []).sort(compareValues);
  const all = Math.max(lows.length, highs.length);
  return ranges.map(({ lower, upper }) => {
    if (lower === undefined || upper === undefined) return undefined;
    return { low: firstNotBelow(highs, lower) / all, high: firstAbove(lows, upper) / all };
  });
}

function interleave(places: readonly number[]): bigint {
  let z = 0n;
  for (let bit = ZORDER_BITS - 1; bit >= 0; bit -= 1)
    for (const place of places) z = (z << 1n) | BigInt((place >> bit) & 1);
  return z;
}

function compareKeys(a: readonly bigint[], b: readonly bigint[]): number {
  const at = a.findIndex((key, i) => key !== b[i]);
  const [left = 0n, right = 0n] = [a[at], b[at]];
  return left < right ? -1 : Number(left > right);
}
