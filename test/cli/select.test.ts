import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { openCliLake } from './lake.ts';

const lake = openCliLake(
  'shop',
  `{
    name: 'shop',
    vars: { least: { type: 'decimal(10,2)', default: '1.00' } },
    sources: {
      orders: csv({ columns: { id: 'bigint', amount: 'decimal(10,2)' } }),
      people: csv({ columns: { id: 'bigint' } }),
    },
    silver: {
      orders: { from: 'orders', mode: append() },
      twin: { from: 'orders', sql: 'twin.sql', mode: append() },
      people: { from: 'people', mode: append() },
    },
    gold: { total: { sql: 'total.sql' }, as_of: { sql: 'as_of.sql' } },
  }`,
  {
    'total.sql': "SELECT sum(amount) AS amount FROM silver.orders WHERE amount >= var('least')",
    'as_of.sql': "SELECT CAST(date_trunc('month', run_date()) AS DATE) AS month, count(*) AS n FROM silver.orders",
    'twin.sql': 'SELECT o.*, p.id AS person FROM batch.orders o LEFT JOIN silver.people p ON p.id = o.id',
  },
);
after(() => lake.close());

type Plan = { readonly selected: { readonly models: readonly string[] } | null; readonly vars: object };
type Result = { readonly status: string; readonly selected?: readonly string[]; readonly tables: object };

describe('the command line', () => {
  test('refuses what names nothing before any run begins, so that nobody is alerted', async () => {
    const mistyped = [
      [['--select', 'totl'], 'no model "totl" in shop: expected one of '],
      [['--exclude', 'silver.odrers'], 'no model "silver.odrers" in shop: expected one of '],
      [['--vars', 'lest=2'], 'no variable "lest" in shop: expected one of least'],
    ] as const;
    for (const [asked, message] of mistyped) {
      const { code, stderr } = await lake.run('run', 'shop', ...asked);
      assert.equal(code, 1);
      assert.ok(stderr.includes(message), stderr);
      assert.doesNotMatch(stderr, /alert|failed/);
    }
    assert.equal(existsSync(join(lake.root, 'ops')), false);
  });

  test('plans and runs selected models, and says what runs as well', async () => {
    await lake.land('shop', 'orders', 'a.csv', 'id,amount\n1,0.50\n2,5\n');
    await lake.land('shop', 'people', 'p.csv', 'id\n1\n');
    const { stdout } = await lake.run('plan', 'shop', '--select', 'twin');
    assert.match(stdout, /^only silver\.people, silver\.twin\nsilver\.people runs as well: silver\.twin joins it\n/);
    const plan = await lake.json<Plan>(
      0,
      'plan',
      'shop',
      '--select',
      'orders+',
      '--exclude',
      'total',
      '--exclude',
      'as_of',
    );
    assert.deepEqual(plan.selected?.models, ['silver.orders']);
    const { code, stderr } = await lake.run('run', 'shop', '--select', 'twin', '--run-id', 'a');
    assert.equal(code, 0);
    assert.match(stderr, /a model runs as well .*silver\.people/);
    const result = await lake.json<Result>(0, 'run', 'shop', '--select', 'orders', '--select', 'total');
    assert.deepEqual(Object.keys(result.tables), ['shop_silver.orders', 'shop_gold.total']);
    assert.deepEqual(result.selected, ['silver.orders', 'gold.total']);
    assert.match(
      (await lake.run('plan', 'shop', '--select', 'total')).stdout,
      /^only gold\.total\na run of these would do nothing: they have no/,
    );
    const nothing = await lake.run('run', 'shop', '--select', 'total');
    assert.deepEqual(
      [nothing.code, nothing.stdout.split(':')[0]],
      [0, 'nothing to do for the selected models of shop'],
    );
  });

  test('gives a run values of variables, as text and as JSON', async () => {
    const { stdout } = await lake.run('plan', 'shop', '--vars', 'least=0.50');
    assert.match(stdout, /^with least = 0\.50\n/m);
    assert.deepEqual((await lake.json<Plan>(0, 'plan', 'shop')).vars, { least: '1.00' });
    const { tables } = await lake.json<Result>(0, 'run', 'shop', '--vars', '{"least": 0.10}');
    assert.deepEqual(Object.keys(tables), ['shop_gold.total', 'shop_gold.as_of']);
    assert.match((await lake.run('query', 'FROM shop_gold.total', '--format', 'csv')).stdout, /5\.50/);
  });

  test('gives a run its date, by which a model is due', async () => {
    await lake.run('run', 'shop');
    assert.match(
      (await lake.run('plan', 'shop', '--run-date', '2026-01-31')).stdout,
      /due: run date 2026-01-31, last /,
    );
    const { tables } = await lake.json<Result>(0, 'run', 'shop', '--run-date', '2026-01-31', '--run-id', 'january');
    assert.deepEqual(Object.keys(tables), ['shop_gold.as_of']);
    const { stdout } = await lake.run('query', 'FROM shop_gold.as_of', '--format', 'csv');
    assert.match(stdout, /^2026-01-01,2/m);
    assert.match((await lake.run('run', 'shop', '--run-date', '2026-01-01')).stdout, /^nothing to do/);
    const runs = await lake.run(
      'query',
      "SELECT run_date FROM shop_ops.runs WHERE run_id = 'january'",
      '--format',
      'csv',
    );
    assert.match(runs.stdout, /^2026-01-31/m);
  });

  test('refuses what is no selector, no variable, no value, with 1', async () => {
    for (const [args, expected] of [
      [['--select', 'ordes'], /no model "ordes" in shop: .*did you mean "orders"\?/],
      [['--vars', 'lest=1'], /no variable "lest" in shop: .*did you mean "least"\?/],
      [['--vars', 'least=soon'], /vars: least: got "soon"; expected decimal\(10,2\)/],
      [['--vars', 'least'], /Expected name=value/],
      [['--run-date', '2026-02-30'], /Expected a day that there is, as YYYY-MM-DD/],
    ] as const) {
      for (const command of ['plan', 'run']) {
        const { code, stderr } = await lake.run(command, 'shop', ...args);
        assert.deepEqual([code, expected.test(stderr)], [1, true], `${command} ${args.join(' ')}: ${stderr}`);
      }
    }
  });
});
