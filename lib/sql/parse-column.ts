import type { ContractColumn } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { ColumnType } from '../core/types.ts';
import { sql } from './fragment.ts';
import type { NativeType } from './native-type.ts';
import { parseNative } from './parse-native.ts';
import { parseNested } from './parse-nested.ts';
import { parseNumeric } from './parse-number.ts';
import { parseScalar } from './parse-scalar.ts';
import { parseByFormats, parseEpoch, type TimeType } from './parse-time.ts';
import type { ParsedColumn } from './parsed.ts';
import { quoteName, quoteText } from './quote.ts';
import { duckType } from './types.ts';

/**
 * Text to value without loss: DuckDB's TRY_CAST, narrowed where it would round, wrap or guess. `1.7` is no integer,
 * `2.5555` no decimal(12,3), `0x1F` and `1_000` no numbers, an offset in a timestamp is honoured (result in UTC).
 */
export function parseColumn(column: ContractColumn, raw: Sql, native: NativeType | undefined): ParsedColumn {
  const typed = quoteName(column.name);
  if (native !== undefined && column.parse.kind === 'auto') return parseNative(column.type, native, raw, typed);
  const text = native === undefined ? raw : sql`CAST(${raw} AS VARCHAR)`;
  switch (column.parse.kind) {
    case 'auto':
      return parseText(column.type, text, typed);
    case 'numeric':
      return parseNumeric(column.type, text, typed);
    case 'epoch_seconds':
      return parseEpoch(column.type, text, typed, 1_000_000);
    case 'epoch_millis':
      return parseEpoch(column.type, text, typed, 1_000);
    case 'strptime':
      return parseByFormats(timeType(column), column.parse.formats, text, typed);
  }
}

/** The same with the column's default in rows that lack the column, whose raw text is NULL. */
export function fillColumn(column: ContractColumn, parsed: ParsedColumn, lacking: Sql): ParsedColumn {
  const value = sql`CAST(${quoteText(column.default ?? '')} AS ${duckType(column.type)})`;
  return { ...parsed, value: sql`CASE WHEN ${lacking} THEN ${value} ELSE ${parsed.value} END`, filled: lacking };
}

function parseText(type: ColumnType, text: Sql, typed: Sql): ParsedColumn {
  return type.kind === 'list' || type.kind === 'struct' ? parseNested(type, text) : parseScalar(type, text, typed);
}

/** The compiler refuses formats on columns of other types. */
function timeType({ name, type }: ContractColumn): TimeType {
  if (type.kind === 'date' || type.kind === 'timestamp' || type.kind === 'timestamptz') return { kind: type.kind };
  throw new RangeError(`column ${name} of type ${type.kind} has formats of dates and times`);
}
