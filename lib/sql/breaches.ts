import type { KeyedMode } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { join, sql } from './fragment.ts';
import { TOUCHED } from './keyed.ts';
import { VALID_FROM, VALID_TO } from './keyed-columns.ts';
import { quoteName } from './quote.ts';

/** Some of the keys whose versions break an invariant, with what is wrong; no row when all hold. */
export function findBreaches(mode: KeyedMode, relation: Sql): Statement {
  return { name: 'invariants', text: sql`${renderBreaches(mode, relation)} LIMIT 5` };
}

/** All of them. */
export function renderBreaches(mode: KeyedMode, relation: Sql): Sql {
  const key = join(mode.key.map(quoteName));
  if (mode.kind === 'upsert') {
    return sql`SELECT ${key}, 'more than one row' AS breach FROM ${relation} GROUP BY ${key} HAVING count(*) > 1`;
  }
  const empty = mode.validTo === null ? sql`${VALID_FROM} >= ${VALID_TO}` : sql`${VALID_FROM} > ${VALID_TO}`;
  return sql`WITH followed AS (
  SELECT ${key}, ${VALID_FROM}, ${VALID_TO}, lead(${VALID_FROM}) OVER (PARTITION BY ${key} ORDER BY ${VALID_FROM}) AS __next FROM ${relation}
)
SELECT ${key}, ${VALID_FROM}, ${VALID_TO}, __next AS next_valid_from, CASE
    WHEN ${VALID_TO} IS NULL AND __next IS NOT NULL THEN 'an open row that is not the last'
    WHEN ${VALID_TO} > __next THEN 'overlaps its successor'
    ELSE 'ends before it begins'
  END AS breach
FROM followed
WHERE (${VALID_TO} IS NULL AND __next IS NOT NULL) OR ${VALID_TO} > __next OR ${empty}`;
}

/** The rows of touched keys: the others are copies of rows that were checked when they were written. */
export function renderTouched(mode: KeyedMode, relation: Sql): Sql {
  return sql`(SELECT r.* FROM ${relation} r SEMI JOIN ${TOUCHED} t USING (${join(mode.key.map(quoteName))}))`;
}
