import type { Statement } from '../core/statement.ts';
import { quoteText } from './quote.ts';

/** DuckDB's parse tree as text in a column `result`, so that no number in it passes through JavaScript's. */
export function serializeSql(sql: string): Statement {
  return { name: 'parse', text: `SELECT CAST(json_serialize_sql(${quoteText(sql)}) AS VARCHAR) AS result` };
}

export function deserializeSql(tree: string): Statement {
  return { name: 'unparse', text: `SELECT json_deserialize_sql(${quoteText(tree)}) AS result` };
}

/** ORDER BY terms on their own. */
export function orderText(terms: string): string {
  return `SELECT 1 AS ok ORDER BY ${terms}`;
}
