import type { BatchRecipe } from '../core/batch-recipe.ts';
import type { Sql } from '../core/sql-text.ts';
import { HASH, RID } from './batch-tables.ts';
import { sql } from './fragment.ts';
import { quoteText } from './quote.ts';
import { NTH_FILE } from './raw-rows.ts';

/**
 * What rows take with them through a model's SQL, which passes one hidden column on, `__rid`. Carried in it, a hash needs
 * no join with the rows that the model was given, nor these a number to join by.
 */

const [NUMBER, CARRIED_HASH] = ['rid', 'hash'];

/** The hidden column of a parsed row `p`: its number or, where rows stream past, the number of its file. */
export function renderRowId({ pass, hidden, carriesHash }: BatchRecipe): Sql {
  const nth = hidden.includes('nth_file') ? sql`p.${NTH_FILE}` : sql`NULL`;
  const number = pass === 'tables' ? sql`p.rowid` : sql`CAST(${nth} AS BIGINT)`;
  return carriesHash ? sql`{${quoteText(NUMBER)}: ${number}, ${quoteText(CARRIED_HASH)}: p.${HASH}}` : number;
}

/** A model's rows, with what they carried in columns of their own. `rows`: a SELECT. */
export function renderUnpacked(rows: Sql, { carriesHash }: Pick<BatchRecipe, 'carriesHash'>): Sql {
  if (!carriesHash) return rows;
  const part = (name: string): Sql => sql`struct_extract(${RID}, ${quoteText(name)})`;
  return sql`SELECT * REPLACE (${part(NUMBER)} AS ${RID}), ${part(CARRIED_HASH)} AS ${HASH} FROM (${rows})`;
}

/** The same as a relation, of rows that stream past. */
export function renderStreamed(rows: Sql, recipe: BatchRecipe): Sql {
  return sql`(${renderUnpacked(rows, recipe)})`;
}
