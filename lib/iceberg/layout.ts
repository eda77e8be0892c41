import { columnRange } from './scan.ts';
import { currentSchema, fieldByName } from './schema.ts';
import type { DataFile, TableMetadata } from './types.ts';
import { compareValues, firstNotBelow } from './values.ts';

/** The columns by which rows are to lie: in an order, or along a Z-order; one of the two has none. */
export type Layout = { readonly sort: readonly string[]; readonly zorder: readonly string[] };

/** Bits of a place along one column of a Z-order, as rows are given them. */
const BITS = 10;

/**
 * The place of each file among those of a table by where its rows lie in an order, as its bounds tell. Files that are near each other
 * are written anew together, so that each compaction narrows further what the one before it had to leave wide: rows of a partition
 * that no single worker takes are as good as sorted after a few of them.
 */
export function placesOf(metadata: TableMetadata, files: readonly DataFile[], layout: Layout): readonly number[] {
  const columns = layout.zorder.length > 0 ? layout.zorder : layout.sort;
  const middles = columns.map((column) => middlesOf(metadata, files, column));
  const keys = files.map((_, at) => {
    const place = middles.map((middle) => middle[at] ?? 0);
    return layout.zorder.length > 0 ? [interleave(place)] : place.map(BigInt);
  });
  const order = files.map((_, at) => at).sort((a, b) => compareKeys(keys[a] ?? [], keys[b] ?? []) || a - b);
  const places = new Array<number>(files.length);
  for (const [place, at] of order.entries()) places[at] = place;
  return places;
}

/** Where the middle of each file lies among all bounds of a column, in 2^10 parts. What has no bounds lies before all. */
function middlesOf(metadata: TableMetadata, files: readonly DataFile[], column: string): readonly number[] {
  const field = fieldByName(currentSchema(metadata), column);
  const { type } = field ?? {};
  if (field === undefined || typeof type !== 'string') return files.map(() => 0);
  const ranges = files.map((file) => columnRange(type, field.id, file));
  const bounds = ranges.flatMap(({ lower, upper }) => [lower, upper]).filter((bound) => bound !== undefined);
  const steps = bounds
    .sort(compareValues)
    .filter((bound, at, all) => at === 0 || compareValues(bound, all[at - 1] ?? null) !== 0);
  const most = Math.max(1, 2 * (steps.length - 1));
  return ranges.map(({ lower, upper }) => {
    if (lower === undefined || upper === undefined) return 0;
    return Math.floor(((firstNotBelow(steps, lower) + firstNotBelow(steps, upper)) / most) * (2 ** BITS - 1));
  });
}

function interleave(places: readonly number[]): bigint {
  let z = 0n;
  for (let bit = BITS - 1; bit >= 0; bit -= 1) for (const place of places) z = (z << 1n) | BigInt((place >> bit) & 1);
  return z;
}

function compareKeys(a: readonly bigint[], b: readonly bigint[]): number {
  const at = a.findIndex((key, i) => key !== b[i]);
  const [left = 0n, right = 0n] = [a[at], b[at]];
  return left < right ? -1 : Number(left > right);
}
