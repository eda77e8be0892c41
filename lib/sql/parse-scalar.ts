import type { ColumnType } from '../core/types.ts';
import { parseNumber } from './parse-number.ts';
import { parseTime } from './parse-time.ts';
import { existing, type ParsedColumn } from './parsed.ts';

export type ScalarType = Exclude<ColumnType, { kind: 'list' | 'struct' }>;

/** A text without parts to its value; `typed` names the value. */
export function parseScalar(type: ScalarType, text: string, typed: string): ParsedColumn {
  switch (type.kind) {
    case 'string':
      return { value: text, exact: 'true' };
    case 'binary':
      return { value: `encode(${text})`, exact: 'true' };
    case 'boolean':
      return existing(`TRY_CAST(${text} AS BOOLEAN)`, typed);
    case 'decimal':
      return parseNumber(type, text, typed);
    case 'int':
    case 'bigint':
    case 'float':
    case 'double':
      return parseNumber({ kind: type.kind }, text, typed);
    case 'date':
    case 'timestamp':
    case 'timestamptz':
      return parseTime({ kind: type.kind }, text, typed);
  }
}
