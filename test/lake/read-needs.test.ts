import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import { append, definePipeline, identity, json } from '../../lib/define/index.ts';
import { columnsOf, currentSchema } from '../../lib/iceberg/schema.ts';
import type { TableMetadata } from '../../lib/iceberg/types.ts';
import { planNeeded } from '../../lib/lake/tables/needed-files.ts';
import { findNeeds, NEEDS_ALL, type ReadNeeds } from '../../lib/lake/tables/read-needs.ts';
import { scanColumns } from '../../lib/lake/tables/table-state.ts';
import type { Row, Session } from '../../lib/ports.ts';
import { createTable } from '../../lib/sql/bind.ts';
import { createSchemas, createTableView } from '../../lib/sql/scan.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const COLUMNS = {
  id: 'bigint',
  kind: 'string',
  n: 'int',
  x: 'double',
  d: 'date',
  seen: 'timestamptz',
  amount: 'decimal(10,2)',
  b: 'boolean',
  pad: 'string',
  more: 'string',
} as const;

const KINDS = ['a', 'b', 'c'];
const RUNS = 3;
const ROWS = 2_400;

let lake: TestLake;
let metadata: TableMetadata;

/** Text that no compression makes small. */
const noise = (of: string): string => hash('sha512', of, 'base64') + hash('sha512', `${of}-`, 'base64');

function landed(run: number): string {
  const rows = Array.from({ length: ROWS }, (_, at) => {
    const id = run * ROWS + at;
    const some = <T>(value: T, every: number): T | null => (id % every === 0 ? null : value);
    return JSON.stringify({
      id,
      kind: KINDS[at % 3],
      n: some(id % 97, 5),
      x: some(id / 7, 9),
      d: `2024-0${run + 1}-${String(1 + (at % 28)).padStart(2, '0')}`,
      seen: some(`2024-0${run + 1}-01T00:00:${String(at % 60).padStart(2, '0')}Z`, 11),
      amount: some(`${id % 500}.${10 + (id % 90)}`, 6),
      b: some(at % 2 === 0, 4),
      pad: `${id % 3}${noise(`a${id}`)}`,
      more: noise(`b${id}`),
    });
  });
  return `${rows.join('\n')}\n`;
}

before(async () => {
  lake = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { events: json({ layout: 'lines', columns: COLUMNS }) },
      silver: { events: { from: 'events', mode: append(), partitionBy: [identity('kind')] } },
    }),
  });
  for (let run = 0; run < RUNS; run += 1) {
    await lake.land('events', `${run}.json`, landed(run));
    await lake.run({ runId: `run-${run}` });
  }
  metadata = (await lake.metadata('shop_silver.events')) ?? assert.fail();
});
after(() => lake.close());

const NAME = { schema: 'silver', table: 'events' };

function needsOf(query: string): Promise<ReadNeeds> {
  return findNeeds(lake.deps, userSql(query), async (session) => {
    for (const statement of createSchemas(['silver'])) await session.run(statement);
    await session.run(createTable('silver', 'events', columnsOf(currentSchema(metadata))));
  });
}

async function ask(query: string, needs: ReadNeeds): Promise<{ rows: readonly Row[]; brought: number; kept: number }> {
  await using session: Session = await lake.deps.engine.open(lake.deps.settings);
  for (const statement of createSchemas(['silver'])) await session.run(statement);
  const columns = scanColumns(metadata, []);
  const planned = await planNeeded({ store: lake.store, session }, { metadata, columns, needs: needs(NAME) });
  await using opened = await planned.open();
  await session.run(createTableView(NAME, columns, opened.files));
  const rows = await session.rows({ name: 'query', text: userSql(query) });
  return { rows, brought: planned.bytes.brought, kept: planned.bytes.kept };
}

/** A query, the columns that it needs, and the files of the nine that it has to look into. */
const CASES: readonly (readonly [query: string, columns: readonly string[] | 'all', files: number])[] = [
  ['SELECT count(*) AS n FROM silver.events', [], 9],
  ['SELECT sum(n) AS s FROM silver.events', ['n'], 9],
  ["SELECT sum(n) AS s FROM silver.events WHERE kind = 'a'", ['kind', 'n'], 3],
  ["SELECT sum(n) AS s FROM silver.events WHERE kind IN ('a', 'c', NULL)", ['kind', 'n'], 6],
  ["SELECT sum(n) AS s FROM silver.events WHERE kind = 'a' OR kind = 'b'", ['kind', 'n'], 6],
  ["SELECT kind, d FROM silver.events WHERE d < DATE '2024-02-01' AND kind <> 'b' ORDER BY ALL", ['d', 'kind'], 2],
  ["SELECT max(x) AS m FROM silver.events WHERE seen >= TIMESTAMPTZ '2024-03-01 00:00:00Z'", ['seen', 'x'], 3],
  ['SELECT count(*) AS c FROM silver.events WHERE id BETWEEN 100 AND 200', ['id'], 3],
  ['SELECT count(*) AS c FROM silver.events WHERE id > 9223372036854775806', ['id'], 0],
  ['SELECT count(*) AS c FROM silver.events WHERE amount > 499.98', ['amount'], 1],
  ['SELECT count(*) AS c FROM silver.events WHERE amount > 600', ['amount'], 0],
  ['SELECT count(*) AS c FROM silver.events WHERE kind IS NULL', ['kind'], 0],
  [
    "SELECT * FROM (SELECT kind, d, sum(n) AS s FROM silver.events GROUP BY ALL) WHERE kind IN ('b') ORDER BY ALL",
    ['kind', 'd', 'n'],
    3,
  ],
  [
    "WITH e AS (SELECT * FROM silver.events) SELECT count(*) AS c FROM e JOIN e AS f ON e.id = f.id WHERE e.kind = 'a' AND f.kind = 'a'",
    ['id', 'kind'],
    3,
  ],
  [
    "SELECT id FROM silver.events WHERE kind = 'a' AND id < 30 UNION ALL SELECT n FROM silver.events WHERE kind = 'b' AND id < 30 ORDER BY ALL",
    ['id', 'kind', 'n'],
    2,
  ],
  [
    "SELECT count(*) AS c FROM silver.events WHERE id IN (SELECT n FROM silver.events WHERE kind = 'c')",
    ['id', 'kind', 'n'],
    9,
  ],
  ['SELECT id, n FROM silver.events ORDER BY id LIMIT 3', ['id', 'n'], 9],
  ['SELECT * EXCLUDE (pad, more, x, seen, amount, b) FROM silver.events WHERE id = 7', ['id', 'kind', 'n', 'd'], 3],
  ['SELECT count(*) AS c FROM silver.events WHERE x < 1.5', ['x'], 3],
  ['SELECT 1 AS one WHERE false', 'all', 9],
];

for (const [query, columns, files] of CASES) {
  test(`reads what it needs: ${query}`, async () => {
    const needs = await needsOf(query);
    const found = needs(NAME);
    assert.deepEqual(
      found === undefined ? 'all' : [...found.columns].sort(),
      columns === 'all' ? columns : [...columns].sort(),
    );
    const [some, all] = [await ask(query, needs), await ask(query, NEEDS_ALL)];
    assert.deepEqual(some.rows, all.rows);
    assert.equal(Math.round((some.kept / all.kept) * 9), files);
    if (columns !== 'all') assert.ok(some.brought < some.kept / 2 || files === 0, `${some.brought} of ${some.kept}`);
  });
}

test('SQL that the engine cannot plan needs everything', async () => {
  assert.equal((await needsOf('SELECT nothing FROM silver.events'))(NAME), undefined);
  assert.equal((await needsOf('SELECT id FROM silver.nowhere'))(NAME), undefined);
});

const literal: Record<string, fc.Arbitrary<string>> = {
  id: fc.integer({ min: -5, max: 7_300 }).map(String),
  kind: fc.constantFrom("'a'", "'b'", "'c'", "'d'", 'NULL'),
  n: fc.integer({ min: -1, max: 98 }).map(String),
  x: fc.constantFrom('0', '1.5', '1e9', "'nan'::DOUBLE", "'-infinity'::DOUBLE", '200.25'),
  d: fc.constantFrom("'2024-01-05'", "'2024-02-28'", "'2024-03-01'", "'infinity'::DATE").map((text) => `${text}`),
  seen: fc.constantFrom("'2024-02-01 00:00:30Z'", "'2024-03-01 00:00:59Z'").map((text) => `TIMESTAMPTZ ${text}`),
  amount: fc.constantFrom('0', '10.5', '499.99', '77'),
  b: fc.constantFrom('true', 'false'),
};

const column = fc.constantFrom(...Object.keys(literal));
const comparison = fc
  .tuple(column, fc.constantFrom('=', '<>', '<', '<=', '>', '>=', 'IS NOT DISTINCT FROM'))
  .chain(([name, op]) => (literal[name] ?? fc.constant('0')).map((value) => `${name} ${op} ${value}`));
const other = fc.oneof(
  column.map((name) => `${name} IS NULL`),
  column.map((name) => `${name} IS NOT NULL`),
  column.chain((name) =>
    fc.array(literal[name] ?? fc.constant('0'), { minLength: 1, maxLength: 3 }).map((v) => `${name} IN (${v})`),
  ),
  column.chain((name) =>
    fc
      .tuple(literal[name] ?? fc.constant('0'), literal[name] ?? fc.constant('1'))
      .map(([a, b]) => `${name} BETWEEN ${a} AND ${b}`),
  ),
  fc.constantFrom('b', 'NOT b', "pad LIKE '1%'", 'n % 3 = 1', "coalesce(kind, 'a') = 'a'", 'month(d) = 2', 'n > x'),
);
const { where } = fc.letrec<{ where: string; simple: string }>((tie) => ({
  simple: fc.oneof({ weight: 3, arbitrary: comparison }, other),
  where: fc.oneof(
    { maxDepth: 3 },
    tie('simple'),
    fc.tuple(tie('where'), tie('where')).map(([a, b]) => `(${a} AND ${b})`),
    fc.tuple(tie('where'), tie('where')).map(([a, b]) => `(${a} OR ${b})`),
    tie('where').map((a) => `NOT (${a})`),
  ),
}));
const names = fc.uniqueArray(column, { minLength: 1, maxLength: 3 }).map((list) => list.join(', '));

const queries: fc.Arbitrary<string> = fc
  .tuple(names, where, where, fc.nat({ max: 7 }))
  .map(([list, one, two, shape]) => {
    const from = `(SELECT * FROM silver.events WHERE ${one})`;
    const shapes = [
      `SELECT ${list} FROM silver.events WHERE ${one}`,
      `SELECT ${list}, count(*) AS c, sum(id) AS s FROM silver.events WHERE ${one} GROUP BY ALL`,
      `SELECT * FROM (SELECT ${list}, min(id) AS id FROM silver.events GROUP BY ${list}) AS g WHERE ${one.replaceAll(/\w+ (?=[<>=I])/g, 'id ').replaceAll(/'[^']*'/g, "'3'")}`,
      `WITH e AS ${from} SELECT count(*) AS c, max(f.pad) AS p FROM e JOIN e AS f USING (id) WHERE f.${'n'} > 3`,
      `SELECT ${list} FROM silver.events WHERE ${one} UNION ALL SELECT ${list} FROM silver.events WHERE ${two}`,
      `SELECT count(*) AS c FROM silver.events WHERE id IN (SELECT n FROM silver.events WHERE ${one}) AND ${two}`,
      `SELECT id, row_number() OVER (PARTITION BY kind ORDER BY id) AS r FROM silver.events WHERE ${one} QUALIFY r < 5`,
      `SELECT e.id, (SELECT max(f.x) FROM silver.events AS f WHERE f.id = e.id) AS m FROM ${from} AS e`,
    ];
    return `SELECT * FROM (${shapes[shape]}) ORDER BY ALL LIMIT 200`;
  });

test('a query over what it needs answers as over everything', async () => {
  let [brought, all, asked, unknown] = [0, 0, 0, 0];
  await fc.assert(
    fc.asyncProperty(queries, async (query) => {
      const whole = await ask(query, NEEDS_ALL).catch((error: Error) => error);
      fc.pre(!(whole instanceof Error));
      const needs = await needsOf(query);
      const some = await ask(query, needs);
      asked += 1;
      unknown += needs(NAME) === undefined ? 1 : 0;
      assert.deepEqual(some.rows, whole.rows);
      brought += some.brought;
      all += whole.kept;
    }),
    { numRuns: Number(process.env['NEEDS_RUNS'] ?? 30) },
  );
  assert.ok(brought < all && unknown < asked / 2, JSON.stringify({ brought, all, unknown, asked }));
});
