import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { append, csv, definePipeline, full, month, replace, scd2, upsert } from '../../lib/define/index.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const HEADER = 'id,day,amount,note\n';
const COLUMNS = { id: 'bigint', day: 'date', amount: 'decimal(10,2)', note: 'string' } as const;

type Silver = { readonly mode: unknown; readonly partitionBy?: readonly unknown[]; readonly sql?: string };
type Shop = {
  readonly silver: Silver;
  /** Another table of the same source. */
  readonly beside?: Silver;
  readonly columns?: Readonly<Record<string, unknown>>;
  readonly sql?: string;
};

function shop({ silver, beside, columns = COLUMNS, sql }: Shop): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: columns as never }) },
      silver: {
        orders: { from: 'orders', ...silver, ...(sql === undefined ? {} : { sql: 'orders.sql' }) },
        ...(beside && { beside: { from: 'orders', ...beside } }),
      },
      gold: { totals: { sql: 'totals.sql' } },
    } as Parameters<typeof definePipeline>[0]),
    sql: {
      'totals.sql': 'SELECT day, count(*) AS orders FROM silver.orders GROUP BY day',
      ...(sql === undefined ? {} : { 'orders.sql': sql }),
      'beside.sql': 'SELECT id, day, amount * 2 AS amount, note FROM batch.orders',
    },
  };
}

/** Landings, a run each: rows again, late ones, a rejected one, and a file that cannot be read. */
const LANDINGS: readonly (readonly (readonly [name: string, content: string])[])[] = [
  [['a.csv', `${HEADER}1,2026-01-05,1.00,a\n2,2026-02-06,2.00,b\n3,2026-02-07,3.00,\n`]],
  [
    ['b.csv', `${HEADER}2,2026-02-06,2.00,b\n4,2026-03-01,x,d\n1,2026-01-01,0.50,early\n`],
    ['c.csv', ''],
  ],
  [['d.csv', `${HEADER}2,2026-02-20,7.00,later\n5,2026-01-09,-1.00,e\n`]],
];

const MODES = {
  append: { mode: append(), partitionBy: [month('day')] },
  'dedupe by row': { mode: append({ dedupe: 'row' }) },
  'dedupe by key': { mode: append({ dedupe: { key: 'id' } }) },
  replace: { mode: replace(), partitionBy: [month('day')] },
  full: { mode: full() },
  upsert: { mode: upsert({ key: 'id', sequence: 'day', buckets: 2 }) },
  scd2: { mode: scd2({ key: 'id', sequence: 'day', buckets: 3 }) },
} as const;

/** A table that is made of files which its siblings had before has rows of its own beside those of all. */
const rejectedBy = (table: string): string =>
  `SELECT DISTINCT source_file, line, codes, raw FROM t WHERE status <> 'released' AND (table_name IS NULL OR table_name = '${table}') ORDER BY ALL`;

const ROWS = {
  'shop_gold.totals': 'SELECT * FROM t ORDER BY ALL',
} as const;

async function tablesOf(lake: TestLake): Promise<unknown> {
  const all: Record<string, unknown> = {};
  for (const [table, select] of Object.entries(ROWS)) all[table] = await lake.rows(table, select);
  for (const name of ['orders', 'beside']) {
    const table = `shop_silver.${name}`;
    if ((await lake.metadata(table)) === undefined) continue;
    all[table] = await lake.rows(table, 'SELECT * FROM t ORDER BY ALL');
    all[`rejected by ${table}`] = await lake.rows('shop_ops.quarantine', rejectedBy(table));
  }
  return all;
}

async function live(lake: TestLake, landings = LANDINGS): Promise<void> {
  for (const [round, files] of landings.entries()) {
    for (const [name, content] of files) await lake.land('orders', name, content);
    const result = await lake.run({ runId: `run-${round}` });
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
  }
}

/** The lake as it is after its pipeline has become another one. */
async function changed(lake: TestLake, pipeline: TestPipeline): Promise<TestLake> {
  const spec = await compileTest(pipeline, lake.scratch);
  return lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
}

/** What becomes of a lake by a backfill must be what a lake has that always had the pipeline. */
async function compare(
  before: TestPipeline,
  after: TestPipeline,
  asked: Parameters<TestLake['run']>[0] = { backfill: {} },
): Promise<void> {
  const old = await openTestLake(before, { threads: 1, remember: true });
  const fresh = await openTestLake(after, { threads: 1, remember: true });
  try {
    await live(old);
    await live(fresh);
    const lake = await changed(old, after);
    const result = await lake.run({ runId: 'backfill', ...asked });
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    assert.deepEqual(await tablesOf(lake), await tablesOf(fresh));
    // And it is a lake like another: what lands next adds to it.
    for (const one of [lake, fresh]) {
      await one.land('orders', 'z.csv', `${HEADER}9,2026-04-01,9.00,z\n2,2026-02-21,8.00,\n`);
      assert.equal((await one.run({ runId: 'next' })).status, 'SUCCEEDED');
    }
    assert.deepEqual(await tablesOf(lake), await tablesOf(fresh));
  } finally {
    old.close();
    fresh.close();
  }
}

/** The modes that a table may change to: MODE_PAIRS=all takes all of them, otherwise the next in the list. */
function othersOf(name: string): readonly (readonly [string, Silver])[] {
  const all = Object.entries(MODES);
  if (process.env['MODE_PAIRS'] === 'all') return all.filter(([other]) => other !== name);
  const at = all.findIndex(([other]) => other === name);
  return all
    .slice(at + 1)
    .concat(all)
    .slice(0, 1);
}

describe('after a backfill the tables are those of a lake that always had the pipeline', { concurrency: 2 }, () => {
  for (const [name, silver] of Object.entries(MODES)) {
    test(`${name}: other SQL`, () =>
      compare(
        shop({ silver }),
        shop({ silver, sql: `SELECT id, day, amount * 2 AS amount, upper(note) AS note FROM batch.orders` }),
      ));

    test(`${name}: another contract`, () =>
      compare(
        shop({ silver }),
        shop({
          silver,
          columns: {
            ...COLUMNS,
            amount: { type: 'decimal(12,2)', min: '0' },
            note: { type: 'string', required: true },
          },
        }),
      ));

    for (const [other, now] of othersOf(name)) {
      test(`${name} to ${other}`, () => compare(shop({ silver }), shop({ silver: now })));
    }
  }

  for (const [name, silver] of Object.entries(MODES)) {
    for (const [other, beside] of othersOf(name)) {
      test(`${other} that is new beside ${name}`, () => compare(shop({ silver }), shop({ silver, beside }), {}));

      test(`${other} beside ${name} that changes`, () => {
        const columns = { ...COLUMNS, note: { type: 'string', required: true } };
        const onlyBeside = { backfill: {}, select: ['silver.beside'] };
        return compare(
          shop({ silver, beside, columns }),
          shop({ silver, beside: { ...beside, sql: 'beside.sql' }, columns }),
          onlyBeside,
        );
      });
    }
  }

  test('another key', () =>
    compare(
      shop({ silver: { mode: upsert({ key: 'id', sequence: 'day', buckets: 2 }) } }),
      shop({ silver: { mode: upsert({ key: ['id', 'note'], sequence: 'day', buckets: 2 }) } }),
    ));
});

test('files that are gone are named before anything is done, and can be done without', async () => {
  const lake = await openTestLake(shop({ silver: MODES.append }));
  await live(lake);
  await lake.store.remove('bronze/shop/orders/a.csv');
  const refused = await lake.run({ runId: 'refused', backfill: {} });
  assert.equal(refused.status, 'FAILED');
  assert.match(refused.error?.message ?? '', /bronze\/shop\/orders\/a\.csv/);
  assert.equal((await lake.rows('shop_silver.orders')).length, 7);
  const done = await lake.run({ runId: 'done', backfill: { allow_missing: true } });
  assert.equal(done.status, 'SUCCEEDED', done.error?.message);
  assert.equal((await lake.rows('shop_silver.orders')).length, 4);
  lake.close();
});
