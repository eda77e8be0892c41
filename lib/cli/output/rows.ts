import type { JsonValue, Row } from '../../ports.ts';

/** A result column; `type` is the DuckDB type where it is known, as Session.describe gives it. */
export type ResultColumn = { readonly name: string; readonly type?: string };

/** The columns of rows that come without a description: those of the first row, then any that only later rows have. */
export function columnsOf(rows: readonly Row[]): readonly ResultColumn[] {
  return [...new Set(rows.flatMap((row) => Object.keys(row)))].map((name) => ({ name }));
}

/** A value as one text; nested values as JSON, null as `undefined`. */
export function textOf(value: JsonValue | undefined): string | undefined {
  if (value === null || value === undefined) return undefined;
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
