import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { append, csv, definePipeline, identity } from '../../lib/define/index.ts';
import { columnsOf, currentSchema } from '../../lib/iceberg/schema.ts';
import { queryRows, withQuery } from '../../lib/query/select.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

type Layout = {
  readonly partitionBy?: ReturnType<typeof identity>[];
  readonly refresh?: 'touched';
  readonly sortBy?: string[];
};

function pipeline(sql: string, layout: Layout = {}): TestPipeline {
  return {
    name: 'p',
    definition: definePipeline({
      name: 'p',
      sources: { s: csv({ columns: { k: 'string', v: 'int' } }) },
      silver: { s: { from: 's', mode: append() } },
      gold: { g: { sql: 'g.sql', ...layout } },
    }),
    sql: { 'g.sql': sql },
  };
}

const SUM = 'CAST(sum(v) AS BIGINT)';
const FIRST = `SELECT k, ${SUM} AS t, count(*) AS n FROM silver.s GROUP BY k`;

/** The SQL that follows the first, what is in the table then, and the names of columns that kept their ids. */
const CHANGES: readonly (readonly [string, string, readonly object[], readonly string[]])[] = [
  [
    'drops a column',
    `SELECT k, ${SUM} AS t FROM silver.s GROUP BY k`,
    [
      { k: 'a', t: 3 },
      { k: 'b', t: 4 },
    ],
    ['k', 't'],
  ],
  [
    'renames one',
    `SELECT k, ${SUM} AS total, count(*) AS n FROM silver.s GROUP BY k`,
    [
      { k: 'a', total: 3, n: 2 },
      { k: 'b', total: 4, n: 1 },
    ],
    ['k', 'n'],
  ],
  [
    'gives one another type',
    `SELECT k, CAST(sum(v) AS VARCHAR) AS t, count(*) AS n FROM silver.s GROUP BY k`,
    [
      { k: 'a', t: '3', n: 2 },
      { k: 'b', t: '4', n: 1 },
    ],
    ['k', 'n'],
  ],
  [
    'gives one a narrower type',
    `SELECT k, CAST(sum(v) AS INT) AS t, count(*) AS n FROM silver.s GROUP BY k`,
    [
      { k: 'a', t: 3, n: 2 },
      { k: 'b', t: 4, n: 1 },
    ],
    ['k', 'n'],
  ],
  [
    'makes one a struct',
    `SELECT k, {'x': ${SUM}} AS t FROM silver.s GROUP BY k`,
    [
      { k: 'a', t: { x: 3 } },
      { k: 'b', t: { x: 4 } },
    ],
    ['k'],
  ],
  [
    'adds one and turns their order',
    `SELECT max(v) AS m, ${SUM} AS t, count(*) AS n, k FROM silver.s GROUP BY k`,
    [
      { m: 2, t: 3, n: 2, k: 'a' },
      { m: 4, t: 4, n: 1, k: 'b' },
    ],
    ['k', 't', 'n'],
  ],
];

async function change(lake: TestLake, changed: TestPipeline, run = true): Promise<TestLake> {
  const spec = compileTest(changed, lake.scratch);
  const next = lake.reopen((deps) => ({ ...deps, specs: () => spec }));
  if (run) assert.equal((await next.run({ runId: 'r2' })).status, 'SUCCEEDED');
  return next;
}

async function first(layout: Layout = {}): Promise<TestLake> {
  const lake = await openTestLake(pipeline(FIRST, layout));
  await lake.land('s', '1.csv', 'k,v\na,1\na,2\nb,4\n');
  assert.equal((await lake.run({ runId: 'r1' })).status, 'SUCCEEDED');
  return lake;
}

async function fieldsOf(lake: TestLake): Promise<ReadonlyMap<string, number>> {
  const metadata = await lake.metadata('p_gold.g');
  return new Map((metadata === undefined ? [] : currentSchema(metadata).fields).map(({ name, id }) => [name, id]));
}

describe('a gold table follows SQL that', () => {
  for (const layout of [
    {},
    { sortBy: ['n', 't'] },
    { partitionBy: [identity('k')] },
    { partitionBy: [identity('k')], refresh: 'touched' as const },
  ]) {
    const named = JSON.stringify({ ...layout, ...(layout.partitionBy === undefined ? {} : { partitionBy: 'k' }) });
    for (const [what, sql, rows, kept] of CHANGES) {
      test(`${what}, ${named}`, async () => {
        const lake = await first(layout);
        try {
          const before = await fieldsOf(lake);
          const sorted = layout.sortBy === undefined ? {} : { sortBy: ['k'] };
          await change(lake, pipeline(sql, { ...layout, ...sorted }));
          assert.deepEqual(await lake.rows('p_gold.g', 'SELECT * FROM t ORDER BY k'), rows);
          const after = await fieldsOf(lake);
          assert.deepEqual(
            [...after]
              .filter(([name, id]) => before.get(name) === id)
              .map(([name]) => name)
              .sort(),
            [...kept].sort(),
          );
          assert.ok([...after].every(([name, id]) => before.get(name) === id || id > Math.max(...before.values())));
          const old = await withQuery(lake.deps, { sql: 'FROM p_gold.g ORDER BY k', asOf: 'r1' }, async (result) => {
            for await (const page of result.pages()) return page;
            return [];
          });
          assert.deepEqual(old, [
            { k: 'a', t: 3, n: 2 },
            { k: 'b', t: 4, n: 1 },
          ]);
        } finally {
          lake.close();
        }
      });
    }
  }
});

test('a column that partitions the table keeps its type, and the message says so', async () => {
  const lake = await first({ partitionBy: [identity('k')] });
  try {
    const sql = `SELECT ascii(k) AS k, ${SUM} AS t FROM silver.s GROUP BY ALL`;
    const next = await change(lake, pipeline(sql, { partitionBy: [identity('k')] }), false);
    const { status, error } = await next.run();
    assert.equal(status, 'FAILED');
    assert.match(
      error?.message ?? '',
      /k is string, by which it is or was partitioned, in the table and int in the pipeline\./,
    );
    assert.equal((await queryRows(lake.deps, 'FROM p_gold.g')).length, 2);
  } finally {
    lake.close();
  }
});

test('gold reads a new column of a silver table that no file has brought yet', async () => {
  const lake = await first();
  try {
    const changed: TestPipeline = {
      name: 'p',
      definition: definePipeline({
        name: 'p',
        sources: { s: csv({ columns: { k: 'string', v: 'int', w: 'int' } }) },
        silver: { s: { from: 's', mode: append() } },
        gold: { g: { sql: 'g.sql' } },
      }),
      sql: { 'g.sql': 'SELECT k, CAST(sum(w) AS BIGINT) AS w FROM silver.s GROUP BY k' },
    };
    await change(lake, changed);
    assert.deepEqual(await lake.rows('p_gold.g'), [
      { k: 'a', w: null },
      { k: 'b', w: null },
    ]);
    const metadata = await lake.metadata('p_gold.g');
    assert.deepEqual(metadata && columnsOf(currentSchema(metadata)).map(({ name }) => name), ['k', 'w']);
  } finally {
    lake.close();
  }
});
