import type { PartitionField } from '../core/spec.ts';

/** One partition per value. */
export function identity(column: string): PartitionField {
  return { column, transform: { kind: 'identity' } };
}

/** One partition per year of a date or timestamp. */
export function year(column: string): PartitionField {
  return { column, transform: { kind: 'year' } };
}

/** One partition per month of a date or timestamp. */
export function month(column: string): PartitionField {
  return { column, transform: { kind: 'month' } };
}

/** One partition per day of a date or timestamp. */
export function day(column: string): PartitionField {
  return { column, transform: { kind: 'day' } };
}

/** One partition per hour of a timestamp. */
export function hour(column: string): PartitionField {
  return { column, transform: { kind: 'hour' } };
}

/** `count` partitions by hash, for columns with many values: `bucket(16, 'customer_id')`. */
export function bucket(count: number, column: string): PartitionField {
  return { column, transform: { kind: 'bucket', width: count } };
}

/** One partition per range of `width` numbers, or per first `width` characters: `truncate(2, 'postcode')`. */
export function truncate(width: number, column: string): PartitionField {
  return { column, transform: { kind: 'truncate', width } };
}
