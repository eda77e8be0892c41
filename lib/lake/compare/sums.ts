import type { ColumnType } from '../../core/types.ts';
import type { Row } from '../../ports.ts';
import { HALF, isHalved, isNumeric } from '../../sql/diff/totals.ts';

/** Sums of a numeric column on both sides as text, exact where its numbers are; null: of no value. */
export type Sums = { readonly from: string | null; readonly to: string | null; readonly delta: string };

/** Of the column of a number, from what `selectTotals` answered of each side; undefined for a column without numbers. */
export function sumsOf(type: ColumnType, at: number, from: Row, to: Row): Sums | undefined {
  if (!isNumeric(type)) return undefined;
  const [before, after] = [sumOf(type, at, from), sumOf(type, at, to)];
  return { from: before, to: after, delta: deltaOf(type, before ?? '0', after ?? '0') };
}

function sumOf(type: ColumnType, at: number, totals: Row): string | null {
  const sum = textOf(totals[`s${at}`]);
  if (sum === null || !isHalved(type)) return sum;
  return pointed(BigInt(textOf(totals[`h${at}`]) ?? '0') * HALF + BigInt(sum), scaleOf(type));
}

function deltaOf(type: ColumnType, from: string, to: string): string {
  if (type.kind === 'float' || type.kind === 'double') return String(Number(to) - Number(from));
  const scale = scaleOf(type);
  return pointed(unscaled(to, scale) - unscaled(from, scale), scale);
}

function scaleOf(type: ColumnType): number {
  return type.kind === 'decimal' ? type.scale : 0;
}

function unscaled(text: string, scale: number): bigint {
  const [whole = '0', fraction = ''] = text.split('.');
  return BigInt(`${whole}${fraction.padEnd(scale, '0')}`);
}

function pointed(value: bigint, scale: number): string {
  if (scale === 0) return String(value);
  const digits = String(value < 0n ? -value : value).padStart(scale + 1, '0');
  return `${value < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}

function textOf(value: Row[string] | undefined): string | null {
  return value === null || value === undefined ? null : String(value);
}
