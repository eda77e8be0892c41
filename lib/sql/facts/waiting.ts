import { OPS_TABLES, type OpsTable } from '../../core/ops.ts';
import type { Sql } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { join, sql } from '../fragment.ts';
import { quoteName, quotePath, quoteText, quoteTexts } from '../quote.ts';
import type { ViewName } from '../scan.ts';
import { duckType, renderCast } from '../types.ts';

/** The rows of a book that wait in objects at local paths; they are read at once, since the objects may go. */
export function createWaiting({ schema, table }: ViewName, book: OpsTable, paths: readonly string[]): Statement {
  const columns = OPS_TABLES[book].map(({ name, type }) => sql`${renderCast(name, type)} AS ${quoteName(name)}`);
  return {
    name: `waiting ${book}`,
    text: sql`CREATE OR REPLACE TABLE ${quotePath(schema, table)} AS SELECT ${join(columns)}
FROM (SELECT unnest(waiting) FROM (SELECT unnest(${quoteName(book)}) AS waiting FROM ${renderWaiting(book, paths)}))`,
  };
}

/** A book as a query sees it: the rows that are in its table, and those that wait and are not in it yet. */
export function createWithWaiting(name: ViewName, kept: ViewName, waiting: ViewName, book: OpsTable): Statement {
  const names = join(OPS_TABLES[book].map((column) => quoteName(column.name)));
  const from = ({ schema, table }: ViewName): Sql => sql`SELECT ${names} FROM ${quotePath(schema, table)}`;
  return {
    name: `all of ${book}`,
    text: sql`CREATE OR REPLACE VIEW ${quotePath(name.schema, name.table)} AS ${from(kept)} UNION ALL (${from(waiting)} EXCEPT ${from(kept)})`,
  };
}

/** Each object is one line, and one that somebody has damaged, or that is any other JSON, has no rows and hides none; instants are text until they are cast. */
function renderWaiting(book: OpsTable, paths: readonly string[]): Sql {
  const fields = OPS_TABLES[book].map(({ name, type }) => {
    return sql`${quoteName(name)} ${type.kind === 'timestamptz' ? sql`VARCHAR` : duckType(type)}`;
  });
  const rows = sql`STRUCT(${join(fields)})[]`;
  return sql`read_json(${quoteTexts(paths)}, format = 'newline_delimited', records = true, ignore_errors = true, columns = {${quoteName(book)}: ${quoteText(rows)}})`;
}
