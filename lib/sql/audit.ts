import type { Expectation } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { join, sql } from './fragment.ts';
import { ownName, quoteName } from './quote.ts';
import { userSql, userTerm } from './user-sql.ts';

/** The table under audit, as it would be published. */
export const THIS = ownName('this');

/** One number, `broken`: rows (or repeated keys) that offend, 0 when the expectation holds. Plus up to 3 examples. */
export function checkExpectation(expectation: Expectation): Statement {
  const name = `expectation ${expectation.name}`;
  switch (expectation.kind) {
    case 'unique': {
      const columns = join(expectation.columns.map(quoteName));
      const repeated = sql`SELECT ${columns}, count(*) AS rows FROM ${THIS} GROUP BY ${columns} HAVING count(*) > 1`;
      return { name, text: countOffending(repeated) };
    }
    case 'rowCount': {
      const bounds = [
        ...(expectation.min === null ? [] : [sql`rows < ${expectation.min}`]),
        ...(expectation.max === null ? [] : [sql`rows > ${expectation.max}`]),
      ];
      const outside = sql`SELECT rows FROM (SELECT count(*) AS rows FROM ${THIS}) WHERE ${join(bounds, ' OR ')}`;
      return { name, text: countOffending(outside) };
    }
    case 'row': {
      const condition = sql`NOT COALESCE(${userTerm(expectation.condition)}, true)`;
      return { name, text: countOffending(sql`SELECT * FROM ${THIS} WHERE ${condition}`) };
    }
    case 'sql':
      return { name, text: countOffending(userSql(expectation.query)) };
  }
}

function countOffending(query: Sql): Sql {
  return sql`WITH offending AS MATERIALIZED (${query})
SELECT (SELECT count(*) FROM offending) AS broken,
  (SELECT string_agg(CAST(example AS VARCHAR), ', ') FROM (SELECT offending AS example FROM offending LIMIT 3)) AS examples`;
}

export function createAudited(layer: string, table: string): Statement {
  return { name: 'audited', text: sql`CREATE VIEW ${THIS} AS SELECT * FROM ${quoteName(layer)}.${quoteName(table)}` };
}

export function previewRows(layer: string, table: string, rows: number): Statement {
  return { name: 'preview', text: sql`SELECT * FROM ${quoteName(layer)}.${quoteName(table)} LIMIT ${rows}` };
}
