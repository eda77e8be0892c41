import type { Sql } from '../core/sql-text.ts';
import type { ColumnType } from '../core/types.ts';
import { sql } from './fragment.ts';
import { parseNumber } from './parse-number.ts';
import { parseTime } from './parse-time.ts';
import { existing, type ParsedColumn } from './parsed.ts';

export type ScalarType = Exclude<ColumnType, { kind: 'list' | 'struct' }>;

/** A text without parts to its value; `typed` names the value. */
export function parseScalar(type: ScalarType, text: Sql, typed: Sql): ParsedColumn {
  switch (type.kind) {
    case 'string':
      return { value: text, exact: sql`true` };
    case 'binary':
      return { value: sql`encode(${text})`, exact: sql`true` };
    case 'boolean':
      return existing(sql`TRY_CAST(${text} AS BOOLEAN)`, typed);
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
