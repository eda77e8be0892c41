import type { JsonValue, Row } from '../../ports.ts';

/**
 * A result column; `type` is the DuckDB type where it is known, as Session.describe gives it. `whole`: names and ids,
 * which are of no use in part.
 */
export type ResultColumn = { readonly name: string; readonly type?: string; readonly whole?: boolean };

/** The columns of rows that come without a description: those of the first row, then any that only later rows have. */
export function columnsOf(rows: readonly Row[]): readonly ResultColumn[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))].map((name) => ({ name }));
}

/** Of the types that DuckDB and Athena give. */
export function isNumberType(type: string | undefined): boolean {
  return type !== undefined && /^(U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?|FLOAT|REAL|DOUBLE|DECIMAL(\(.*\))?)$/i.test(type);
}

/** A value as one text; nested values as JSON, null as `undefined`. */
export function textOf(value: JsonValue | undefined): string | undefined {
  if (value === null || value === undefined) return undefined;
  if (typeof value === 'object') return renderValue(value);
  return Object.is(value, -0) ? NEGATIVE_ZERO : String(value);
}

const NEGATIVE_ZERO = '-0.0';

/** A value as one line of JSON. JSON.stringify alone writes -0.0 as 0. */
export function renderValue(value: JsonValue): string {
  return holdsNegativeZero(value) ? JSON.stringify(value, spellZero) : JSON.stringify(value);
}

function holdsNegativeZero(value: JsonValue): boolean {
  if (value === null || typeof value !== 'object') return Object.is(value, -0);
  return Object.values(value).some(holdsNegativeZero);
}

function spellZero(_name: string, value: unknown): unknown {
  return Object.is(value, -0) ? rawJson(NEGATIVE_ZERO) : value;
}

/** ECMAScript's JSON.rawJSON, which TypeScript does not know yet. */
function rawJson(text: string): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(text);
}
