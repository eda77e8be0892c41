import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { quoteTexts } from './quote.ts';

/** For each name and field id that a column without others in it has in some file: in how many files, and in how many types. */
export function countColumns(paths: readonly string[]): Statement {
  return {
    name: 'columns of files',
    text: sql`SELECT name, field_id, count(*) AS files, count(DISTINCT row(type, converted_type, logical_type, scale, precision)) AS types
FROM parquet_schema(${quoteTexts(paths)}) WHERE coalesce(num_children, 0) = 0 GROUP BY ALL`,
  };
}
