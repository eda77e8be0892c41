import type { Sql } from '../core/sql-text.ts';
import type { ColumnType } from '../core/types.ts';
import { sql } from './fragment.ts';
import { parseFormats } from './parse-format.ts';
import { renderExact } from './parse-number.ts';
import type { ParsedColumn } from './parsed.ts';
import { quoteText } from './quote.ts';
import { OFFSET } from './time-format.ts';
import { duckType } from './types.ts';

export type TimeType = { readonly kind: 'date' | 'timestamp' | 'timestamptz' };

const DAY = '[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}';
const MINUTE = '[T ](?:[01]?[0-9]|2[0-3]):[0-5]?[0-9]';
/** A millionth of a second is the finest that Iceberg keeps; longer texts may still end in zeros. */
const SECOND = ':[0-5]?[0-9](?:[.][0-9]{1,6}0*)?';
const ISO_ZONE = `(?:${OFFSET}| UTC)`;
const ISO_DAY = quoteText(`\\s*${DAY}\\s*`);
const ISO_LOCAL = quoteText(`\\s*${DAY}(?:${MINUTE}(?:${SECOND})?)?\\s*`);
const ISO_OFFSET = quoteText(`\\s*${DAY}${MINUTE}${SECOND}${ISO_ZONE}\\s*`);
const ISO_MINUTE_OFFSET = quoteText(`(\\s*${DAY}${MINUTE})(${ISO_ZONE}\\s*)`);

/** A day or an instant in ISO 8601; `typed` names its value. */
export function parseTime(type: TimeType, text: Sql, typed: Sql): ParsedColumn {
  if (type.kind === 'date') {
    const cast = sql`TRY_CAST(${text} AS DATE)`;
    // The comparison settles nearly every row: words, years before 1 and after 9999 are of another length.
    const same = sql`strlen(${text}) = 10 AND CAST(${typed} AS VARCHAR) = ${text}`;
    const odd = sql`regexp_full_match(${text}, ${ISO_DAY}) AND ${inCalendar(typed, type)}`;
    return { value: cast, exact: sql`(CASE WHEN ${same} THEN true ELSE ${odd} END)` };
  }
  if (type.kind === 'timestamptz') {
    return { value: sql`CAST(${instantOf(text)} AS TIMESTAMPTZ)`, exact: sql`(${inCalendar(typed, type)})` };
  }
  // As usually written ('2020-01-31 12:00:00', and dates), a text is cast first and held against the value afterwards.
  const usual = sql`strlen(${text}) = 10 OR ${text} LIKE '____-__-_____:__:__'`;
  const same = sql`strlen(${text}) = 19 AND CAST(${typed} AS VARCHAR) = ${text}`;
  // No offset but a Z has room in it, and that changes no value.
  const odd = sql`(regexp_full_match(${text}, ${ISO_LOCAL}) OR regexp_full_match(${text}, ${ISO_OFFSET})) AND ${inCalendar(typed, type)}`;
  return {
    value: sql`(CASE WHEN ${usual} THEN TRY_CAST(${text} AS TIMESTAMP) ELSE ${instantOf(text)} END)`,
    exact: sql`(CASE WHEN ${same} THEN true WHEN ${usual} THEN ${odd} ELSE ${inCalendar(typed, type)} END)`,
  };
}

/** A text in the first of the formats that it fits. */
export function parseByFormats(type: TimeType, formats: readonly string[], text: Sql, typed: Sql): ParsedColumn {
  const instant = parseFormats(type.kind, formats, text);
  const value = type.kind === 'timestamp' ? instant : sql`CAST(${instant} AS ${duckType(type)})`;
  return { value, exact: sql`(${inCalendar(typed, type)})` };
}

/**
 * An instant in UTC. Only a text with an offset of its own is cast to TIMESTAMPTZ: given a text without one, DuckDB takes
 * the zone that the last row named. Of CASE, DuckDB works out for a row only what the row needs.
 */
function instantOf(text: Sql): Sql {
  const cast = (what: Sql): Sql => sql`TRY_CAST(trim(${what}) AS TIMESTAMP)`;
  const shifted = (what: Sql): Sql => sql`CAST(TRY_CAST(${what} AS TIMESTAMPTZ) AS TIMESTAMP)`;
  return sql`(CASE WHEN regexp_full_match(${text}, ${ISO_LOCAL}) THEN ${cast(text)} WHEN regexp_full_match(${text}, ${ISO_OFFSET}) THEN ${shifted(text)} WHEN regexp_full_match(${text}, ${ISO_MINUTE_OFFSET}) THEN ${shifted(sql`regexp_replace(${text}, ${ISO_MINUTE_OFFSET}, '\\1:00\\2')`)} END)`;
}

/** Years 1 to 9999; false for no value. */
export function inCalendar(typed: Sql, { kind }: TimeType): Sql {
  const name = duckType({ kind });
  return sql`COALESCE(${typed} >= ${name} '0001-01-01' AND ${typed} < ${name} '10000-01-01', false)`;
}

/** 0001-01-01 and 9999-12-31T23:59:59 as seconds since 1970. */
const FIRST_SECOND = -62_135_596_800;
const LAST_SECOND = 253_402_300_799;

/** A number of units of `micros` millionths of a second since 1970. */
export function parseEpoch(type: ColumnType, text: Sql, typed: Sql, micros: number): ParsedColumn {
  const whole = renderExact(text, 0, sql`BIGINT`);
  // Years 1 to 9999: make_timestamp raises beyond its range, and TRY around it works row by row, a thousand times slower.
  const perSecond = 1_000_000 / micros;
  const instant = sql`(CASE WHEN ${whole} BETWEEN ${FIRST_SECOND * perSecond} AND ${LAST_SECOND * perSecond} THEN make_timestamp(${whole} * ${micros}) END)`;
  const value = type.kind === 'timestamp' ? instant : sql`TRY_CAST(${instant} AS ${duckType(type)})`;
  return { value, exact: sql`(${typed} IS NOT NULL)` };
}
