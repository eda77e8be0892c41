import type { Sql, SqlName } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { type Column, type ColumnType, sameType } from '../../core/types.ts';
import { join, sql } from '../fragment.ts';
import { ownName, quoteName, quoteText } from '../quote.ts';
import { duckType } from '../types.ts';

/** The two sides of a comparison in a session: their columns are called by their number in the list of those compared. */
export const FROM = ownName('__from');
export const TO = ownName('__to');

/** A column as one side has it, and the type in which it is compared. */
export type SideColumn = Column & { readonly as: ColumnType };

/** The name of the compared column of a number, in either relation. */
export function columnAt(number: number): SqlName {
  return ownName(`c${number}`);
}

/** A view `name` of a side: its columns in the types in which they are compared. */
export function createSide(name: SqlName, columns: readonly SideColumn[], rows: Sql): Statement {
  const select = columns.map(
    (column, at) => sql`${renderAs(quoteName(column.name), column.type, column.as)} AS ${columnAt(at)}`,
  );
  return { name: `diff ${name}`, text: sql`CREATE VIEW ${name} AS SELECT ${join(select)} FROM ${rows}` };
}

/** A value of one type in the type in which it is compared; a struct with the fields that both sides have. */
function renderAs(value: Sql, type: ColumnType, as: ColumnType): Sql {
  if (sameType(type, as)) return value;
  if (type.kind === 'list' && as.kind === 'list') {
    return sql`list_transform(${value}, lambda __e: ${renderAs(sql`__e`, type.element, as.element)})`;
  }
  if (type.kind === 'struct' && as.kind === 'struct') return renderFields(value, type.fields, as.fields);
  return sql`CAST(${value} AS ${duckType(as)})`;
}

function renderFields(struct: Sql, fields: readonly Column[], as: readonly Column[]): Sql {
  const types = new Map(fields.map(({ name, type }) => [name, type]));
  const packed = as.map((field) => {
    const inner = sql`struct_extract(${struct}, ${quoteText(field.name)})`;
    return sql`${quoteName(field.name)} := ${renderAs(inner, types.get(field.name) ?? field.type, field.type)}`;
  });
  return sql`CASE WHEN ${struct} IS NULL THEN NULL ELSE struct_pack(${join(packed)}) END`;
}

/** Keys are equal where NULLs are, and where both are NaN. */
export function sameKeys(left: SqlName, right: SqlName, keys: readonly number[]): Sql {
  const same = keys.map((key) => sql`${left}.${columnAt(key)} IS NOT DISTINCT FROM ${right}.${columnAt(key)}`);
  return join(same, ' AND ');
}
