import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { ExchangedTable } from '../../../lib/core/ladder.ts';
import type { TableRef } from '../../../lib/core/spec.ts';
import type { Column } from '../../../lib/core/types.ts';
import { exchangesOf } from '../../../lib/lake/ladder/find-exchanges.ts';
import { readModel } from '../../../lib/lake/ladder/find-split.ts';
import { columnsOfRef } from '../../../lib/lake/tables/table-state.ts';
import type { Session } from '../../../lib/ports.ts';
import { join, sql } from '../../../lib/sql/fragment.ts';
import { quoteName } from '../../../lib/sql/quote.ts';
import { userTerm } from '../../../lib/sql/user-sql.ts';
import { differences, makeRows, model, openTables, runIn, SPEC } from './tables.ts';

let session: Session;
before(async () => {
  session = await openTables();
});
after(() => session[Symbol.asyncDispose]());

const BUCKETS = 3;

/** Each bucket's answer, together. */
async function inBuckets(text: string, tables: readonly ExchangedTable[]): Promise<void> {
  const names: string[] = [];
  for (let bucket = 0; bucket < BUCKETS; bucket += 1) {
    for (const { table, key, columns } of tables) {
      const list = columns.map((name) => `"${name}"`).join(', ');
      const rows = `SELECT ${list} FROM ${table}_all WHERE hash("${key}") % ${BUCKETS} = ${bucket}`;
      await runIn(session, `CREATE OR REPLACE VIEW ${table} AS ${rows}`);
    }
    await runIn(session, `CREATE OR REPLACE TABLE bucket${bucket} AS SELECT * FROM (${text})`);
    names.push(`bucket${bucket}`);
  }
  await whole();
}

async function whole(): Promise<void> {
  for (const table of ['silver.facts', 'silver.dims'])
    await runIn(session, `CREATE OR REPLACE VIEW ${table} AS SELECT * FROM ${table}_all`);
}

const ALL = sql`(${join(
  Array.from({ length: BUCKETS }, (_, at) => sql`SELECT * FROM ${quoteName(`bucket${at}`)}`),
  ' UNION ALL ',
)})`;

const CASES: readonly (readonly [text: string, tables: readonly string[]])[] = [
  ['SELECT k, count(DISTINCT name) AS n FROM silver.facts GROUP BY k', ['silver.facts.k']],
  ['SELECT k, name, median(n) AS n FROM silver.facts GROUP BY ALL', ['silver.facts.k', 'silver.facts.name']],
  [
    'SELECT f.k, count(DISTINCT d.label) AS n FROM silver.facts f JOIN silver.dims d ON f.k = d.k GROUP BY 1',
    ['silver.facts.k+silver.dims.k'],
  ],
  [
    'SELECT k, count(DISTINCT label) AS n FROM silver.facts LEFT JOIN silver.dims USING (k) GROUP BY k',
    ['silver.facts.k+silver.dims.k'],
  ],
  ['SELECT f.id, d.label FROM silver.facts f FULL JOIN silver.dims d ON f.k = d.k', ['silver.facts.k+silver.dims.k']],
  [
    'SELECT f.id, d.label FROM silver.facts f, silver.dims d WHERE f.k = d.k AND f.n > 5',
    ['silver.facts.k+silver.dims.k'],
  ],
  ['SELECT id, k, row_number() OVER (PARTITION BY k ORDER BY id) AS nth FROM silver.facts', ['silver.facts.k']],
  [
    'SELECT id, k FROM silver.facts QUALIFY row_number() OVER (PARTITION BY k ORDER BY id DESC) = 1',
    ['silver.facts.k'],
  ],
  ['SELECT DISTINCT name FROM silver.facts', ['silver.facts.name']],
  [
    'SELECT DISTINCT f.k, f.name FROM silver.facts f JOIN silver.dims d ON f.k = d.k',
    ['silver.facts.k+silver.dims.k', 'silver.facts.name'],
  ],
  [
    'SELECT f.k, sum(f.d1) AS d FROM silver.facts f JOIN silver.dims d ON f.k = d.k WHERE f.k IN (SELECT k FROM silver.facts GROUP BY k HAVING count(*) > 20) GROUP BY f.k',
    ['silver.facts.k+silver.dims.k'],
  ],
  [
    'WITH per AS (SELECT k AS kk, name, count(DISTINCT day) AS days FROM silver.facts GROUP BY k, name) SELECT kk, max(days) AS days FROM per GROUP BY kk',
    ['silver.facts.k'],
  ],
  [
    'SELECT f.name, f.k, count(DISTINCT f.day) AS days FROM (SELECT * FROM silver.facts WHERE n > 0) f GROUP BY f.name, f.k',
    ['silver.facts.name', 'silver.facts.k'],
  ],
  [
    'SELECT k, count(DISTINCT f) AS n, count(DISTINCT name) AS names FROM silver.facts f GROUP BY k',
    ['silver.facts.k'],
  ],
  ['SELECT k, geomean(abs(n)) AS n, count(DISTINCT name) AS names FROM silver.facts GROUP BY k', ['silver.facts.k']],
  [
    "SELECT f.k, count(DISTINCT m.label) AS n FROM silver.facts f JOIN (VALUES (1, 'a'), (2, 'b')) m(k, label) ON f.k = m.k GROUP BY f.k",
    ['silver.facts.k'],
  ],
];

const STOPS: readonly (readonly [text: string, stops: string])[] = [
  ['SELECT count(DISTINCT name) AS n FROM silver.facts', 'no column that is grouped by, or joined with another'],
  [
    'SELECT k + 1 AS k1, count(DISTINCT name) AS n FROM silver.facts GROUP BY 1',
    'no column that is grouped by, or joined with another',
  ],
  ['SELECT k, count(DISTINCT name) AS n FROM silver.facts GROUP BY ROLLUP (k)', 'several grouping sets'],
  [
    'SELECT k, n FROM silver.facts QUALIFY row_number() OVER (PARTITION BY k ORDER BY n) < row_number() OVER (ORDER BY n)',
    'the window function row_number, which is not PARTITION BY the key',
  ],
  ['SELECT k, list(name) AS names FROM silver.facts GROUP BY k', 'the aggregate list in no order'],
  ['SELECT k, count(DISTINCT name) AS n FROM silver.facts GROUP BY k ORDER BY n LIMIT 3', 'LIMIT'],
  ['SELECT k, count(*) AS n FROM silver.facts GROUP BY k UNION ALL SELECT k, 1 FROM silver.dims', 'a set operation'],
  ['SELECT x, count(DISTINCT name) AS n FROM silver.facts GROUP BY x', 'keys of types whose equal values'],
  [
    'SELECT f.id, d.label FROM silver.facts f JOIN silver.dims d ON f.k = d.k AND f.k NOT IN (SELECT k FROM silver.dims)',
    'a subquery in the condition of a JOIN',
  ],
  [
    'SELECT k, count(DISTINCT name) AS n FROM silver.facts WHERE k NOT IN (SELECT k FROM silver.facts) GROUP BY k',
    'a subquery over a table that is kept apart',
  ],
  [
    'SELECT name AS k1, count(DISTINCT day) AS n FROM (SELECT k, max(name) AS name, max(day) AS day FROM silver.facts GROUP BY k) GROUP BY 1',
    'a GROUP BY without the key',
  ],
  [
    'SELECT f.k, count(DISTINCT f.day) AS n FROM silver.dims d LEFT JOIN silver.facts f ON f.n = d.k + 1 GROUP BY f.k',
    'a LEFT JOIN',
  ],
  [
    "SELECT day, max(nth) AS n FROM (SELECT * EXCLUDE (day), date_trunc('month', day) AS day, row_number() OVER (PARTITION BY day ORDER BY id) AS nth FROM silver.facts) GROUP BY day",
    'a GROUP BY without the key',
  ],
  [
    'SELECT k, count(DISTINCT n) AS n FROM (SELECT * RENAME (k AS name, name AS k) FROM silver.facts QUALIFY row_number() OVER (PARTITION BY k ORDER BY id) > 0) GROUP BY k',
    'a GROUP BY without the key',
  ],
  [
    "SELECT f.k, count(DISTINCT d.label) AS n, max(p.n0) AS n0 FROM silver.facts f JOIN silver.dims d ON f.k = d.k, (SELECT * FROM (SELECT name FROM silver.facts) PIVOT (count(*) FOR name IN ('n0'))) p GROUP BY f.k",
    'a table that is kept apart within a PIVOT or VALUES',
  ],
  [
    'SELECT f.k, count(DISTINCT d.label) AS n, max(r.x) AS x FROM silver.facts f JOIN silver.dims d ON f.k = d.k, unnest((SELECT [count(*)] FROM silver.facts)) r(x) GROUP BY f.k',
    'a table that is kept apart within a PIVOT or VALUES',
  ],
  ['SELECT k, count(DISTINCT id) AS n FROM (SELECT * FROM silver.facts) TABLESAMPLE 10 ROWS GROUP BY k', 'TABLESAMPLE'],
  [
    'SELECT weighted_avg(f.n, 1) AS n FROM silver.facts f JOIN silver.dims d ON f.k = d.k',
    'an aggregate over all rows',
  ],
  [
    'SELECT k, json_group_array(name) AS names FROM silver.facts GROUP BY k',
    'the aggregate json_group_array in no order',
  ],
  ['SELECT k, count(DISTINCT id) AS n FROM silver.facts f(k, id) GROUP BY k', 'names of columns in the FROM'],
  [
    'WITH t(name, k) AS (SELECT k, name FROM silver.facts) SELECT k, count(DISTINCT name) AS n FROM t GROUP BY k',
    'names of columns in WITH',
  ],
  [
    'WITH a AS (SELECT * FROM silver.facts), b AS (WITH a AS (SELECT * FROM a WHERE n > 0) SELECT * FROM a) SELECT k, count(DISTINCT name) AS n FROM b GROUP BY k',
    'a, which several WITH give',
  ],
  [
    'SELECT f.k, count(DISTINCT f.day) AS n FROM silver.facts f JOIN silver.facts g ON f.id = g.n GROUP BY f.k',
    'a JOIN of two large tables',
  ],
];

async function exchanges(text: string): Promise<ReturnType<typeof exchangesOf>> {
  return exchangesOf(await readModel(session, SPEC, model(text), {}), (ref) => columnsOfRef(SPEC, ref));
}

test('a query over rows that are kept apart by a key gives, bucket by bucket, the answer over all of them', async () => {
  await makeRows(session, 7, 900);
  await whole();
  for (const [text, tables] of CASES) {
    const found = await exchanges(text);
    assert.ok(!('stops' in found), `${JSON.stringify(found)} of ${text}`);
    const named = found.map((one) => one.map(({ table, key }) => `${table}.${key}`).join('+'));
    assert.deepEqual(named, tables, text);
    for (const exchanged of found) {
      await inBuckets(text, exchanged);
      assert.equal(await differences(session, userTerm(text), ALL), 0, text);
    }
  }
});

test('what needs rows of several buckets at once is refused, and what stops it is said', async () => {
  await makeRows(session, 7, 1);
  await whole();
  for (const [text, stops] of STOPS) {
    const found = await exchanges(text);
    assert.ok('stops' in found && found.stops.startsWith(stops), `${JSON.stringify(found)} of ${text}`);
  }
});

test('keys of tables are of one type as the tables have them, whatever the pipeline says of them', async () => {
  await whole();
  const text = 'SELECT f.id, d.label FROM silver.facts f FULL JOIN silver.dims d ON f.k = d.k';
  const read = await readModel(session, SPEC, model(text), {});
  const wide = { name: 'k', type: { kind: 'bigint' } } as const;
  const columnsOf = (ref: TableRef): readonly Column[] =>
    columnsOfRef(SPEC, ref).map((own) => (ref.name === 'dims' && own.name === 'k' ? wide : own));
  assert.deepEqual(exchangesOf(read, columnsOf), { stops: 'keys of types whose equal values do not have one hash' });
});
