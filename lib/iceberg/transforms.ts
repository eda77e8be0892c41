import { InvalidInput } from '../core/errors.ts';
import type { Transform } from '../core/spec.ts';
import { civilFromDays, floorDivide, MICROS_PER_DAY, MICROS_PER_HOUR } from './calendar.ts';
import { murmur3 } from './murmur3.ts';
import { decimalOf } from './schema.ts';
import type { IcebergType, IcebergValue } from './types.ts';
import { encodeUnscaled, encodeValue } from './values.ts';

/**
 * Partition transforms. A null stays null under every one of them.
 * Source: https://iceberg.apache.org/spec/#partition-transforms and its Appendix B.
 */
export type IcebergTransform = Transform | { readonly kind: 'void' };

/** `month`, `bucket[16]`, ...; undefined for a text that is no transform. */
export function parseTransform(text: string): IcebergTransform | undefined {
  const [, kind, width] = /^(bucket|truncate)\[([1-9]\d*)\]$/.exec(text) ?? [];
  if (kind !== undefined) return { kind: kind as 'bucket' | 'truncate', width: Number(width) };
  switch (text) {
    case 'identity':
    case 'year':
    case 'month':
    case 'day':
    case 'hour':
    case 'void':
      return { kind: text };
    default:
      return undefined;
  }
}

export function renderTransform(transform: IcebergTransform): string {
  return 'width' in transform ? `${transform.kind}[${transform.width}]` : transform.kind;
}

const TEMPORAL = ['date', 'timestamp', 'timestamptz'];
const BUCKETED = ['int', 'long', 'time', 'string', 'uuid', 'binary', ...TEMPORAL];
const TRUNCATED = ['int', 'long', 'string', 'binary'];

/** Whether the transform takes values of a type; nested types are never partitioned. */
export function acceptsType(transform: IcebergTransform, source: IcebergType): boolean {
  if (typeof source !== 'string') return transform.kind === 'void';
  switch (transform.kind) {
    case 'identity':
    case 'void':
      return true;
    case 'bucket':
      return BUCKETED.includes(source) || decimalOf(source) !== undefined || source.startsWith('fixed');
    case 'truncate':
      return TRUNCATED.includes(source) || decimalOf(source) !== undefined;
    case 'hour':
      return source === 'timestamp' || source === 'timestamptz';
    default:
      return TEMPORAL.includes(source);
  }
}

/** The type of the transform's values. A day is a date (Java, Trino and PyIceberg write it so), stored as an int. */
export function resultType(transform: IcebergTransform, source: IcebergType): IcebergType {
  switch (transform.kind) {
    case 'identity':
    case 'truncate':
    case 'void':
      return source;
    case 'day':
      return 'date';
    default:
      return 'int';
  }
}

/** The transform of one value. Throws InvalidInput when the transform does not take the type. */
export function applyTransform(transform: IcebergTransform, source: IcebergType, value: IcebergValue): IcebergValue {
  if (value === null || transform.kind === 'void') return null;
  if (!acceptsType(transform, source)) {
    throw new InvalidInput(`${renderTransform(transform)} does not take a ${JSON.stringify(source)}`);
  }
  switch (transform.kind) {
    case 'identity':
      return value;
    case 'bucket':
      return (murmur3(hashInput(source, value)) & 0x7fffffff) % transform.width;
    case 'truncate':
      return truncate(value, transform.width);
    case 'hour':
      return Number(floorDivide(value as bigint, MICROS_PER_HOUR));
    default:
      return calendarUnit(transform.kind, daysOf(value));
  }
}

/** Ints, dates and times hash as longs, so that widening a column does not move its rows. */
function hashInput(source: IcebergType, value: IcebergValue): Uint8Array {
  if (typeof value === 'number') return encodeValue('long', BigInt(value));
  if (typeof value === 'bigint') return decimalOf(source) ? encodeUnscaled(value) : encodeValue('long', value);
  return encodeValue(source, value);
}

function truncate(value: IcebergValue, width: number): IcebergValue {
  if (typeof value === 'string') return firstCodePoints(value, width);
  if (value instanceof Uint8Array) return value.slice(0, width);
  if (typeof value === 'bigint') return floorDivide(value, BigInt(width)) * BigInt(width);
  return Math.floor((value as number) / width) * width;
}

export function firstCodePoints(text: string, count: number): string {
  if (text.length <= count) return text;
  let end = 0;
  for (let taken = 0; taken < count && end < text.length; taken += 1) {
    end += (text.codePointAt(end) ?? 0) > 0xffff ? 2 : 1;
  }
  return text.slice(0, end);
}

function daysOf(value: IcebergValue): number {
  return typeof value === 'bigint' ? Number(floorDivide(value, MICROS_PER_DAY)) : Number(value);
}

function calendarUnit(unit: 'year' | 'month' | 'day', days: number): number {
  if (unit === 'day') return days;
  const { year, month } = civilFromDays(days);
  return unit === 'year' ? year - 1970 : (year - 1970) * 12 + month - 1;
}
