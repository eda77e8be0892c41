import { UnreadableTable } from '../core/errors.ts';
import { decimalOf } from './schema.ts';
import type { IcebergType, IcebergValue } from './types.ts';

/**
 * Single-value serialisation: the bytes of a bound and of a partition summary.
 * Source: https://iceberg.apache.org/spec/#appendix-d-single-value-serialization (binary).
 */

/** The bytes of a non-null value. Throws UnreadableTable when the value is not one of the type. */
export function encodeValue(type: IcebergType, value: IcebergValue): Uint8Array {
  if (decimalOf(type) !== undefined && typeof value === 'bigint') return encodeUnscaled(value);
  switch (type) {
    case 'boolean':
      if (typeof value === 'boolean') return Uint8Array.of(value ? 1 : 0);
      break;
    case 'int':
    case 'date':
      // What is too large must not wrap: a wrapped bound excludes the wrong files.
      if (typeof value === 'number' && value === (value | 0))
        return bytesOf(4, (view) => view.setInt32(0, value, true));
      break;
    case 'long':
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      if (typeof value === 'bigint' && value === BigInt.asIntN(64, value)) {
        return bytesOf(8, (view) => view.setBigInt64(0, value, true));
      }
      break;
    case 'float':
      if (typeof value === 'number') return bytesOf(4, (view) => view.setFloat32(0, value, true));
      break;
    case 'double':
      if (typeof value === 'number') return bytesOf(8, (view) => view.setFloat64(0, value, true));
      break;
    case 'string':
      if (typeof value === 'string') return new TextEncoder().encode(value);
      break;
    default:
      if (value instanceof Uint8Array) return value;
  }
  throw new UnreadableTable(`not a value of type ${JSON.stringify(type)}: got ${String(value)}`);
}

/**
 * The value of such bytes. A file written before its column was widened has bounds of the narrower type: 4 bytes for
 * a long or a double. Throws UnreadableTable when the length fits no type.
 */
export function decodeValue(type: IcebergType, bytes: Uint8Array): IcebergValue {
  if (decimalOf(type) !== undefined) return decodeUnscaled(bytes);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  switch (type) {
    case 'boolean':
      return sized(type, bytes, 1) && view.getUint8(0) !== 0;
    case 'int':
    case 'date':
      return sized(type, bytes, 4) && view.getInt32(0, true);
    case 'long':
      return bytes.length === 4 ? BigInt(view.getInt32(0, true)) : sized(type, bytes, 8) && view.getBigInt64(0, true);
    case 'time':
    case 'timestamp':
    case 'timestamptz':
      return sized(type, bytes, 8) && view.getBigInt64(0, true);
    case 'float':
      return sized(type, bytes, 4) && view.getFloat32(0, true);
    case 'double':
      return bytes.length === 4 ? view.getFloat32(0, true) : sized(type, bytes, 8) && view.getFloat64(0, true);
    case 'string':
      // A leading U+FEFF is a character of the value, no byte order mark.
      return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
    default:
      return Uint8Array.from(bytes);
  }
}

/** An integer as big-endian two's complement in the fewest bytes; zero is one byte. */
export function encodeUnscaled(value: bigint): Uint8Array {
  let length = 1;
  while (BigInt.asIntN(8 * length, value) !== value) length += 1;
  return Uint8Array.from({ length }, (_, at) => Number(BigInt.asUintN(8, value >> BigInt(8 * (length - 1 - at)))));
}

export function decodeUnscaled(bytes: Uint8Array): bigint {
  const magnitude = bytes.reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return BigInt.asIntN(8 * bytes.length, magnitude);
}

/** The fewest bytes that hold every decimal of a precision. */
export function bytesForPrecision(precision: number): number {
  return encodeUnscaled(10n ** BigInt(precision) - 1n).length;
}

/**
 * Order of two non-null values of one type: strings by code point, bytes unsigned, NaN after all numbers. Negative and
 * positive zero are equal, as they are in SQL.
 */
export function compareValues(a: IcebergValue, b: IcebergValue): number {
  if (typeof a === 'string' && typeof b === 'string') return compareBytes(utf8(a), utf8(b));
  if (a instanceof Uint8Array && b instanceof Uint8Array) return compareBytes(a, b);
  if (typeof a === 'number' && typeof b === 'number' && (Number.isNaN(a) || Number.isNaN(b))) {
    return Number(Number.isNaN(a)) - Number(Number.isNaN(b));
  }
  if (a === b || a === null || b === null) return 0;
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Among values in their order the place of the first that is not below one, by halving. */
export function firstNotBelow(values: readonly IcebergValue[], bound: IcebergValue): number {
  return countWhile(values, (value) => compareValues(value, bound) < 0);
}

/** The same for the first that is above it. */
export function firstAbove(values: readonly IcebergValue[], bound: IcebergValue): number {
  return countWhile(values, (value) => compareValues(value, bound) <= 0);
}

function countWhile(values: readonly IcebergValue[], isBefore: (value: IcebergValue) => boolean): number {
  let [low, high] = [0, values.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isBefore(values[middle] ?? null)) low = middle + 1;
    else high = middle;
  }
  return low;
}

export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shared = Math.min(a.length, b.length);
  for (let at = 0; at < shared; at += 1) {
    const difference = (a[at] ?? 0) - (b[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

function bytesOf(length: number, write: (view: DataView) => void): Uint8Array {
  const bytes = new Uint8Array(length);
  write(new DataView(bytes.buffer));
  return bytes;
}

function sized(type: string, bytes: Uint8Array, length: number): true {
  if (bytes.length === length) return true;
  throw new UnreadableTable(`a bound of type ${type}: got ${bytes.length} bytes; expected ${length}`);
}
