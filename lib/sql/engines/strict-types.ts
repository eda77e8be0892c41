import type { Dialect } from '../../core/sql-engine.ts';
import type { Sql } from '../../core/sql-text.ts';
import { type Column, type ColumnType, renderColumnType } from '../../core/types.ts';
import { join, sql } from '../fragment.ts';
import { nameIn, quoteText, textIn } from '../quote.ts';

/** Names of types, as `typeof` gives them, whose values a column takes as they are; undefined: the engine itself is strict. */
function takenBy(dialect: Dialect, type: ColumnType): readonly string[] | undefined {
  const trino = dialect === 'trino';
  switch (type.kind) {
    case 'boolean':
    case 'date':
    case 'double':
      return [type.kind];
    case 'int':
      return trino ? ['integer', 'smallint', 'tinyint'] : ['int', 'smallint', 'tinyint'];
    case 'bigint':
      return ['bigint', ...(takenBy(dialect, { kind: 'int' }) ?? [])];
    case 'float':
      return [trino ? 'real' : 'float'];
    case 'decimal':
      return [`decimal(${type.precision},${type.scale})`];
    case 'timestamp':
      return trino ? [0, 3, 6].map((digits) => `timestamp(${digits})`) : ['timestamp_ntz'];
    case 'timestamptz':
      return trino ? [0, 3, 6].map((digits) => `timestamp(${digits}) with time zone`) : ['timestamp'];
    case 'binary':
      return [trino ? 'varbinary' : 'binary'];
    case 'string':
    case 'list':
    case 'struct':
      return undefined;
  }
}

/** A condition that every row meets, and that ends the statement with the name of the column where a type is another. */
export function requireTypes(dialect: Dialect, columns: readonly Column[]): Sql {
  const cases = columns.flatMap(({ name, type }) => {
    const taken = takenBy(dialect, type);
    const got = sql`typeof(${nameIn(dialect, name)})`;
    const expected = quoteText(`; expected ${renderColumnType(type)}`);
    const said = sql`concat(${textIn(dialect, `column ${name}: got `)}, ${got}, ${expected})`;
    const isOther =
      taken === undefined
        ? type.kind === 'string'
          ? sql`NOT (${got} LIKE 'varchar%' OR ${got} IN ('string', 'unknown', 'void'))`
          : undefined
        : sql`${got} NOT IN (${join([...taken, 'unknown', 'void'].map((one) => quoteText(one)))})`;
    return isOther === undefined
      ? []
      : [sql`WHEN ${isOther} THEN ${dialect === 'trino' ? said : sql`raise_error(${said})`}`];
  });
  if (cases.length === 0) return sql`true`;
  // A text that is no boolean cannot be cast to one, which is how Trino says it.
  return dialect === 'trino'
    ? sql`CAST(CASE ${join(cases, '\n')} ELSE 'true' END AS boolean)`
    : sql`CASE ${join(cases, '\n')} ELSE true END`;
}
