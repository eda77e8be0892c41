import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { quoteText } from './quote.ts';
import { engineSql, userSql } from './user-sql.ts';

/** DuckDB's parse tree as text in a column `result`, so that no number in it passes through JavaScript's. */
export function serializeSql(text: string): Statement {
  return { name: 'parse', text: sql`SELECT CAST(json_serialize_sql(${quoteText(text)}) AS VARCHAR) AS result` };
}

export function deserializeSql(tree: string): Statement {
  return { name: 'unparse', text: sql`SELECT json_deserialize_sql(${quoteText(tree)}) AS result` };
}

/** The expression of a SELECT of one, as DuckDB prints it. */
export function printedTerm(select: Sql): Sql {
  return sql`(${engineSql(select.replace(/^SELECT\s+/i, ''))})`;
}

/** ORDER BY terms on their own. */
export function orderText(terms: string): Sql {
  return sql`SELECT 1 AS ok ORDER BY ${userSql(terms)}`;
}
