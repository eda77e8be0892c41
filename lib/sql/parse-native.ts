import type { ColumnType } from '../core/types.ts';
import type { ParsedColumn } from './parsed.ts';
import { duckType } from './types.ts';

/** A value that arrives typed (Parquet) must survive the cast there and back. */
export function parseNative(type: ColumnType, raw: string, native: string, typed: string): ParsedColumn {
  const value = `TRY_CAST(${raw} AS ${duckType(type)})`;
  if (native === duckType(type)) return { value, exact: 'true' };
  return { value, exact: `(${typed} IS NOT NULL AND TRY_CAST(${typed} AS ${native}) IS NOT DISTINCT FROM ${raw})` };
}
