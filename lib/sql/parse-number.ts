import type { ColumnType } from '../core/types.ts';
import type { ParsedColumn } from './parsed.ts';
import { quoteText } from './quote.ts';
import { duckType } from './types.ts';

type NumberType = { readonly kind: 'int' | 'bigint' | 'float' | 'double' } | Extract<ColumnType, { kind: 'decimal' }>;

const INTEGER = quoteText('\\s*[+-]?[0-9]+\\s*');

/** A number as it is usually written; `typed` names its value. */
export function parseNumber(type: NumberType, text: string, typed: string): ParsedColumn {
  const cast = `TRY_CAST(${text} AS ${duckType(type)})`;
  switch (type.kind) {
    case 'int':
    case 'bigint':
      return { value: cast, exact: spelled(typed, text, INTEGER) };
    case 'decimal': {
      const pattern = `\\s*[+-]?([0-9]+(\\.[0-9]{0,${type.scale}}0*)?|\\.[0-9]{1,${Math.max(1, type.scale)}}0*)\\s*`;
      return { value: cast, exact: spelled(typed, text, quoteText(pattern)) };
    }
    case 'float':
    case 'double': {
      const digits = `${typed} IS NOT NULL AND NOT contains(${text}, '_')`;
      return {
        value: cast,
        exact: `(CASE WHEN isinf(${typed}) THEN contains(lower(${text}), 'inf') ELSE ${digits} END)`,
      };
    }
  }
}

/** The comparison settles nearly every row; the pattern is only tried on the rest ('007', '+5', '1e3', '2.50'). */
function spelled(typed: string, text: string, pattern: string): string {
  return `(CASE WHEN CAST(${typed} AS VARCHAR) = ${text} THEN true ELSE ${typed} IS NOT NULL AND regexp_full_match(${text}, ${pattern}) END)`;
}

/** Any spelling of a number ('17850.0', '1e3'), as long as the type holds it exactly. */
export function parseNumeric(type: ColumnType, text: string, typed: string): ParsedColumn {
  if (type.kind === 'float' || type.kind === 'double') return parseNumber({ kind: type.kind }, text, typed);
  const exactNumber = renderNumber(text);
  const value = `TRY_CAST(${exactNumber} AS ${duckType(type)})`;
  return { value, exact: `(${typed} IS NOT NULL AND TRY_CAST(${typed} AS DECIMAL(38,10)) = ${exactNumber})` };
}

/**
 * A number in any spelling, exact to ten digits. DuckDB reads text into 128-bit decimals a thousand times slower than
 * into 64-bit ones, so plain numbers that fit take that way.
 */
export function renderNumber(text: string): string {
  const plain = quoteText('[+-]?[0-9]{1,13}([.][0-9]{0,4})?');
  return `(CASE WHEN regexp_full_match(${text}, ${plain}) THEN CAST(TRY_CAST(${text} AS DECIMAL(18,4)) AS DECIMAL(38,10)) ELSE TRY_CAST(${text} AS DECIMAL(38,10)) END)`;
}
