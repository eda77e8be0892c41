import type { Sql } from '../core/sql-text.ts';
import type { ColumnType } from '../core/types.ts';
import { sql } from './fragment.ts';
import type { ParsedColumn } from './parsed.ts';
import { quoteText } from './quote.ts';
import { duckType } from './types.ts';

type NumberType = { readonly kind: 'int' | 'bigint' | 'float' | 'double' } | Extract<ColumnType, { kind: 'decimal' }>;

const INTEGER = quoteText('\\s*[+-]?[0-9]+\\s*');

/** A number as it is usually written; `typed` names its value. */
export function parseNumber(type: NumberType, text: Sql, typed: Sql): ParsedColumn {
  const cast = sql`TRY_CAST(${text} AS ${duckType(type)})`;
  switch (type.kind) {
    case 'int':
    case 'bigint':
      return { value: cast, exact: spelled(typed, text, INTEGER) };
    case 'decimal': {
      const pattern = `\\s*[+-]?([0-9]+(\\.[0-9]{0,${type.scale}}0*)?|\\.[0-9]{1,${Math.max(1, type.scale)}}0*)\\s*`;
      return { value: cast, exact: spelled(typed, text, quoteText(pattern)) };
    }
    case 'float':
    case 'double':
      return { value: cast, exact: spelledReal(typed, text) };
  }
}

/**
 * DuckDB reads nearly nothing as a double that is not written as one: `1_000`, `+-1`, `nan(1)`. What it rounds to nothing
 * or to infinity is not the number that was written.
 */
function spelledReal(typed: Sql, text: Sql): Sql {
  const whole = sql`(CASE WHEN ${typed} = 0 THEN NOT regexp_matches(${text}, '^[^eE]*[1-9]') ELSE true END)`;
  const usual = sql`NOT contains(${text}, '_') AND NOT contains(${text}, '+-') AND ${whole}`;
  const word = sql`COALESCE(regexp_full_match(${text}, ${quoteText('(?i)\\s*[+-]?(nan|inf|infinity)\\s*')}), false)`;
  return sql`(CASE WHEN isfinite(${typed}) THEN ${usual} ELSE ${typed} IS NOT NULL AND ${word} END)`;
}

/** The comparison settles nearly every row; the pattern is only tried on the rest ('007', '+5', '1e3', '2.50'). */
function spelled(typed: Sql, text: Sql, pattern: Sql): Sql {
  return sql`(CASE WHEN CAST(${typed} AS VARCHAR) = ${text} THEN true ELSE ${typed} IS NOT NULL AND regexp_full_match(${text}, ${pattern}) END)`;
}

/** Any spelling of a number ('17850.0', '1e3'), as long as the type holds it exactly. */
export function parseNumeric(type: ColumnType, text: Sql, typed: Sql): ParsedColumn {
  if (type.kind === 'float' || type.kind === 'double') return parseNumber({ kind: type.kind }, text, typed);
  const value = renderExact(text, type.kind === 'decimal' ? type.scale : 0, duckType(type));
  return { value, exact: sql`(${typed} IS NOT NULL)` };
}

const ANY_NUMBER = quoteText('\\s*[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]{1,3})?\\s*');

/**
 * The number that a text writes, in any notation, as a value of a DuckDB type with that scale; NULL where the text is no
 * number or has digits beyond the scale. DuckDB reads text into 128-bit decimals a thousand times slower than into
 * 64-bit ones, so plain numbers that fit take that way.
 */
export function renderExact(text: Sql, scale: number, type: Sql): Sql {
  const digits = Math.min(scale, 4);
  const plain = quoteText(`[+-]?[0-9]{1,13}([.][0-9]{0,${digits}}${digits < 4 ? sql`0{0,${4 - digits}}` : ''})?`);
  const short = sql`TRY_CAST(TRY_CAST(${text} AS DECIMAL(18,4)) AS ${type})`;
  const long = sql`TRY_CAST(TRY_CAST(${text} AS DECIMAL(38,${scale})) AS ${type})`;
  const fits = sql`regexp_full_match(${text}, ${ANY_NUMBER}) AND ${renderFits(text, scale)}`;
  return sql`(CASE WHEN regexp_full_match(${text}, ${plain}) THEN ${short} WHEN ${fits} THEN ${long} END)`;
}

/** Whether the last digit that counts stands no further behind the point than the scale. */
function renderFits(text: Sql, scale: number): Sql {
  const whole = sql`regexp_extract(${text}, ${quoteText('^\\s*[+-]?([0-9]*)')}, 1)`;
  const digits = sql`rtrim(${whole} || regexp_extract(${text}, '[.]([0-9]*)', 1), '0')`;
  const exponent = sql`COALESCE(TRY_CAST(regexp_extract(${text}, '[eE]([+-]?[0-9]+)', 1) AS INTEGER), 0)`;
  return sql`(strlen(${digits}) - strlen(${whole}) - ${exponent} <= ${scale} OR ${digits} = '')`;
}
