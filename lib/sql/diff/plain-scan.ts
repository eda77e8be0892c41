import type { Sql } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { join, sql } from '../fragment.ts';
import { quoteName, quoteTexts } from '../quote.ts';
import type { ScanColumn } from '../scan.ts';
import { duckType } from '../types.ts';

/**
 * A scan of columns by name. It takes about half of the work of one by field id, and is right only of files that all have the
 * columns under their names, with their ids, in one type.
 */
export function renderPlainScan(columns: readonly ScanColumn[], paths: readonly string[]): Sql {
  const select = columns.map(
    ({ name, type }) => sql`CAST(${quoteName(name)} AS ${duckType(type)}) AS ${quoteName(name)}`,
  );
  return sql`(SELECT ${join(select)} FROM read_parquet(${quoteTexts(paths)}, hive_partitioning = false))`;
}

/** For each name and field id that a column without others in it has in some file: in how many files, and in how many types. */
export function countColumns(paths: readonly string[]): Statement {
  return {
    name: 'columns of files',
    text: sql`SELECT name, field_id, count(*) AS files, count(DISTINCT row(type, converted_type, logical_type, scale, precision)) AS types
FROM parquet_schema(${quoteTexts(paths)}) WHERE coalesce(num_children, 0) = 0 GROUP BY ALL`,
  };
}
