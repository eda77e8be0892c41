/**
 * SQL of one contract column: its typed value from the raw text, and whether the text holds exactly that value. `exact`
 * names the value by the column's name, since DuckDB would work a repeated expression out again in every condition.
 */
export type ParsedColumn = { readonly value: string; readonly exact: string };

/** A text is a value of the type wherever the engine finds one. */
export function existing(value: string, typed: string): ParsedColumn {
  return { value, exact: `(${typed} IS NOT NULL)` };
}
