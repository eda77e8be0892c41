import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { type Document, openProject } from './project.ts';

const DEFINE = fileURLToPath(new URL('../../lib/define/index.ts', import.meta.url));

const shop = openProject(
  'shop',
  `{
    name: 'shop',
    sources: {
      orders: csv({
        key: 'order_id',
        columns: {
          order_id: { type: 'bigint', required: true },
          customer: 'bigint',
          ordered: { type: 'date', required: true },
          amount: { type: 'decimal(10,2)', min: '0' },
        },
      }),
      customers: json({ columns: { id: { type: 'bigint', required: true }, region: 'string', seen: 'timestamp' } }),
      prices: parquet({ columns: { item: 'string', price: 'double', seen: { type: 'date', parse: 'epoch_seconds' } } }),
    },
    silver: {
      customers: { from: 'customers', mode: scd2({ key: 'id', sequence: 'seen' }) },
      orders: {
        from: 'orders',
        sql: 'orders.sql',
        mode: append({ dedupe: { key: 'order_id' } }),
        metadata: ['source_file', 'ingested_at', 'run_id'],
        partitionBy: [month('ordered')],
        expect: { small: 'amount < 1000' },
      },
      prices: { from: 'prices', mode: full() },
    },
    gold: {
      revenue: { sql: 'revenue.sql', partitionBy: [identity('ordered')], refresh: 'touched' },
      changes: { sql: 'changes.sql' },
      open: { sql: 'open.sql' },
      best: { sql: 'best.sql', sortBy: ['region'] },
    },
  }`,
  {
    'orders.sql':
      'SELECT o.*, c.region FROM batch.orders o LEFT JOIN silver.customers c ON c.id = o.customer AND c.is_current',
    'revenue.sql':
      'SELECT ordered, region, sum(amount) AS revenue, avg(amount) AS mean FROM silver.orders GROUP BY ALL',
    'open.sql': 'SELECT order_id, run_date() - ordered AS days FROM silver.orders',
    'changes.sql': 'SELECT id, count(*) AS events FROM silver.customers__log GROUP BY id',
    'best.sql': 'SELECT region, max(revenue) AS revenue FROM gold.revenue GROUP BY region',
  },
);
after(() => shop.close());

/** Runs one file of tests alone. */
async function run(code: number, file: string, text: string): Promise<Document> {
  shop.write(`shop/test/${file}`, text);
  try {
    return await shop.document(code, 'shop');
  } finally {
    rmSync(`${shop.pipelines}/shop/test/${file}`);
  }
}

describe('tests of models', () => {
  test('silver: the contract, the mode and joins are those of a run', async () => {
    const { passed, failed } = await run(
      0,
      'orders.yml',
      `
tests:
  the first of equal orders stays and the rest is rejected by name:
    given:
      orders:
        - { order_id: 1, customer: 7, ordered: 2026-02-01, amount: 19.90 }
        - { order_id: 1, customer: 8, ordered: 2026-02-01, amount: 1 }
        - { order_id: x, ordered: 2026-02-01, amount: -1 }
        - { ordered: 2026-02-01 }
      silver.customers:
        - { id: 7, region: north, is_current: true }
        - { id: 7, region: south, is_current: false }
    expect:
      rows:
        - { order_id: 1, region: north, amount: 19.9, run_id: run-1, ingested_at: 2026-01-01T00:00:00Z, source_file: bronze/shop/orders/run-1.csv }
      rejected:
        - { row: 3, codes: [TYPE_ERROR, RANGE_ERROR] }
        - { row: 4, codes: [NULL_VALUE_ERROR] }
  what comes before is made from its files, where these are given:
    run_id: june
    run_date: 2026-06-30
    given:
      orders: { b.csv: [{ order_id: 2, customer: 7, ordered: 2026-06-01 }], a.csv: "order_id,customer,ordered,amount\\n2,8,2026-06-02,5\\n" }
      customers: [{ id: 7, region: north, seen: 2026-01-01 }, { id: 8, region: south, seen: 2026-01-01 }]
    expect:
      exact: true
      rows:
        - { order_id: 2, customer: 8, ordered: 2026-06-02, amount: 5, region: south, source_file: bronze/shop/orders/a.csv, ingested_at: 2026-06-30T00:00:00Z, run_id: june }
  a run that an expectation stops:
    given: { orders: [{ order_id: 1, ordered: 2026-01-01, amount: 5000 }], customers: [] }
    expect: { error: small }
  a file that cannot be read is rejected by name:
    given: { orders: { a.csv: "nothing\\n1\\n", b.csv: [{ order_id: 1, ordered: 2026-01-01 }] }, silver.customers: [] }
    expect:
      rows: [{ order_id: 1 }]
      rejected: [{ file: a.csv, codes: SCHEMA_ERROR, status: rejected }]
  nothing is given:
    given: { orders: [], customers: [] }
    expect: []
`,
    );
    assert.deepEqual({ passed, failed }, { passed: 5, failed: 0 });
  });

  test('keyed: batches in sequence, and expectations in between', async () => {
    const { passed } = await run(
      0,
      'customers.yml',
      `
tests:
  a late event lands in its place:
    runs:
      - given: { customers: [{ id: 1, region: b, seen: 2026-01-20 }] }
        expect: [{ region: b, valid_from: 2026-01-20, valid_to: ~ }]
      - given: { customers: [{ id: 1, region: a, seen: 2026-01-10 }] }
    expect:
      ordered: false
      rows:
        - { region: b, valid_from: 2026-01-20, valid_to: ~, is_current: true }
        - { region: a, valid_from: 2026-01-10, valid_to: 2026-01-20, is_current: false }
`,
    );
    assert.equal(passed, 1);
  });

  test('gold: over tables that are given, logs among them, and over files', async () => {
    const changes = await run(
      0,
      'changes.yaml',
      'tests:\n  counts events:\n    given: { silver.customers__log: [{ id: 1 }, { id: 1 }, { id: 2 }] }\n    expect: [{ id: 1, events: 2 }, { id: 2, events: 1 }]\n',
    );
    assert.equal(changes.passed, 1);
    const revenue = await run(
      0,
      'revenue.yml',
      `
tests:
  only what is touched is computed, to the same end:
    runs:
      - given: { silver.orders: [{ ordered: 2026-01-01, region: a, amount: 1 }, { ordered: 2026-01-02, region: a, amount: 2 }, { ordered: 2026-01-02, region: a, amount: 0.1 }] }
        expect: [{ ordered: 2026-01-01, revenue: 1.00, mean: 1 }, { ordered: 2026-01-02, revenue: 2.10, mean: 1.05 }]
      - given: { silver.orders: [{ ordered: 2026-01-01, region: a, amount: 1 }] }
    expect: [{ ordered: 2026-01-01, region: a, revenue: 1.00 }]
  from the files on:
    given: { orders: [{ order_id: 1, ordered: 2026-01-05, amount: 3 }], customers: [] }
    expect: [{ ordered: 2026-01-05, region: ~, revenue: 3 }]
`,
    );
    assert.equal(revenue.passed, 2);
    const best = await run(
      0,
      'best.yml',
      'tests:\n  gold over gold:\n    given: { gold.revenue: [{ region: b, revenue: 1 }, { region: a, revenue: 2 }] }\n    expect: { ordered: true, rows: [{ region: a }, { region: b }] }\n',
    );
    assert.equal(best.passed, 1);
    const open = await run(
      0,
      'open.yml',
      `
tests:
  another day, without another row:
    runs:
      - given: { silver.orders: [{ order_id: 1, ordered: 2026-01-01 }] }
        run_date: 2026-01-31
        expect: [{ order_id: 1, days: 30 }]
      - { given: {}, run_date: 2026-02-01T12:00:00Z }
    expect: [{ order_id: 1, days: 31 }]
`,
    );
    assert.equal(open.passed, 1);
  });

  test('Parquet, with text where a value is none of its type', async () => {
    const { passed } = await run(
      0,
      'prices.yml',
      `
tests:
  typed:
    given: { prices: [{ item: a, price: 0.1, seen: 86400 }, { item: b }] }
    expect: [{ item: a, price: 0.1, seen: 1970-01-02 }, { item: b, price: ~, seen: ~ }]
  text:
    given: { prices: [{ item: a, price: cheap }, { item: b, price: 5 }] }
    expect:
      rows: [{ item: b, price: 5 }]
      rejected: [{ row: 1, codes: TYPE_ERROR }]
  replaced whole:
    runs:
      - given: { prices: [{ item: a }] }
      - given: { prices: [{ item: b }] }
    expect: [{ item: b }]
`,
    );
    assert.equal(passed, 3);
  });

  test('typed: a .test.ts is the same', async () => {
    const { tests } = await run(
      0,
      'best.test.ts',
      `import { defineModelTest } from ${JSON.stringify(DEFINE)};
export default defineModelTest({
  model: 'gold.best',
  tests: { typed: { given: { 'gold.revenue': [{ region: 'a', revenue: '2.10' }] }, expect: [{ region: 'a', revenue: 2.1 }] } },
});
`,
    );
    assert.deepEqual(
      tests.map(({ model, test: name, status }) => [model, name, status]),
      [['gold.best', 'typed', 'passed']],
    );
  });

  test('what differs is named, row by row', async () => {
    const { passed, failed, tests } = await run(
      2,
      'orders.yml',
      `
tests:
  passes: { given: { orders: [], customers: [] }, expect: [] }
  differs:
    given:
      orders: [{ order_id: 1, ordered: 2026-01-01, amount: 1 }, { order_id: 2, ordered: 2026-01-01, amount: 2 }, { order_id: x, ordered: 2026-01-01 }]
      customers: []
    expect: [{ order_id: 1, ordered: 2026-01-01, amount: 5 }, { order_id: 3, ordered: 2027-01-01, amount: 0 }]
  should fail: { given: { orders: [], customers: [] }, expect: { error: small } }
  fails: { given: { orders: [{ order_id: 1, ordered: 2026-01-01, amount: 1000 }], customers: [] }, expect: [] }
`,
    );
    assert.deepEqual([passed, failed], [1, 3]);
    const [, differs, should, fails] = tests;
    const [rows, rejected] = differs?.differences ?? [];
    assert.deepEqual(rows, {
      kind: 'rows',
      table: 'shop_silver.orders',
      run: 'run-1',
      order: false,
      missing: [{ order_id: '3', ordered: '2027-01-01', amount: '0.00' }],
      unexpected: [{ order_id: '2', ordered: '2026-01-01', amount: '2.00' }],
      changed: [
        {
          expected: { order_id: '1', ordered: '2026-01-01', amount: '5.00' },
          got: { order_id: '1', ordered: '2026-01-01', amount: '1.00' },
        },
      ],
    });
    const details = "order_id: got 'x'; expected a bigint";
    assert.deepEqual(rejected?.['unexpected'], [{ file: 'run-1.csv', row: '3', codes: 'TYPE_ERROR', details }]);
    assert.deepEqual(should?.differences, [{ kind: 'error', run: 'run-1', expected: 'small', got: null }]);
    assert.match(String(fails?.differences[0]?.['got']), /^AuditFailed: .*small/);
  });

  test('for people: a line for each test on stderr, the differences on stdout, and the code 2', async () => {
    shop.write(
      'shop/test/best.yml',
      'tests:\n  t:\n    given: { gold.revenue: [{ region: a, revenue: 2 }] }\n    expect: [{ region: a, revenue: 3 }]\n',
    );
    const { code, stdout, stderr } = await shop.test();
    assert.equal(code, 2);
    assert.match(stderr, /^✗ shop gold\.best: t \(/);
    assert.match(stdout, /rows of shop_gold\.best after run-1: 1 changed\n┌/);
    assert.match(stdout, /│ changed │ a +│ 3\.00 → 2\.00 │/);
    assert.match(stdout, /\n0 tests passed, 1 failed, in /);
  });

  test('mistakes in files of tests: nothing is run, all are named, and the code 1', async () => {
    shop.write('shop/test/best.yml', 'tests:\n  t:\n    given: { gold.revenu: [] }\n    expect: []\n');
    shop.write('shop/test/deep/revenue.yml', 'tests: 5\n');
    shop.write('shop/test/odd.test.ts', 'export default { tests: { t: {} } };\n');
    const { code, stdout, stderr } = await shop.test('shop');
    assert.equal(code, 1);
    assert.equal(stdout, '');
    assert.match(stderr, /the tests of shop have 3 problems:/);
    assert.match(
      stderr,
      /test\/best\.yml: tests\.t\.given\["gold\.revenu"\]: got an unknown source or table; .*"gold\.revenue"\?/,
    );
    assert.match(stderr, /test\/deep\/revenue\.yml: tests: got 5; expected at least one test/);
    assert.match(stderr, /test\/odd\.test\.ts: the name of the file: got "odd"; expected a model of shop/);
    for (const file of ['best.yml', 'deep/revenue.yml', 'odd.test.ts']) {
      rmSync(`${shop.pipelines}/shop/test/${file}`);
    }
  });

  test('of selected models alone', async () => {
    shop.write('shop/test/best.yml', 'tests: { t: { given: { gold.revenue: [] }, expect: [] } }\n');
    shop.write('shop/test/prices.yml', 'tests: { t: { given: { prices: [] }, expect: [] } }\n');
    const models = async (...args: readonly string[]): Promise<readonly string[]> =>
      (await shop.document(0, ...args)).tests.map(({ model }) => model);
    assert.deepEqual(await models('shop', '--select', 'revenue+'), ['gold.best']);
    assert.deepEqual(await models('--exclude', 'best'), ['silver.prices']);
    assert.match((await shop.test('--select', 'bst')).stderr, /no model "bst" in shop: .*"best"\?/);
    assert.match((await shop.test('--select', 'state:new')).stderr, /state:new needs a lake/);
    for (const file of ['best.yml', 'prices.yml']) rmSync(`${shop.pipelines}/shop/test/${file}`);
  });

  test('no tests at all', async () => {
    const { code, stdout } = await shop.test('shop');
    assert.deepEqual([code, stdout], [0, `no tests in ${shop.pipelines}/shop/test\n`]);
    assert.equal((await shop.test('shoop')).code, 1);
  });
});

describe('gold over tables of another pipeline', () => {
  const fin = openProject(
    'fin',
    `{
      name: 'fin',
      sources: { rows: csv({ columns: { id: 'int' } }) },
      silver: { rows: { from: 'rows' } },
      gold: { margin: { sql: 'margin.sql' } },
    }`,
    {
      'margin.sql':
        'SELECT s.region, s.amount * 2 AS amount FROM retail.gold.sales s JOIN retail.silver.people p USING (region)',
    },
  );
  fin.write(
    'retail/pipeline.ts',
    `import { csv, definePipeline, scd2 } from ${JSON.stringify(DEFINE)};
export default definePipeline({
  name: 'retail',
  sources: { people: csv({ columns: { region: 'string', at: 'int' } }) },
  silver: { people: { from: 'people', mode: scd2({ key: 'region', sequence: 'at' }) } },
  gold: { sales: { sql: 'sales.sql' } },
});
`,
  );
  fin.write('retail/sales.sql', 'SELECT region, count(*) AS amount FROM silver.people GROUP BY region');
  after(() => fin.close());

  test('is tested with rows that are given in their place', async () => {
    fin.write(
      'fin/test/margin.yml',
      `tests:
  twice:
    runs:
      - given:
          retail.gold.sales: [{ region: North, amount: 1 }]
          retail.silver.people: [{ region: North, at: 1, is_current: true }]
        expect: [{ region: North, amount: 2 }]
      - given:
          retail.gold.sales: [{ region: North, amount: 5 }, { region: South, amount: 1 }]
        expect: [{ region: North, amount: 10 }]
`,
    );
    assert.deepEqual(await fin.document(0, 'fin').then(({ passed, failed }) => [passed, failed]), [1, 0]);
  });

  test('needs them, by the columns that they have', async () => {
    fin.write(
      'fin/test/margin.yml',
      'tests:\n  none:\n    given:\n      retail.gold.sales: [{ amuont: 1 }]\n    expect: []\n',
    );
    const { code, stderr } = await fin.test('fin');
    assert.equal(code, 1);
    assert.match(stderr, /retail\.gold\.sales.*amuont.*; did you mean "amount"\?/);
    fin.write('fin/test/margin.yml', 'tests:\n  none:\n    given:\n      retail.gold.sales: []\n    expect: []\n');
    assert.match(
      (await fin.test('fin')).stderr,
      /got no retail\.silver\.people, which gold\.margin reads; expected retail\.silver\.people: \[\{ \.\.\. \}\]/,
    );
  });
});
