import { namesInFiles } from '../core/renames.ts';
import type { ContractColumn, SourceSpec } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import { join, sql } from './fragment.ts';
import { unmarkDecimal, unmarkText } from './json-text.ts';
import { jsonPointer } from './parse-nested.ts';
import { quoteName, quoteText, quoteTexts } from './quote.ts';

/** The contract's columns in JSON objects, which are `__json` and, where the engine would change numbers, `__marked`. */

export const NOT_AN_OBJECT = 'not a JSON object';

/** With drift `fail` an object may have no other keys than the contract names, as a file may have no other columns. */
export function jsonMisfit(source: SourceSpec): Sql {
  const twice = source.columns.flatMap((column) => namedTwice(column) ?? []);
  const notObject = sql`json_type(__json) IS DISTINCT FROM 'OBJECT' THEN ${quoteText(NOT_AN_OBJECT)}${join(twice, '')}`;
  if (source.drift !== 'fail') return sql`CASE WHEN ${notObject} END`;
  const names = quoteTexts(source.columns.flatMap(namesInFiles));
  const strange = sql`array_to_string(list_filter(json_keys(__json), lambda k: NOT list_contains(${names}, k)), ', ')`;
  const detail = sql`'not in the contract, and drift is ''fail'': key ' || ${strange}`;
  return sql`CASE WHEN ${notObject} WHEN NOT list_has_all(${names}, json_keys(__json)) THEN ${detail} END`;
}

/** A column may come under its name of now or one of before: an object that has two of them says two things. */
function namedTwice(column: ContractColumn): Sql | undefined {
  if (column.renamedFrom === undefined) return undefined;
  const names = namesInFiles(column);
  const count = sql`len(list_filter([${join(names.map(isThere))}], lambda there: there))`;
  const detail = `the keys ${names.join(', ')} are one column, under its names of now and before: expected one of them`;
  return sql` WHEN ${count} > 1 THEN ${quoteText(detail)}`;
}

function isThere(name: string): Sql {
  return sql`COALESCE(json_exists(__json, ${quoteText(jsonPointer(name))}), false)`;
}

/** All names that objects may have a column by, column after column: the places of their texts in `__values`. */
export function placesOf(source: SourceSpec): readonly string[] {
  return source.columns.flatMap(namesInFiles);
}

/** `__values`: the texts of all columns at once; DuckDB parses a record for every extraction. */
export function withValues(source: SourceSpec, json: Sql): Sql {
  const paths = quoteTexts(placesOf(source).map(jsonPointer));
  const lacking = source.columns.flatMap((column, i) => {
    const there = join(namesInFiles(column).map(isThere), ' OR ');
    return column.default === undefined ? [] : [sql`, NOT (${there}) AS ${lackName(i)}`];
  });
  return sql`(SELECT *, json_extract_string(__json, ${paths}) AS __values${join(lacking, '')} FROM ${json})`;
}

/** The text of a JSON value: of a string its content, of a number its digits. */
export function jsonColumn(column: ContractColumn, places: readonly string[]): Sql {
  const names = namesInFiles(column);
  const usual = oneOf(names.map((name) => sql`__values[${places.indexOf(name) + 1}]`));
  const decimal = column.type.kind === 'decimal' && column.parse.kind === 'auto';
  const marked = oneOf(names.map((name) => sql`(__marked ->> ${quoteText(jsonPointer(name))})`));
  const exact = (decimal ? unmarkDecimal : unmarkText)(marked);
  return sql`(CASE WHEN __marked IS NULL THEN ${usual} ELSE ${exact} END)`;
}

/** The one of several values that is there. */
export function oneOf(values: readonly Sql[]): Sql {
  const [only] = values;
  return values.length === 1 && only !== undefined ? only : sql`coalesce(${join(values)})`;
}

/** Whether an object lacks the i-th contract column. */
export function lackName(index: number): Sql {
  return quoteName(`__lacks${index}`);
}

/** Those of a source: the columns that have a default. */
export function lackNames({ columns }: SourceSpec): readonly Sql[] {
  return columns.flatMap((column, i) => (column.default === undefined ? [] : [lackName(i)]));
}
