import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
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

const KEYS = ['k', 'name', 'day', 'ok', 'big', 'd1', 'd3'];
const VALUES = ['n', 'big', 'd0', 'd1', 'd2', 'd3', 'name', 'day', 'ok'];
const NUMBERS = VALUES.slice(0, 6);

/** Of rows in any order the same to the last digit. */
const aggregate = fc.oneof(
  fc.constantFrom(...VALUES, 'x').map((value) => `count(DISTINCT f.${value})`),
  fc.constantFrom(...NUMBERS).map((value) => `sum(f.${value})`),
  fc.constantFrom(...NUMBERS).map((value) => `sum(DISTINCT f.${value}) FILTER (WHERE f.ok)`),
  fc.constantFrom('n', 'd0', 'd1', 'd2').map((value) => `avg(f.${value})`),
  fc.constantFrom('n', 'd1', 'd2', 'day').map((value) => `quantile_disc(f.${value}, 0.3)`),
  fc.constantFrom(
    'count(*)',
    'median(f.d1)',
    "string_agg(f.name, ',' ORDER BY f.id)",
    'max(f.x)',
    'list(f.d3 ORDER BY f.id)',
  ),
);
const WHERE = ['', 'WHERE f.n % 3 <> 1', 'WHERE f.id > 30 AND f.d1 IS NOT NULL', 'WHERE false'] as const;
const JOINS = ['', 'JOIN silver.dims d ON f.k = d.k', 'LEFT JOIN silver.dims d ON d.k = f.k'] as const;

type Parts = {
  readonly key: string;
  readonly value: string;
  readonly list: readonly string[];
  readonly where: string;
  readonly joined: string;
  readonly how: string;
};

const named = (list: readonly string[]): string => list.map((one, at) => `${one} AS v${at}`).join(', ');

/** SQL in which all that comes of a row comes of rows with its key. */
const SHAPES: readonly ((parts: Parts) => string)[] = [
  ({ key, list, where, joined }) =>
    `SELECT f.${key}, ${named(list)} FROM silver.facts f ${joined} ${where} GROUP BY f.${key} HAVING count(*) > 1`,
  ({ key, value, list, where, joined }) =>
    `SELECT f.${key} AS key1, f.${value} AS key2, ${named(list)} FROM silver.facts f ${joined} ${where} GROUP BY ALL`,
  ({ key, value, where }) =>
    `SELECT f.id, sum(f.d3) OVER (PARTITION BY f.${key} ORDER BY f.id) AS so_far, lag(f.${value}) OVER (PARTITION BY f.${key} ORDER BY f.id) AS was
      FROM silver.facts f ${where} QUALIFY row_number() OVER (PARTITION BY f.${key}, f.day ORDER BY f.id DESC) <= 3`,
  ({ key, value, where }) => `SELECT DISTINCT f.${key} AS key1, f.${value} AS key2, f.d2 FROM silver.facts f ${where}`,
  ({ key, value, list: [one], where }) =>
    `WITH per AS (SELECT f.${key} AS kk, f.${value} AS v, ${one} AS a FROM silver.facts f ${where} GROUP BY ALL) SELECT kk, count(DISTINCT a) AS n FROM per GROUP BY kk`,
  ({ list: [one], where, how }) =>
    `SELECT a.k AS ak, a.a, b.* FROM (SELECT f.k, ${one} AS a FROM silver.facts f ${where} GROUP BY f.k) a
      ${how} JOIN (SELECT k, sum(weight) AS w FROM silver.dims GROUP BY k) b ON a.k = b.k`,
  ({ key, list, where }) =>
    `SELECT f.${key}, ${named(list)} FROM (SELECT * FROM silver.facts f ${where}) f
      WHERE f.${key} IN (SELECT g.${key} FROM silver.facts g GROUP BY g.${key} HAVING count(DISTINCT g.day) > 1) GROUP BY f.${key}`,
];

/** SQL that needs rows of several keys at once, or does not: where it is taken, the answer has to be the same. */
const DOUBTFUL: readonly ((parts: Parts) => string)[] = [
  ({ key, value, list: [one], where }) =>
    `WITH per AS (SELECT f.${key} AS kk, f.${value} AS v, ${one} AS a FROM silver.facts f ${where} GROUP BY ALL) SELECT v, count(DISTINCT a) AS n FROM per GROUP BY v`,
  ({ key, value, where }) =>
    `SELECT f.id, sum(f.d1) OVER (PARTITION BY f.${key} ORDER BY f.id) AS a, count(*) OVER (PARTITION BY f.${value}) AS b FROM silver.facts f ${where}`,
  ({ key, list, how }) =>
    `SELECT f.${key}, ${named(list)} FROM silver.facts f ${how} JOIN silver.facts g ON f.id = g.id AND g.n > 0 GROUP BY f.${key}`,
  ({ key, list, how }) =>
    `SELECT f.${key}, ${named(list)} FROM silver.dims d ${how} JOIN silver.facts f ON d.k = f.k GROUP BY f.${key}`,
  ({ list, how }) =>
    `SELECT d.k, ${named(list)} FROM silver.dims d ${how} JOIN silver.facts f ON d.k = f.k GROUP BY d.k`,
  ({ key, list, where }) =>
    `SELECT f.${key}, ${named(list)} FROM (SELECT * FROM silver.facts f ${where}) f ANTI JOIN (SELECT ${key} FROM silver.facts WHERE n < 0) g USING (${key}) GROUP BY f.${key}`,
  ({ key, value, list }) =>
    `SELECT f.${key}, ${named(list)} FROM silver.facts f SEMI JOIN (SELECT ${value} FROM silver.facts WHERE n < 0) g USING (${value}) GROUP BY f.${key}`,
  ({ key, list }) =>
    `SELECT f.${key}, ${named(list)} FROM silver.facts f WHERE f.n > (SELECT avg(n) FROM silver.facts) GROUP BY f.${key}`,
  ({ key, list }) =>
    `SELECT f.${key}, ${named(list)} FROM (SELECT * FROM silver.facts WHERE n > 0 UNION ALL SELECT * FROM silver.facts) f GROUP BY f.${key}`,
  ({ key, value, list }) =>
    `SELECT key1, count(*) AS n FROM (SELECT f.${key} AS key1, coalesce(CAST(f.${value} AS VARCHAR), 'none') AS v, ${named(list)} FROM silver.facts f GROUP BY ALL) GROUP BY key1`,
];

const parts = fc.record({
  key: fc.constantFrom(...KEYS),
  value: fc.constantFrom(...VALUES),
  list: fc.array(aggregate, { minLength: 1, maxLength: 4 }),
  where: fc.constantFrom(...WHERE),
  joined: fc.constantFrom(...JOINS),
  how: fc.constantFrom('', 'LEFT', 'RIGHT', 'FULL'),
});
const queries = fc.oneof(
  fc.tuple(fc.constantFrom(...SHAPES), parts).map(([shape, own]) => ({ text: shape(own), sure: true })),
  fc.tuple(fc.constantFrom(...DOUBTFUL), parts).map(([shape, own]) => ({ text: shape(own), sure: false })),
);

test('SQL of any such shape over any rows gives, bucket by bucket, the answer over all of them', async () => {
  const cases = fc.record({ query: queries, seed: fc.nat(1_000), rows: fc.constantFrom(0, 40, 900) });
  await fc.assert(
    fc.asyncProperty(cases, async ({ query: { text, sure }, seed, rows }) => {
      await makeRows(session, seed, rows);
      await whole();
      const found = await exchanges(text);
      if ('stops' in found) {
        assert.ok(!sure, `${found.stops} of ${text}`);
        return;
      }
      for (const exchanged of found) {
        await inBuckets(text, exchanged);
        assert.equal(await differences(session, userTerm(text), ALL), 0, `${JSON.stringify(exchanged)} of ${text}`);
      }
    }),
    { numRuns: 16 },
  );
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
