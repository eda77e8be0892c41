import type { KeyBound, KeyRanges } from '../core/key-ranges.ts';
import { renderScalarText } from './partition-path.ts';
import { columnRange } from './scan.ts';
import { currentSchema, fieldByName } from './schema.ts';
import { parseScalarText } from './text.ts';
import type { DataFile, IcebergValue, TableMetadata } from './types.ts';
import { compareValues } from './values.ts';

/** From the least key of some files to the greatest, and their bytes. */
type Stretch = { readonly low: IcebergValue; readonly high: IcebergValue; readonly bytes: number };

/**
 * The keys of a table in ranges of about so many bytes, each of whole files: what lies between the least and the greatest key of one file lies in
 * one range. Keys below and above all that the files have are in ranges of their own, which hold nothing yet. Where a file does not say
 * what keys it has, all are in one range.
 */
export function rangesOfFiles(
  metadata: TableMetadata,
  column: string,
  files: readonly DataFile[],
  bytes: number,
): KeyRanges {
  const key = keyField(metadata, column);
  const stretches = files.map((file) => key && stretchOf(key, file));
  const known = stretches.filter((one) => one !== undefined);
  if (key === undefined || known.length === 0 || known.length < stretches.length) return { column, bounds: [] };
  const groups = joinStretches(known, bytes);
  const last = groups.at(-1);
  const text = (value: IcebergValue): string => (value === null ? '' : renderScalarText(key.type, value));
  const bounds: readonly KeyBound[] = groups.map(({ low }) => ({ at: text(low) }));
  return { column, bounds: last === undefined ? bounds : [...bounds, { at: text(last.high), after: true }] };
}

/** In the order of their keys: those that overlap, and then neighbours up to a size. */
function joinStretches(stretches: readonly Stretch[], bytes: number): readonly Stretch[] {
  const sorted = stretches.toSorted((a, b) => compareValues(a.low, b.low));
  const apart: Stretch[] = [];
  for (const one of sorted) {
    const open = apart.at(-1);
    if (open !== undefined && compareValues(one.low, open.high) <= 0) apart[apart.length - 1] = joined(open, one);
    else apart.push(one);
  }
  const groups: Stretch[] = [];
  for (const one of apart) {
    const open = groups.at(-1);
    if (open !== undefined && open.bytes + one.bytes <= bytes) groups[groups.length - 1] = joined(open, one);
    else groups.push(one);
  }
  return groups;
}

function joined(a: Stretch, b: Stretch): Stretch {
  const high = compareValues(a.high, b.high) < 0 ? b.high : a.high;
  return { low: a.low, high, bytes: a.bytes + b.bytes };
}

type KeyField = { readonly id: number; readonly type: string };

function keyField(metadata: TableMetadata, column: string): KeyField | undefined {
  const { id, type } = fieldByName(currentSchema(metadata), column) ?? {};
  return id === undefined || typeof type !== 'string' ? undefined : { id, type };
}

function stretchOf({ id, type }: KeyField, file: DataFile): Stretch | undefined {
  const { lower, upper } = columnRange(type, id, file);
  if (lower === undefined || upper === undefined) return undefined;
  return { low: lower, high: upper, bytes: Number(file.bytes) };
}

/** Which ranges may have keys of a file, from the first to the last; all where the file does not say what keys it has. */
export function rangesOfFile(
  metadata: TableMetadata,
  ranges: KeyRanges,
): (file: DataFile) => { readonly first: number; readonly last: number } {
  const key = keyField(metadata, ranges.column);
  const everywhere = { first: 0, last: ranges.bounds.length };
  if (key === undefined) return () => everywhere;
  const bounds = ranges.bounds.map(({ at, after }) => ({ at: parseScalarText(key.type, at) ?? null, after }));
  const rangeOf = (value: IcebergValue): number => {
    const above = bounds.findIndex(({ at, after }) => compareValues(value, at) < (after === true ? 1 : 0));
    return above < 0 ? bounds.length : above;
  };
  return (file) => {
    const stretch = stretchOf(key, file);
    return stretch === undefined ? everywhere : { first: rangeOf(stretch.low), last: rangeOf(stretch.high) };
  };
}

/** Files that may have keys of some of the ranges. */
export function filesOfRanges<T extends DataFile>(
  metadata: TableMetadata,
  ranges: KeyRanges,
  numbers: readonly number[],
  files: readonly T[],
): readonly T[] {
  const wanted = new Set(numbers);
  const lies = rangesOfFile(metadata, ranges);
  return files.filter((file) => {
    const { first, last } = lies(file);
    for (let one = first; one <= last; one += 1) if (wanted.has(one)) return true;
    return false;
  });
}
