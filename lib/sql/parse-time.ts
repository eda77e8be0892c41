import type { ColumnType } from '../core/types.ts';
import { renderNumber } from './parse-number.ts';
import { existing, type ParsedColumn } from './parsed.ts';
import { quoteText } from './quote.ts';
import { duckType } from './types.ts';

type TimeType = { readonly kind: 'date' | 'timestamp' | 'timestamptz' };

/** A day or an instant in ISO 8601; `typed` names its value. */
export function parseTime(type: TimeType, text: string, typed: string): ParsedColumn {
  const cast = `TRY_CAST(${text} AS ${duckType(type)})`;
  if (type.kind === 'date') return { value: cast, exact: `(${calendar(typed, text)} AND strlen(${text}) <= 10)` };
  const instant = type.kind === 'timestamp' ? timestampOf(text) : cast;
  // A millionth of a second is the finest that Iceberg keeps; longer texts may still end in zeros.
  const lost = `CASE WHEN strlen(${text}) > 26 THEN regexp_matches(${text}, '[.][0-9]{6}[0-9]*[1-9]') ELSE false END`;
  return { value: instant, exact: `(${calendar(typed, text)} AND NOT (${lost}))` };
}

/** A text in the first of the formats that it fits. */
export function parseFormats(type: ColumnType, formats: readonly string[], text: string, typed: string): ParsedColumn {
  const tried = formats.map(quoteText).join(', ');
  return existing(`TRY_CAST(try_strptime(${text}, [${tried}]) AS ${duckType(type)})`, typed);
}

/**
 * A day or an instant that the calendar has; DuckDB also takes words, such as `epoch` and `infinity`. Of AND and OR
 * DuckDB works out every part for every row, of CASE only what a row needs.
 */
function calendar(typed: string, text: string): string {
  const digit = `(CASE WHEN ${text} >= '0' AND ${text} < ':' THEN true ELSE ascii(ltrim(${text})) BETWEEN 48 AND 57 END)`;
  return `${typed} IS NOT NULL AND isfinite(${typed}) AND ${digit}`;
}

/** A plain cast to TIMESTAMP ignores an offset, so only texts without room for one take the short way. */
function timestampOf(text: string): string {
  const plain = `strlen(${text}) = 10 OR (strlen(${text}) = 19 AND substr(${text}, 17, 1) = ':')`;
  return `(CASE WHEN ${plain} THEN TRY_CAST(${text} AS TIMESTAMP) ELSE CAST(TRY_CAST(${text} AS TIMESTAMPTZ) AS TIMESTAMP) END)`;
}

/** 0001-01-01 and 9999-12-31T23:59:59 as seconds since 1970. */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;

/** A number of units of `micros` millionths of a second since 1970. */
export function parseEpoch(type: ColumnType, text: string, typed: string, micros: number): ParsedColumn {
  const number = renderNumber(text);
  const whole = `TRY_CAST(${number} AS BIGINT)`;
  // Years 1 to 9999: make_timestamp raises beyond its range, and TRY around it works row by row, a thousand times slower.
  const [first, last] = [FIRST_SECOND, LAST_SECOND].map((second) => second * (1_000_000 / micros));
  const instant = `(CASE WHEN ${whole} BETWEEN ${first} AND ${last} THEN make_timestamp(${whole} * ${micros}) END)`;
  const value = type.kind === 'timestamp' ? instant : `TRY_CAST(${instant} AS ${duckType(type)})`;
  return { value, exact: `(${typed} IS NOT NULL AND ${whole} = ${number})` };
}
