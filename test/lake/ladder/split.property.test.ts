import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { findSplit, readModel, type Split } from '../../../lib/lake/ladder/find-split.ts';
import type { Session } from '../../../lib/ports.ts';
import { join, sql } from '../../../lib/sql/fragment.ts';
import { bitsOf, type DivisionBits, probeDivision } from '../../../lib/sql/ladder/average.ts';
import { createPartials } from '../../../lib/sql/ladder/buckets.ts';
import { PARTIALS, renderMap, renderReduce } from '../../../lib/sql/ladder/reduce.ts';
import { quoteName } from '../../../lib/sql/quote.ts';
import { userTerm } from '../../../lib/sql/user-sql.ts';
import { differences, makeRows, model, openTables, runIn, SPEC } from './tables.ts';

let session: Session;
let bits: DivisionBits;
before(async () => {
  session = await openTables();
  const [probed] = await session.rows(probeDivision());
  bits = bitsOf(probed);
});
after(() => session[Symbol.asyncDispose]());

const run = (text: string): Promise<void> => runIn(session, text);

/** Every unit's rows, where it is as if the table had no others; those of unit 0 alone are none. */
async function inUnits(units: number, split: Split): Promise<void> {
  const views: string[] = [];
  for (let unit = 0; unit < units; unit += 1) {
    await run(`CREATE OR REPLACE VIEW silver.facts AS SELECT * FROM silver.facts_all WHERE id % ${units} = ${unit} AND ${unit} > 0
      OR ${units} = 1`);
    if (units > 1 && unit === 1)
      await run(`CREATE OR REPLACE VIEW silver.facts AS SELECT * FROM silver.facts_all WHERE id % ${units} < 2`);
    await run(`CREATE OR REPLACE TABLE part${unit} AS SELECT * FROM ${renderMap(split)}`);
    views.push(`part${unit}`);
  }
  const all = sql`(${join(
    views.map((name) => sql`SELECT * FROM ${quoteName(name)}`),
    ' UNION ALL ',
  )})`;
  await session.run(createPartials(PARTIALS, all));
  await run('CREATE OR REPLACE VIEW silver.facts AS SELECT * FROM silver.facts_all');
}

async function bind(): Promise<void> {
  for (const table of ['silver.facts', 'silver.dims'])
    await run(`CREATE OR REPLACE VIEW ${table} AS SELECT * FROM ${table}_all`);
}

async function splitOf(text: string): ReturnType<typeof findSplit> {
  return findSplit(session, await readModel(session, SPEC, model(text), {}));
}

const KEYS = ['f.k', 'name', 'day', 'f.k % 3', 'label', "coalesce(name, 'none')", 'ok', 'd0', 'CAST(n AS VARCHAR)'];
const NUMBERS = [
  'n',
  'big',
  'd0',
  'd1',
  'd2',
  'd3',
  'n * 2',
  'd0 * d1',
  'weight',
  'CAST(n AS SMALLINT)',
  'd1 - weight',
];
const VALUES = [...NUMBERS.filter((one) => !one.startsWith('CAST')), 'name', 'day', 'x', 'ok'];

const aggregate = fc.oneof(
  fc.constantFrom(...NUMBERS.slice(0, 9)).map((value) => `sum(${value})`),
  fc.constantFrom('n', 'big', 'd0', 'd1', 'd2', 'weight', 'n * 2').map((value) => `avg(${value})`),
  fc.constantFrom(...VALUES).map((value) => `min(${value})`),
  fc.constantFrom(...VALUES).map((value) => `max(${value})`),
  fc.constantFrom(...VALUES).map((value) => `count(${value})`),
  fc.constantFrom(
    'count(*)',
    'count(*) FILTER (WHERE ok)',
    'sum(d1) FILTER (WHERE n > 0)',
    'avg(d2) FILTER (WHERE ok)',
  ),
);
const expression = fc.oneof(
  { weight: 3, arbitrary: aggregate },
  {
    weight: 1,
    arbitrary: fc
      .tuple(aggregate, aggregate)
      .map(([a, b]) => `CASE WHEN ${a} IS NULL THEN 'none' ELSE CAST(${b} AS VARCHAR) END`),
  },
  { weight: 1, arbitrary: fc.constant('sum(d1) / nullif(count(*), 0) + max(d0)') },
);
const query = fc
  .record({
    keys: fc.uniqueArray(fc.constantFrom(...KEYS), { maxLength: 3 }),
    list: fc.array(expression, { minLength: 1, maxLength: 5 }),
    where: fc.constantFrom('', 'WHERE n % 3 <> 1', 'WHERE label IS NOT NULL AND id > 30', 'WHERE false'),
    having: fc.constantFrom('', 'HAVING count(*) > 4', 'HAVING sum(d1) > 0', 'HAVING max(n) IS NULL OR avg(d2) < 0'),
    join: fc.constantFrom('LEFT JOIN', 'JOIN'),
    by: fc.constantFrom('names', 'places', 'all'),
    within: fc.constantFrom('', 'with'),
  })
  .map(({ keys, list, where, having, join: how, by, within }) => {
    const items = [...keys.map((key, at) => `${key} AS key${at}`), ...list.map((one, at) => `${one} AS v${at}`)];
    const groups = { names: keys.join(', '), places: keys.map((_, at) => at + 1).join(', '), all: 'ALL' }[by];
    const group = keys.length === 0 ? '' : `GROUP BY ${groups}`;
    const from = within === '' ? 'silver.facts' : 'own';
    const cte = within === '' ? '' : 'WITH own AS (SELECT * FROM silver.facts WHERE id <> 7) ';
    return `${cte}SELECT ${items.join(', ')} FROM ${from} f ${how} silver.dims d ON f.k = d.k ${where} ${group} ${having}`;
  });

const EXAMPLES = [
  // Rows of several fields differ by the names of these alone.
  "SELECT name, max(CAST({'a': n} AS VARCHAR)) AS a, max(CAST({'b': n} AS VARCHAR)) AS b FROM silver.facts GROUP BY name",
  // Of no rows there is one group, as ALL groups by no constant.
  "SELECT 'all' AS kind, count(*) AS n FROM silver.facts WHERE false GROUP BY ALL",
  "SELECT 'one' AS kind, k, count(*) AS n FROM silver.facts GROUP BY ALL",
];

test('what units aggregate, each some rows of a table, equals the answer over all of them', async () => {
  const cases = fc.record({
    text: query,
    units: fc.integer({ min: 1, max: 7 }),
    seed: fc.nat(1_000),
    rows: fc.constantFrom(0, 40, 900),
  });
  await fc.assert(
    fc.asyncProperty(cases, async ({ text, units, seed, rows }) => {
      await makeRows(session, seed, rows);
      await bind();
      const split = await splitOf(text);
      assert.ok(!('stops' in split), `${JSON.stringify(split)} of ${text}`);
      await inUnits(units, split);
      assert.equal(await differences(session, userTerm(text), renderReduce(split, bits)), 0, text);
    }),
    { numRuns: 16, examples: EXAMPLES.map((text) => [{ text, units: 3, seed: 7, rows: 90 }]) },
  );
});

const STOPS: readonly (readonly [text: string, stops: string])[] = [
  ['SELECT k, count(DISTINCT name) AS n FROM silver.facts GROUP BY k', 'count(DISTINCT ...)'],
  ['SELECT k, sum(x) AS x FROM silver.facts GROUP BY k', 'a sum of DOUBLE'],
  ['SELECT k, avg(x) AS x FROM silver.facts GROUP BY k', 'an average of DOUBLE'],
  ['SELECT k, median(n) AS n FROM silver.facts GROUP BY k', 'the aggregate median'],
  ['SELECT k, count(*) AS n FROM silver.facts GROUP BY k LIMIT 3', 'LIMIT'],
  ['SELECT DISTINCT k, count(*) AS n FROM silver.facts GROUP BY k', 'DISTINCT'],
  ['SELECT k, row_number() OVER (ORDER BY k) AS n FROM silver.facts GROUP BY k', 'the window function row_number'],
  ['SELECT k, count(*) AS n FROM silver.facts GROUP BY k QUALIFY row_number() OVER () = 1', 'QUALIFY'],
  ['SELECT k, name, count(*) AS n FROM silver.facts GROUP BY ROLLUP (k, name)', 'several grouping sets'],
  ['SELECT k FROM silver.facts UNION SELECT k FROM silver.dims', 'a set operation at the top level'],
  ['SELECT * FROM silver.facts', 'a star in the select list'],
  ['SELECT k, n FROM silver.facts', 'no GROUP BY'],
  ['SELECT x, count(*) AS n FROM silver.facts GROUP BY x', 'a key of type DOUBLE'],
  ["SELECT k, string_agg(name, ',' ORDER BY id) AS n FROM silver.facts GROUP BY k", 'the aggregate string_agg'],
  ['SELECT k, max(n ORDER BY id) AS n FROM silver.facts GROUP BY k', 'max(... ORDER BY)'],
  [
    'SELECT k, (SELECT max(n) FROM silver.dims) AS n FROM silver.facts GROUP BY k',
    'a subquery in the select list or HAVING',
  ],
  [
    'SELECT a.k, count(*) AS n FROM silver.facts a JOIN silver.facts b ON a.id = b.id GROUP BY a.k',
    'no table that is read once',
  ],
  ['SELECT k, avg(CAST(d2 AS DECIMAL(30,12))) AS n FROM silver.facts GROUP BY k', 'an average of DECIMAL(30,12)'],
  ['SELECT k, max([n]) AS n FROM silver.facts GROUP BY k', 'max of INTEGER[]'],
  ['SELECT name COLLATE NOCASE AS name, count(*) AS n FROM silver.facts GROUP BY 1', 'a collation'],
  ['SELECT k, geomean(n) AS n FROM silver.facts GROUP BY k', 'the aggregate geomean'],
  [
    "WITH t(dd) AS (SELECT day FROM silver.facts) SELECT date_trunc('month', dd) AS dd, count(*) AS n FROM t GROUP BY dd",
    'names of columns in WITH',
  ],
];

test('what has no parts is refused, and what stops it is said', async () => {
  await makeRows(session, 1, 1);
  await bind();
  for (const [text, stops] of STOPS) {
    const found = await splitOf(text);
    assert.ok('stops' in found && found.stops.startsWith(stops), `${JSON.stringify(found)} of ${text}`);
  }
});

const CUTS: readonly (readonly [from: string, tables: readonly string[]])[] = [
  ['silver.facts f JOIN silver.dims d USING (k)', ['silver.facts', 'silver.dims']],
  ['silver.facts f, silver.dims d', ['silver.facts', 'silver.dims']],
  ['silver.facts f LEFT JOIN silver.dims d USING (k)', ['silver.facts']],
  ['silver.facts f RIGHT JOIN silver.dims d USING (k)', ['silver.dims']],
  ['silver.facts f SEMI JOIN silver.dims d USING (k)', ['silver.facts']],
  [
    '(SELECT * FROM silver.facts WHERE n > 3) f JOIN (SELECT DISTINCT k FROM silver.dims) d USING (k)',
    ['silver.facts'],
  ],
  ['(SELECT k, max(n) AS n FROM silver.facts GROUP BY k) f JOIN silver.dims d USING (k)', ['silver.dims']],
  ['silver.facts f JOIN silver.dims d USING (k) JOIN silver.dims e USING (k)', ['silver.facts']],
  [
    '(SELECT *, row_number() OVER (PARTITION BY k ORDER BY id) AS nth FROM silver.facts) f JOIN silver.dims d USING (k)',
    ['silver.dims'],
  ],
  ['(SELECT weighted_avg(n, 1) AS k FROM silver.facts) f JOIN silver.dims d USING (k)', ['silver.dims']],
  ['(SELECT * FROM silver.facts) f TABLESAMPLE 10 ROWS JOIN silver.dims d USING (k)', ['silver.dims']],
  ["silver.facts f JOIN (VALUES (1, 'a'), (2, 'b')) m(k, label) USING (k)", ['silver.facts']],
];

test('only tables of which each row counts for itself are read in parts', async () => {
  await makeRows(session, 1, 1);
  await bind();
  for (const [from, tables] of CUTS) {
    const found = await splitOf(`SELECT count(*) AS n FROM ${from}`);
    assert.deepEqual('tables' in found ? found.tables : found, tables, from);
  }
  const full = await splitOf('SELECT count(*) AS n FROM silver.facts f FULL JOIN silver.dims d USING (k)');
  assert.deepEqual(full, { stops: 'no table that is read once and may be read in parts' });
});
