import type { Sql } from '../core/sql-text.ts';
import { join, sql } from './fragment.ts';
import { quoteName, quoteText } from './quote.ts';

/**
 * SQL of one contract column: its typed value from the raw text, and whether the text holds exactly that value. `exact`
 * names the value by the column's name, since DuckDB would work a repeated expression out again in every condition.
 */
export type ParsedColumn = {
  readonly value: Sql;
  readonly exact: Sql;
  /** The JSON text that a list or struct is made from. */
  readonly text?: Sql;
  /** Rows that have the column's default, since they lack the column. */
  readonly filled?: Sql;
  /** For a list or struct: what is wrong with its first part that is no value, or NULL; `path` names the whole. */
  readonly fault?: (path: PathSql) => Sql;
};

/** SQL text that names a part of a column, such as `'items[' || i0 || '].qty'`. */
export type PathSql = Sql;

/** A column or a part of one. `same`: the value is what was read. */
export type NestedColumn = ParsedColumn & { readonly same: boolean; readonly fault: (path: PathSql) => Sql };

/** A text is a value of the type wherever the engine finds one. */
export function existing(value: Sql, typed: Sql): ParsedColumn {
  return { value, exact: sql`(${typed} IS NOT NULL)` };
}

/** A struct of parsed fields, NULL where `whole` is. */
export function packStruct(
  whole: Sql,
  fields: readonly (NestedColumn & { readonly name: string; readonly raw: Sql })[],
): Omit<NestedColumn, 'same'> {
  const packed = sql`struct_pack(${join(fields.map((f) => sql`${quoteName(f.name)} := ${f.value}`))})`;
  const checked = fields.filter((f) => f.exact !== 'true');
  const exact = join(
    checked.map((f) => sql`(${f.raw} IS NULL OR COALESCE(${f.exact}, false))`),
    ' AND ',
  );
  return {
    value: sql`CASE WHEN ${whole} IS NOT NULL THEN ${packed} END`,
    exact: exact === '' ? sql`true` : exact,
    fault: (path) => firstOf(checked.map((f) => f.fault(sql`${path} || ${quoteText(`.${showName(f.name)}`)}`))),
  };
}

/** A list of parsed elements, which are called `item<depth>`. */
export function packList(whole: Sql, element: NestedColumn, depth: number): Omit<NestedColumn, 'same'> {
  const [item, at] = [sql`item${depth}`, sql`at${depth}`];
  const value = sql`list_transform(${whole}, lambda ${item}: ${element.value})`;
  if (element.exact === 'true') return { value, exact: sql`true`, fault: () => sql`NULL` };
  const broken = sql`list_filter(${whole}, lambda ${item}: ${item} IS NOT NULL AND NOT COALESCE(${element.exact}, false))`;
  const faults = (path: PathSql): Sql =>
    sql`list_transform(${whole}, lambda ${item}, ${at}: ${element.fault(sql`${path} || '[' || ${at} || ']'`)})`;
  return {
    value,
    exact: sql`len(${broken}) = 0`,
    fault: (path) => sql`list_filter(${faults(path)}, lambda fault${depth}: fault${depth} IS NOT NULL)[1]`,
  };
}

/** What stands in place of a value, where something does that is none. */
export function gotText(path: PathSql, raw: Sql, exact: Sql, expected: string): Sql {
  const got = sql`${path} || ': got ''' || left(CAST(${raw} AS VARCHAR), 80) || ${quoteText(`'; expected ${expected}`)}`;
  return sql`CASE WHEN ${raw} IS NOT NULL AND NOT COALESCE(${exact}, false) THEN ${got} END`;
}

export function firstOf(faults: readonly Sql[]): Sql {
  return faults.length === 0 ? sql`NULL` : sql`coalesce(${join(faults)})`;
}

function showName(name: string): string {
  return /^\w+$/.test(name) ? name : JSON.stringify(name);
}
