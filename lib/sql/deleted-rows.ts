import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { join, sql } from './fragment.ts';
import { quoteText, quoteTexts } from './quote.ts';

/** What takes rows out of a data file that stays as it is: Parquet files of (file_path, pos). */
export type Deleted = {
  /** What those files may call the data file. */
  readonly names: readonly string[];
  readonly sequence: bigint;
  readonly by: readonly { readonly path: string; readonly sequence: bigint }[];
};

/**
 * The condition under which rows of a scan `__s` over `files`, in this order, stay: an anti join with what the delete files
 * say. One that is older than a data file says nothing of it, even where the name is the same. Their columns are found by
 * name, which the format fixes as well: where one is missing that is an error, and by its id it would be NULL.
 */
export function renderAntiJoin(files: readonly Deleted[]): Sql {
  return sql`ANTI JOIN ${renderDeleted(files)} __gone ON CAST(__s.file_index AS BIGINT) = __gone.number AND __s.file_row_number = __gone.pos`;
}

/** The rows that are gone from data files. */
export function countDeleted(files: readonly Deleted[]): Statement {
  return {
    name: 'count_deleted',
    text: sql`SELECT count(*) AS rows FROM (SELECT DISTINCT number, pos FROM ${renderDeleted(files)})`,
  };
}

/** The number of a file in the list, and the places of its rows that are gone; a place may come more than once. */
function renderDeleted(files: readonly Deleted[]): Sql {
  const by = new Map(files.flatMap((file) => file.by).map((one) => [one.path, one.sequence]));
  const ages = join([...by.values()].map((sequence) => sql`${sequence}`));
  const named = files.flatMap(({ names, sequence }, at) =>
    names.map((name) => sql`(${quoteText(name)}, ${at}, ${sequence})`),
  );
  return sql`(SELECT f.number, d.pos
  FROM (SELECT file_path, pos, [${ages}][CAST(file_index AS BIGINT) + 1] AS age FROM read_parquet(${quoteTexts([...by.keys()])}, hive_partitioning = false, union_by_name = true)) d
  JOIN (VALUES ${join(named)}) f(name, number, since) ON d.file_path = f.name AND d.age >= f.since)`;
}
