import { quoteName, quoteText } from './quote.ts';

/**
 * SQL of one contract column: its typed value from the raw text, and whether the text holds exactly that value. `exact`
 * names the value by the column's name, since DuckDB would work a repeated expression out again in every condition.
 */
export type ParsedColumn = {
  readonly value: string;
  readonly exact: string;
  /** The JSON text that a list or struct is made from. */
  readonly text?: string;
  /** For a list or struct: what is wrong with its first part that is no value, or NULL; `path` names the whole. */
  readonly fault?: (path: PathSql) => string;
};

/** SQL text that names a part of a column, such as `'items[' || i0 || '].qty'`. */
export type PathSql = string;

/** A column or a part of one. `same`: the value is what was read. */
export type NestedColumn = ParsedColumn & { readonly same: boolean; readonly fault: (path: PathSql) => string };

/** A text is a value of the type wherever the engine finds one. */
export function existing(value: string, typed: string): ParsedColumn {
  return { value, exact: `(${typed} IS NOT NULL)` };
}

/** A struct of parsed fields, NULL where `whole` is. */
export function packStruct(
  whole: string,
  fields: readonly (NestedColumn & { readonly name: string; readonly raw: string })[],
): Omit<NestedColumn, 'same'> {
  const packed = `struct_pack(${fields.map((f) => `${quoteName(f.name)} := ${f.value}`).join(', ')})`;
  const checked = fields.filter((f) => f.exact !== 'true');
  const exact = checked.map((f) => `(${f.raw} IS NULL OR COALESCE(${f.exact}, false))`).join(' AND ');
  return {
    value: `CASE WHEN ${whole} IS NOT NULL THEN ${packed} END`,
    exact: exact === '' ? 'true' : exact,
    fault: (path) => firstOf(checked.map((f) => f.fault(`${path} || ${quoteText(`.${showName(f.name)}`)}`))),
  };
}

/** A list of parsed elements, which are called `item<depth>`. */
export function packList(whole: string, element: NestedColumn, depth: number): Omit<NestedColumn, 'same'> {
  const [item, at] = [`item${depth}`, `at${depth}`];
  const value = `list_transform(${whole}, lambda ${item}: ${element.value})`;
  if (element.exact === 'true') return { value, exact: 'true', fault: () => 'NULL' };
  const broken = `list_filter(${whole}, lambda ${item}: ${item} IS NOT NULL AND NOT COALESCE(${element.exact}, false))`;
  const faults = (path: PathSql): string =>
    `list_transform(${whole}, lambda ${item}, ${at}: ${element.fault(`${path} || '[' || ${at} || ']'`)})`;
  return {
    value,
    exact: `len(${broken}) = 0`,
    fault: (path) => `list_filter(${faults(path)}, lambda fault${depth}: fault${depth} IS NOT NULL)[1]`,
  };
}

/** What stands in place of a value, where something does that is none. */
export function gotText(path: PathSql, raw: string, exact: string, expected: string): string {
  const got = `${path} || ': got ''' || left(CAST(${raw} AS VARCHAR), 80) || ${quoteText(`'; expected ${expected}`)}`;
  return `CASE WHEN ${raw} IS NOT NULL AND NOT COALESCE(${exact}, false) THEN ${got} END`;
}

export function firstOf(faults: readonly string[]): string {
  return faults.length === 0 ? 'NULL' : `coalesce(${faults.join(', ')})`;
}

function showName(name: string): string {
  return /^\w+$/.test(name) ? name : JSON.stringify(name);
}
