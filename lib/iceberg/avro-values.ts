import { decimalOf } from './schema.ts';
import type { IcebergType, IcebergValue } from './types.ts';
import { bytesForPrecision, decodeUnscaled } from './values.ts';

/** Partition values and field-id maps as avsc takes and gives them. Source: https://iceberg.apache.org/spec/#avro. */

export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** A decimal is fixed in Avro: as many bytes as its precision may need, sign-extended. */
export function toAvroValue(type: IcebergType, value: IcebergValue): unknown {
  const decimal = decimalOf(type);
  if (decimal !== undefined && typeof value === 'bigint') return fixedOf(value, bytesForPrecision(decimal.precision));
  return value instanceof Uint8Array ? toBuffer(value) : value;
}

/** A manifest older than a widening of its column holds the narrower type, such as an int for what is now a long. */
export function fromAvroValue(type: IcebergType, raw: unknown): IcebergValue {
  if (raw === null || raw === undefined) return null;
  if (raw instanceof Uint8Array) return decimalOf(type) === undefined ? Uint8Array.from(raw) : decodeUnscaled(raw);
  return type === 'long' && typeof raw === 'number' ? BigInt(raw) : (raw as IcebergValue);
}

function fixedOf(value: bigint, length: number): Buffer {
  const bits = BigInt.asUintN(8 * length, value);
  return Buffer.from(bits.toString(16).padStart(2 * length, '0'), 'hex');
}

type KeyValue<V> = { readonly key: number; readonly value: V };

/** A map by field id as key-value records, null when empty: "not measured" and "no columns" are one thing to readers. */
export function mapToRecords<V>(
  map: ReadonlyMap<number, V>,
  convert?: (value: V) => unknown,
): KeyValue<unknown>[] | null {
  if (map.size === 0) return null;
  return Array.from(map, ([key, value]) => ({ key, value: convert === undefined ? value : convert(value) }));
}

export function recordsToMap<V>(records: unknown, convert?: (value: V) => V): ReadonlyMap<number, V> {
  const entries = (records ?? []) as readonly KeyValue<V>[];
  return new Map(entries.map(({ key, value }) => [key, convert === undefined ? value : convert(value)]));
}
