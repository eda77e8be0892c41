import type { Expectation } from '../core/spec.ts';
import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import type { Column } from '../core/types.ts';
import { join, sql } from './fragment.ts';
import { guardCondition } from './guard.ts';
import { maskedList } from './masked.ts';
import { ownName, quoteName } from './quote.ts';
import { userSql, userTerm } from './user-sql.ts';

/** The table under audit, as it would be published. */
export const THIS = ownName('this');

/**
 * One number, `broken`: rows (or repeated keys) that offend, 0 when the expectation holds. Plus up to 3 examples where
 * they are keys or counts, which errors and logs may carry; of rows, and of keys that are `personal`, there is none. `guarded`: a row of
 * which a condition raises offends, for a second look in a session that is guarded.
 */
export function checkExpectation(
  expectation: Expectation,
  personal: readonly string[] = [],
  guarded = false,
): Statement {
  const { kind } = expectation;
  const hidden = kind === 'row' || kind === 'sql' || (kind === 'unique' && isPersonal(expectation.columns, personal));
  if (!hidden) return renderCheck(nameOf(expectation), offendingRows(expectation));
  return {
    name: nameOf(expectation),
    text: sql`SELECT count(*) AS broken, NULL AS examples FROM (${offendingRows(expectation, guarded)})`,
  };
}

function isPersonal(columns: readonly string[], personal: readonly string[]): boolean {
  return columns.some((column) => personal.includes(column));
}

function renderCheck(name: string, offending: Sql): Statement {
  return {
    name,
    text: sql`WITH offending AS MATERIALIZED (${offending})
SELECT (SELECT count(*) FROM offending) AS broken,
  (SELECT string_agg(CAST(example AS VARCHAR), ', ') FROM (SELECT offending AS example FROM offending LIMIT 3)) AS examples`,
  };
}

/** The same of a number of rows that is known without counting them. */
export function checkRowCount(expectation: Extract<Expectation, { kind: 'rowCount' }>, rows: bigint): Statement {
  return renderCheck(nameOf(expectation), renderOutside(expectation, sql`SELECT CAST(${rows} AS BIGINT) AS rows`));
}

/** One number, `broken`, without keeping what offends: a table may offend with all of its rows. */
export function countOffending(name: string, offending: Sql): Statement {
  return { name, text: sql`SELECT count(*) AS broken FROM (${offending})` };
}

/** Some of the rows that offend. */
export function sampleOffending(name: string, offending: Sql, rows: number): Statement {
  return { name, text: sql`SELECT * FROM (${offending}) LIMIT ${rows}` };
}

export function nameOf({ name }: Expectation): string {
  return `expectation ${name}`;
}

/** What offends: rows, repeated keys, or the number of rows where that is not as expected. */
export function offendingRows(expectation: Expectation, guarded = false): Sql {
  switch (expectation.kind) {
    case 'unique': {
      const columns = join(expectation.columns.map(quoteName));
      return sql`SELECT ${columns}, count(*) AS rows FROM ${THIS} GROUP BY ${columns} HAVING count(*) > 1`;
    }
    case 'rowCount':
      return renderOutside(expectation, sql`SELECT count(*) AS rows FROM ${THIS}`);
    case 'row': {
      const holds = sql`COALESCE(${userTerm(expectation.condition)}, true)`;
      return sql`SELECT * FROM ${THIS} WHERE NOT ${guarded ? guardCondition(holds) : holds}`;
    }
    case 'sql':
      return userSql(expectation.query);
  }
}

function renderOutside({ min, max }: Extract<Expectation, { kind: 'rowCount' }>, counted: Sql): Sql {
  const bounds = [...(min === null ? [] : [sql`rows < ${min}`]), ...(max === null ? [] : [sql`rows > ${max}`])];
  return sql`SELECT rows FROM (${counted}) WHERE ${join(bounds, ' OR ')}`;
}

/** Rows that are added to a table. */
export const FRESH = ownName('__fresh');

export function createFreshRows(relation: Sql): Statement {
  return { name: 'fresh', text: sql`CREATE VIEW ${FRESH} AS SELECT * FROM ${relation}` };
}

/** `this`, of what a table comes to have: rows that are added, and those of before that are equal to one of them in some columns. */
export function createAppended(before: Sql, columns: readonly string[]): Statement {
  const same = columns.map((name) => sql`t.${quoteName(name)} IS NOT DISTINCT FROM n.${quoteName(name)}`);
  const keys = sql`SELECT DISTINCT ${join(columns.map(quoteName))} FROM ${FRESH}`;
  return {
    name: 'appended',
    text: sql`CREATE VIEW ${THIS} AS SELECT * FROM ${FRESH} UNION ALL BY NAME SELECT t.* FROM ${before} t SEMI JOIN (${keys}) n ON ${join(same, ' AND ')}`,
  };
}

export function createAudited(layer: string, table: string): Statement {
  return { name: 'audited', text: sql`CREATE VIEW ${THIS} AS SELECT * FROM ${quoteName(layer)}.${quoteName(table)}` };
}

/** The first rows, with the values of some columns masked. */
export function previewRows(layer: string, table: string, rows: number, masked: readonly Column[] = []): Statement {
  const columns = masked.length === 0 ? sql`*` : sql`* REPLACE (${maskedList(masked)})`;
  return { name: 'preview', text: sql`SELECT ${columns} FROM ${quoteName(layer)}.${quoteName(table)} LIMIT ${rows}` };
}
