import type { Sql } from '../core/sql-text.ts';
import type { Column, ColumnType } from '../core/types.ts';
import { join, sql } from './fragment.ts';
import { quoteName, quoteText } from './quote.ts';

/**
 * DuckDB's Parquet writer takes -0.0 and 0.0 for one entry of a column's dictionary, so that both come back as the one
 * that was met first. It has no switch for one column, and files without dictionaries are larger: rows are written as
 * usual until a -0.0 is met, and then anew without dictionaries.
 */
export const NEGATIVE_ZERO = 'strata: a -0.0, which a dictionary would lose';

/** The option of COPY that writes every column without a dictionary. */
export const NO_DICTIONARY = sql`DICTIONARY_SIZE_LIMIT 0`;

/** The expression itself, failing with NEGATIVE_ZERO where it is or holds a -0.0. */
export function refuseNegativeZero(expression: Sql, type: ColumnType): Sql {
  const found = findNegativeZero(expression, type);
  if (found === undefined) return expression;
  return sql`CASE WHEN ${found} THEN error(${quoteText(NEGATIVE_ZERO)}) ELSE ${expression} END`;
}

export function holdsFloats(columns: readonly Pick<Column, 'type'>[]): boolean {
  return columns.some(({ type }) => findNegativeZero(sql`x`, type) !== undefined);
}

/** `SELECT *`, with NEGATIVE_ZERO raised by the columns that may hold one. */
export function selectWithoutNegativeZero(columns: readonly Column[]): Sql {
  const floats = columns.filter((column) => holdsFloats([column]));
  if (floats.length === 0) return sql`*`;
  const checked = floats.map((c) => sql`${refuseNegativeZero(quoteName(c.name), c.type)} AS ${quoteName(c.name)}`);
  return sql`* REPLACE (${join(checked)})`;
}

/** A condition, never NULL where the value is not; `undefined` for a type that has no floating numbers. */
function findNegativeZero(value: Sql, type: ColumnType): Sql | undefined {
  switch (type.kind) {
    case 'float':
    case 'double':
      return sql`(${value} = 0 AND signbit(${value}))`;
    case 'list': {
      const element = findNegativeZero(sql`__e`, type.element);
      return element && sql`coalesce(list_bool_or(list_transform(${value}, lambda __e: ${element})), false)`;
    }
    case 'struct': {
      const fields = type.fields.flatMap(
        (field) => findNegativeZero(sql`struct_extract(${value}, ${quoteText(field.name)})`, field.type) ?? [],
      );
      return fields.length === 0
        ? undefined
        : sql`(${join(
            fields.map((one) => sql`coalesce(${one}, false)`),
            ' OR ',
          )})`;
    }
    default:
      return undefined;
  }
}
