import assert from 'node:assert/strict';
import type { GoldModel, PipelineSpec } from '../../../lib/core/spec.ts';
import type { Sql } from '../../../lib/core/sql-text.ts';
import { type Column, type ColumnType, parseColumnType } from '../../../lib/core/types.ts';
import type { Session } from '../../../lib/ports.ts';
import { sql } from '../../../lib/sql/fragment.ts';
import { createSchemas } from '../../../lib/sql/scan.ts';
import { engineSql } from '../../../lib/sql/user-sql.ts';
import { createTestEngine, readingSession } from '../../support/test-engine.ts';

const typeOf = (text: string): ColumnType => parseColumnType(text) ?? assert.fail(text);
const columns = (of: Readonly<Record<string, string>>): readonly Column[] =>
  Object.entries(of).map(([name, text]) => ({ name, type: typeOf(text) }));

const FACTS = columns({
  id: 'bigint',
  k: 'int',
  name: 'string',
  day: 'date',
  n: 'int',
  big: 'bigint',
  d0: 'decimal(4,1)',
  d1: 'decimal(9,3)',
  d2: 'decimal(18,7)',
  d3: 'decimal(30,5)',
  x: 'double',
  ok: 'boolean',
});
const DIMS = columns({ k: 'int', label: 'string', weight: 'decimal(9,4)' });

export const model = (text: string): GoldModel => ({
  id: 'gold.answer',
  name: 'answer',
  layer: 'gold',
  sql: text,
  sqlFile: null,
  columns: [],
  reads: [
    { layer: 'silver', name: 'facts' },
    { layer: 'silver', name: 'dims' },
  ],
  readsLogs: [],
  partitionBy: [],
  sortBy: [],
  expect: [],
  description: null,
  refresh: { kind: 'full' },
});

const table = (name: string, own: readonly Column[]): GoldModel => ({
  ...model(''),
  id: `silver.${name}`,
  name,
  columns: own,
});

/** As far as tables are found in it. */
export const SPEC = {
  name: 'shop',
  models: [table('facts', FACTS), table('dims', DIMS)],
} as unknown as PipelineSpec;

/** A session with the schema of the tables. */
export async function openTables(): Promise<Session> {
  const session = await createTestEngine().open({ ...readingSession(), threads: 2 });
  for (const statement of createSchemas(['silver'])) await session.run(statement);
  return session;
}

export const runIn = (session: Session, text: string): Promise<void> =>
  session.run({ name: 'test', text: engineSql(text) });

/** Rows by a seed, many of them with NULLs, some groups with none else; dims lack some keys, and have others twice. */
export async function makeRows(session: Session, seed: number, rows: number): Promise<void> {
  const run = (text: string): Promise<void> => runIn(session, text);
  const random = (nth: number): string => `(hash(i * 31 + ${nth}, ${seed}) % 1000003)`;
  const some = (value: string, nth: number): string =>
    `CASE WHEN ${random(nth)} % 5 = 0 OR i % 17 = 4 THEN NULL ELSE ${value} END`;
  await run(`CREATE OR REPLACE TABLE silver.facts_all AS SELECT i AS id, ${some(`CAST(i % 17 AS INTEGER)`, 1)} AS k,
    ${some(`'n' || ${random(2)} % 4`, 3)} AS name, ${some(`DATE '2026-01-01' + CAST(${random(4)} % 3 AS INTEGER)`, 5)} AS day,
    ${some(`CAST(${random(6)} AS INTEGER) - 400000`, 7)} AS n, ${some(`(CAST(${random(8)} AS BIGINT) - 500000) * 9000000000000`, 9)} AS big,
    ${some(`CAST((CAST(${random(10)} AS BIGINT) % 18000 - 9000) / 10.0 AS DECIMAL(4,1))`, 11)} AS d0,
    ${some(`CAST((CAST(${random(12)} AS BIGINT) - 500000) AS DECIMAL(9,3)) / 7 * 3`, 13)}::DECIMAL(9,3) AS d1,
    ${some(`CAST((CAST(${random(14)} AS BIGINT) - 300000) * 12345.6789012 AS DECIMAL(18,7))`, 15)} AS d2,
    ${some(`CAST((CAST(${random(16)} AS HUGEINT) - 600000) * 123456789012345678 AS DECIMAL(30,5)) + 0.00001`, 17)}::DECIMAL(30,5) AS d3,
    ${some(`CAST(${random(18)} AS DOUBLE) / 7`, 19)} AS x, ${some(`${random(20)} % 2 = 0`, 21)} AS ok FROM range(${rows}) r(i)`);
  await run(`CREATE OR REPLACE TABLE silver.dims_all AS SELECT CAST(i % 13 AS INTEGER) AS k, 'l' || i % 5 AS label,
    CAST(i * 1.25 - 3 AS DECIMAL(9,4)) AS weight FROM range(15) r(i)`);
}

/** How many rows one answer has that the other lacks, as often as it has them. */
export async function differences(session: Session, one: Sql, other: Sql): Promise<number> {
  const missing = sql`SELECT * FROM ${one} EXCEPT ALL SELECT * FROM ${other}`;
  const more = sql`SELECT * FROM ${other} EXCEPT ALL SELECT * FROM ${one}`;
  const text = sql`SELECT (SELECT count(*) FROM (${missing})) + (SELECT count(*) FROM (${more})) AS n`;
  return Number((await session.rows({ name: 'differences', text }))[0]?.['n']);
}
