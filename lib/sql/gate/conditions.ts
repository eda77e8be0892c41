import type { Sql } from '../../core/sql-text.ts';
import type { Statement } from '../../core/statement.ts';
import { join, sql } from '../fragment.ts';
import { ownName, quoteName, quoteTexts } from '../quote.ts';

/** The two states of a table that a condition is about, each as a view. */
export const PUBLISHED = ownName('published');
export const PREPARED = ownName('prepared');

/** How many keys of what is published are gone from what is prepared. */
export function countGone(keys: readonly string[]): Statement {
  const names = join(keys.map((key) => quoteName(key)));
  return {
    name: 'keys that are gone',
    text: sql`SELECT count(*) AS gone FROM (SELECT ${names} FROM ${PUBLISHED} EXCEPT SELECT ${names} FROM ${PREPARED})`,
  };
}

/** `was` and `now`: the sums of a column over all rows. */
export function sumBoth(column: string): Statement {
  const sum = (of: Sql): Sql => sql`(SELECT CAST(coalesce(sum(${quoteName(column)}), 0) AS DOUBLE) FROM ${of})`;
  return { name: 'sums of a measure', text: sql`SELECT ${sum(PUBLISHED)} AS was, ${sum(PREPARED)} AS now` };
}

/** A row for each of the codes that rejected records have. */
export function countCodes(staged: Sql, codes: readonly string[]): Statement {
  return {
    name: 'forbidden codes',
    text: sql`SELECT code, count(*) AS rows FROM (SELECT unnest(codes) AS code FROM ${staged}) WHERE list_contains(${quoteTexts(codes)}, code) GROUP BY code ORDER BY code`,
  };
}
