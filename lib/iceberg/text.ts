import { InvalidInput } from '../core/errors.ts';
import { daysFromCivil, isCivilDate, MICROS_PER_DAY, MICROS_PER_SECOND } from './calendar.ts';
import { decimalOf } from './schema.ts';
import { type IcebergTransform, resultType } from './transforms.ts';
import type { IcebergType, IcebergValue } from './types.ts';

/**
 * Values from the text that DuckDB prints. A text that we do not understand is undefined, never a guess: a missing
 * bound only costs a file read, a wrong one loses rows.
 */

/** A `min` or `max` of COPY ... RETURN_STATS: booleans are 0 and 1, binary is hexadecimal. */
export function parseStatText(type: IcebergType, text: string): IcebergValue | undefined {
  if (type === 'binary') return parseHex(text);
  return parseScalarText(type, text);
}

/** What `CAST(x AS VARCHAR)` prints, which is also the text of a PARTITION_BY value. */
export function parseScalarText(type: IcebergType, text: string): IcebergValue | undefined {
  const decimal = decimalOf(type);
  if (decimal !== undefined) return parseDecimal(text, decimal.scale);
  switch (type) {
    case 'boolean':
      return parseBoolean(text);
    case 'int':
      return parseInt32(text);
    case 'long':
      return parseInt64(text);
    case 'float':
      return toFloat(parseFloating(text));
    case 'double':
      return parseFloating(text);
    case 'date':
      return parseDate(text);
    case 'time':
      return parseTime(text);
    case 'timestamp':
    case 'timestamptz':
      return parseTimestamp(text);
    case 'string':
      return text;
    case 'binary':
      return parseBlob(text);
    default:
      return undefined;
  }
}

/**
 * A partition value from its text: the number for bucket, year, month and hour; the date or the number of days for
 * day; otherwise the value's own text. Throws InvalidInput for a text that is no such value.
 */
export function parsePartitionText(
  transform: IcebergTransform,
  source: IcebergType,
  text: string | null,
): IcebergValue {
  if (text === null || transform.kind === 'void') return null;
  const type = resultType(transform, source);
  const value = parseScalarText(type, text) ?? (transform.kind === 'day' ? parseInt32(text) : undefined);
  if (value === undefined) {
    throw new InvalidInput(
      `a partition value: got ${JSON.stringify(text)}; expected the text of a ${JSON.stringify(type)}`,
    );
  }
  return value;
}

function parseBoolean(text: string): boolean | undefined {
  if (text === '1' || text === 'true') return true;
  return text === '0' || text === 'false' ? false : undefined;
}

function parseInt32(text: string): number | undefined {
  const value = parseInt64(text);
  return value !== undefined && BigInt.asIntN(32, value) === value ? Number(value) : undefined;
}

function parseInt64(text: string): bigint | undefined {
  if (!/^-?\d+$/.test(text)) return undefined;
  const value = BigInt(text);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function parseFloating(text: string): number | undefined {
  const special: Readonly<Record<string, number>> = { nan: Number.NaN, inf: Infinity, '-inf': -Infinity };
  if (special[text] !== undefined) return special[text];
  return /^-?\d+(\.\d*)?(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** DuckDB prints the shortest text that finds the float again: 0.1 is 0.10000000149. */
function toFloat(value: number | undefined): number | undefined {
  return value === undefined ? undefined : Math.fround(value);
}

/** The unscaled value; digits never pass through a floating number. */
function parseDecimal(text: string, scale: number): bigint | undefined {
  const [, sign, whole, fraction = ''] = /^(-?)(\d*)(?:\.(\d*))?$/.exec(text) ?? [];
  if (whole === undefined || `${whole}${fraction}` === '' || fraction.length > scale) return undefined;
  const unscaled = BigInt(`${whole}${fraction.padEnd(scale, '0')}`);
  return sign === '-' ? -unscaled : unscaled;
}

/** `2020-01-31`, `12345-01-02`, `0044-03-15 (BC)`; not `infinity`. */
function parseDate(text: string): number | undefined {
  const [, digits, month, day, bc] = /^(\d{4,7})-(\d\d)-(\d\d)( \(BC\))?$/.exec(text) ?? [];
  if (digits === undefined) return undefined;
  const year = bc === undefined ? Number(digits) : 1 - Number(digits);
  const date = { year, month: Number(month), day: Number(day) };
  const days = daysFromCivil(date);
  return isCivilDate(date) && days === (days | 0) ? days : undefined;
}

function parseTime(text: string): bigint | undefined {
  const [, hours, minutes, seconds, fraction = ''] = /^(\d\d):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/.exec(text) ?? [];
  if (hours === undefined) return undefined;
  const whole = BigInt(hours) * 3600n + BigInt(minutes ?? 0) * 60n + BigInt(seconds ?? 0);
  return whole * MICROS_PER_SECOND + BigInt(fraction.padEnd(6, '0'));
}

/** `<date> <time>` with an optional offset such as `+00`, `-03:30`; microseconds since 1970. */
function parseTimestamp(text: string): bigint | undefined {
  const [, date, time, sign, hours, minutes = '0', seconds = '0'] =
    /^(.*)[ T](\d\d:\d\d:\d\d(?:\.\d{1,6})?)(?:([+-])(\d\d)(?::(\d\d))?(?::(\d\d))?)?$/.exec(text) ?? [];
  const days = parseDate(date ?? '');
  const micros = parseTime(time ?? '');
  if (days === undefined || micros === undefined) return undefined;
  const offset = (BigInt(hours ?? 0) * 3600n + BigInt(minutes) * 60n + BigInt(seconds)) * MICROS_PER_SECOND;
  const value = BigInt(days) * MICROS_PER_DAY + micros - (sign === '-' ? -offset : offset);
  return BigInt.asIntN(64, value) === value ? value : undefined;
}

function parseHex(text: string): Uint8Array | undefined {
  if (!/^(?:[0-9a-f]{2})*$/i.test(text)) return undefined;
  return Uint8Array.from(text.match(/../g) ?? [], (pair) => Number.parseInt(pair, 16));
}

/** Printable bytes stand for themselves, others are `\xNN`. */
function parseBlob(text: string): Uint8Array | undefined {
  if (!/^(?:\\x[0-9a-f]{2}|[ -[\]-~])*$/i.test(text)) return undefined;
  const units = text.match(/\\x..|./g) ?? [];
  return Uint8Array.from(units, (unit) =>
    unit.length === 1 ? unit.charCodeAt(0) : Number.parseInt(unit.slice(2), 16),
  );
}
