import type { Transform } from '../core/spec.ts';
import { oneOf } from '../core/suggest.ts';
import { type Column, type ColumnType, renderColumnType } from '../core/types.ts';
import { type Notes, showValue } from './notes.ts';

const DATES = ['date', 'timestamp', 'timestamptz'] as const;

/**
 * Types per transform. Source: https://iceberg.apache.org/spec/#partition-transforms, less the identity of floats and
 * bytes, which do not survive being written as text in a path.
 */
export const TRANSFORM_TYPES: Readonly<Record<Transform['kind'], readonly ColumnType['kind'][]>> = {
  identity: ['boolean', 'int', 'bigint', 'decimal', ...DATES, 'string'],
  year: DATES,
  month: DATES,
  day: DATES,
  hour: ['timestamp', 'timestamptz'],
  bucket: ['int', 'bigint', 'decimal', ...DATES, 'string', 'binary'],
  truncate: ['int', 'bigint', 'decimal', 'string', 'binary'],
};

/** Iceberg's names are case-sensitive, so a column is found only as it is spelled. */
export function findColumn(name: string, columns: readonly Column[], place: string, notes: Notes): Column | undefined {
  const found = columns.find((column) => column.name === name);
  if (found === undefined) {
    notes.add(
      place,
      `the column ${showValue(name)}`,
      oneOf(
        name,
        columns.map((column) => column.name),
      ),
    );
  }
  return found;
}

export function isNested(type: ColumnType): boolean {
  return type.kind === 'list' || type.kind === 'struct';
}

export function showColumn(column: Column): string {
  return `${showValue(column.name)} of type ${renderColumnType(column.type)}`;
}
