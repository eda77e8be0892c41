import type { Expectation } from '../core/spec.ts';
import type { Statement } from '../core/statement.ts';
import { quoteName } from './quote.ts';

/** The table under audit, as it would be published. */
export const THIS = 'this';

/** One number, `broken`: rows (or repeated keys) that offend, 0 when the expectation holds. Plus up to 3 examples. */
export function checkExpectation(expectation: Expectation): Statement {
  const name = `expectation ${expectation.name}`;
  switch (expectation.kind) {
    case 'unique': {
      const columns = expectation.columns.map(quoteName).join(', ');
      const repeated = `SELECT ${columns}, count(*) AS rows FROM ${THIS} GROUP BY ${columns} HAVING count(*) > 1`;
      return { name, text: countOffending(repeated) };
    }
    case 'rowCount': {
      const bounds = [
        ...(expectation.min === null ? [] : [`rows < ${expectation.min}`]),
        ...(expectation.max === null ? [] : [`rows > ${expectation.max}`]),
      ];
      const outside = `SELECT rows FROM (SELECT count(*) AS rows FROM ${THIS}) WHERE ${bounds.join(' OR ')}`;
      return { name, text: countOffending(outside) };
    }
    case 'row': {
      const condition = `NOT COALESCE((${expectation.condition}), true)`;
      return { name, text: countOffending(`SELECT * FROM ${THIS} WHERE ${condition}`) };
    }
    case 'sql':
      return { name, text: countOffending(expectation.query) };
  }
}

function countOffending(query: string): string {
  return `WITH offending AS MATERIALIZED (${query})
SELECT (SELECT count(*) FROM offending) AS broken,
  (SELECT string_agg(CAST(example AS VARCHAR), ', ') FROM (SELECT offending AS example FROM offending LIMIT 3)) AS examples`;
}

export function createAudited(layer: string, table: string): Statement {
  return { name: 'audited', text: `CREATE VIEW ${THIS} AS SELECT * FROM ${quoteName(layer)}.${quoteName(table)}` };
}

export function previewRows(layer: string, table: string, rows: number): Statement {
  return { name: 'preview', text: `SELECT * FROM ${quoteName(layer)}.${quoteName(table)} LIMIT ${rows}` };
}
