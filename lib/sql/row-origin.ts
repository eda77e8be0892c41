import type { BatchRecipe } from '../core/batch-recipe.ts';
import { BRONZE_FILE } from '../core/bronze-file.ts';
import type { MetadataColumn } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import { ATTEMPTS, HASH, RID } from './batch-tables.ts';
import { join, NOTHING, sql } from './fragment.ts';
import { quoteName, quoteText, quoteTexts } from './quote.ts';

/** What the run says of a row, for the columns that a recipe adds. */
export type RowOrigin = {
  /** ISO instant of the run's plan. */
  readonly at: string;
  readonly runId: string;
  /** The key of a row's file, over the row. */
  readonly file: Sql;
};

/** Rows of the model, as `renderUnpacked` has them, with the columns that the recipe adds and the key of their file. */
export function renderAdded(rows: Sql, { added, memory }: BatchRecipe, { at, runId, file }: RowOrigin): Sql {
  const value: Readonly<Record<MetadataColumn, Sql>> = {
    row_hash: sql`k.${HASH}`,
    source_file: file,
    attempt: memory ? sql`coalesce(a.rejections, 0) + 1` : sql`1`,
    ingested_at: sql`CAST(${quoteText(at)} AS TIMESTAMPTZ)`,
    run_id: quoteText(runId),
  };
  const counted = memory && added.some((column) => column.value === 'attempt');
  const attempts = counted ? sql` LEFT JOIN ${ATTEMPTS} a ON a.rid = k.${RID}` : NOTHING;
  const columns = added.map((column) => sql`${value[column.value]} AS ${quoteName(column.name)}`);
  return sql`(SELECT ${join([sql`k.*`, ...columns, sql`${file} AS ${quoteName(BRONZE_FILE.name)}`])} FROM ${rows} k${attempts})`;
}

/** The file of a row that streams past, of a batch with these files. */
export function renderStreamedFile(keys: readonly string[]): Sql {
  const [key] = keys;
  return keys.length < 2 && key !== undefined ? quoteText(key) : sql`${quoteTexts(keys)}[${RID} + 1]`;
}

/**
 * The file of a numbered row: files are numbered one after the other, so that it follows from their first rows, which
 * halving finds in few comparisons. A join would cost as much as the rest of writing, and lose the rows' order.
 */
export function renderNumberedFile(files: readonly { readonly key: string; readonly first: number }[]): Sql {
  const [only] = files;
  if (only === undefined) return sql`CAST(NULL AS VARCHAR)`;
  if (files.length === 1) return quoteText(only.key);
  const middle = Math.ceil(files.length / 2);
  const [before, after] = [files.slice(0, middle), files.slice(middle)];
  return sql`CASE WHEN ${RID} < ${after[0]?.first ?? 0} THEN ${renderNumberedFile(before)} ELSE ${renderNumberedFile(after)} END`;
}
