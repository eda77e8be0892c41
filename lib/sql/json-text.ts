import type { Sql } from '../core/sql-text.ts';
import { sql } from './fragment.ts';
import { quoteText } from './quote.ts';

/**
 * DuckDB reads a number with a fraction or an exponent as a double and writes that out again. A number of which this would
 * lose digits, or the notation, is made a string beforehand that begins with this mark.
 */
const MARK = sql`chr(1) || chr(1)`;
const MARK_IN_JSON = '\\u0001\\u0001';

const STRING = '"(?:[^"\\\\]|\\\\.)*"';
/** Numbers with an exponent, or of more digits than a double has, or so small that they get an exponent; -0. */
const FRAGILE = '-?[0-9]+(?:\\.[0-9]+)?[eE][+-]?[0-9]+|-?[0-9][0-9.]{15,}|-?0\\.0000[0-9]+|-0(?:\\.[0-9]+)?';
/** What DuckDB takes beyond JSON: a comma before a closing bracket, and words for numbers. */
const LOOSE = ',\\s*[}\\]]|(?:^|[:,\\[])\\s*-?(?i:nan|inf)';

/** Whether the text may hold something that needs a second look; it may also be inside a string. */
export function hasOddities(json: Sql): Sql {
  return sql`regexp_matches(${json}, ${quoteText(`${LOOSE}|[:,\\[\\s](?:-?[0-9][0-9.]*[eE]|-?[0-9.]{16}|-?0\\.0000|-0[,}\\]\\s])`)})`;
}

/** The text, or NULL where it is JSON for DuckDB alone. */
export function strictJson(json: Sql): Sql {
  const bare = sql`regexp_replace(${json}, ${quoteText(STRING)}, '""', 'g')`;
  return sql`(CASE WHEN NOT regexp_matches(${bare}, ${quoteText(LOOSE)}) THEN ${json} END)`;
}

/** The same JSON with its fragile numbers as marked strings. Control characters are no part of JSON, so they are free. */
export function markNumbers(json: Sql): Sql {
  const tokens = quoteText(`(${FRAGILE})|(${STRING}|-?[0-9]+(?:\\.[0-9]+)?)`);
  const split = sql`regexp_replace(${json}, ${tokens}, chr(1) || '\\1' || chr(2) || '\\2', 'g')`;
  const opened = sql`replace(replace(${split}, chr(1) || chr(2), ''), chr(1), ${quoteText(`"${MARK_IN_JSON}`)})`;
  return sql`replace(${opened}, chr(2), '"')`;
}

/** The text of a value of marked JSON: numbers as they were written, but for zeros at the end of a fraction. */
export function unmarkText(text: Sql): Sql {
  const number = sql`substr(${text}, 3)`;
  const zeros = quoteText('^(-?[0-9]+\\.[0-9]+?)0+$');
  const inside = sql`regexp_replace(${text}, ${quoteText(`"\\\\u0001\\\\u0001(-?[0-9]+\\.[0-9]+?)0*"`)}, '\\1', 'g')`;
  const rest = sql`regexp_replace(${inside}, ${quoteText(`"\\\\u0001\\\\u0001(-?[0-9][0-9.eE+-]*)"`)}, '\\1', 'g')`;
  return sql`(CASE WHEN starts_with(${text}, ${MARK}) THEN regexp_replace(${number}, ${zeros}, '\\1') WHEN contains(${text}, ${quoteText(MARK_IN_JSON)}) THEN ${rest} ELSE ${text} END)`;
}

/** The same for a decimal: an exponent moves the point. */
export function unmarkDecimal(text: Sql): Sql {
  const exponent = sql`TRY_CAST(regexp_extract(${text}, '[eE]([+-]?[0-9]{1,3})$', 1) AS INTEGER)`;
  const whole = sql`regexp_extract(${text}, '([0-9]+)', 1)`;
  const digits = sql`(${whole} || regexp_extract(${text}, '[.]([0-9]+)', 1))`;
  // Zeros before and behind: room for the point wherever a decimal of 38 digits may have it.
  const room = 80;
  const padded = sql`(repeat('0', ${room}) || ${digits} || repeat('0', ${room}))`;
  const point = sql`(${room} + strlen(${whole}) + ${exponent})`;
  const sign = sql`(CASE WHEN substr(${text}, 3, 1) = '-' THEN '-' ELSE '' END)`;
  const plain = sql`left(${padded}, ${point}) || '.' || rtrim(substr(${padded}, ${point} + 1), '0')`;
  const moved = sql`${sign} || rtrim(regexp_replace(${plain}, '^0+([0-9])', '\\1'), '.')`;
  return sql`(CASE WHEN starts_with(${text}, ${MARK}) AND ${exponent} BETWEEN -${room} AND ${room} THEN ${moved} ELSE ${unmarkText(text)} END)`;
}
