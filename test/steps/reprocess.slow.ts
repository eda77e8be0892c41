import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { append, csv, definePipeline, full, month, replace, scd2, upsert } from '../../lib/define/index.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

/** After a file was corrected and reprocessed, tables are those of a lake to which it had landed so in the first place. */

const HEADER = 'id,day,amount,note\n';
const COLUMNS = { id: 'bigint', day: 'date', amount: 'decimal(10,2)', note: 'string' } as const;

function shop(silver: Readonly<Record<string, object>>): TestPipeline {
  const models = Object.entries(silver).map(([name, model]) => [name, { from: 'orders', ...model }]);
  const [first] = Object.keys(silver);
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: COLUMNS }), others: csv({ columns: { id: 'int' } }) },
      silver: { ...Object.fromEntries(models), others: { from: 'others', mode: append() } },
      gold: { totals: { sql: 'totals.sql' } },
    } as Parameters<typeof definePipeline>[0]),
    sql: { 'totals.sql': `SELECT day, count(*) AS orders FROM silver.${first} GROUP BY day` },
  };
}

/** Lakes that live the same, up to what one of them takes anew. */
const CALM = { threads: 1, remember: true } as const;

type File = readonly [name: string, content: string];

/** Landings, a run each. The last file holds rows of the first again, and others of its months and keys. */
const LANDINGS: readonly (readonly File[])[] = [
  [['a.csv', `${HEADER}1,2026-01-05,1.00,a\n2,2026-02-06,2.00,b\n3,2026-02-07,3.00,\n`]],
  [
    ['b.csv', `${HEADER}2,2026-02-06,2.00,b\n4,2026-03-01,x,d\n1,2026-01-01,0.50,early\n`],
    ['c.csv', `${HEADER}6,2026-05-01,6.00,f\n`],
  ],
  [['d.csv', `${HEADER}2,2026-02-20,7.00,later\n5,2026-01-09,-1.00,e\n1,2026-01-05,1.00,a\n`]],
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

const CORRECTED: readonly (File & { readonly length: 2 })[] = [
  ['a.csv', `${HEADER}1,2026-01-06,1.00,right\n3,2026-04-07,3.00,\n7,x,3.00,\n`],
  ['b.csv', `${HEADER}2,2026-02-06,2.00,b\n4,2026-03-01,4.00,d\n`],
  ['d.csv', HEADER],
];

async function tablesOf(lake: TestLake, silver: readonly string[]): Promise<unknown> {
  const all: Record<string, unknown> = {};
  for (const name of silver) all[name] = await lake.rows(`shop_silver.${name}`);
  all['gold'] = await lake.rows('shop_gold.totals');
  const rejected = `SELECT source_file, line, codes, raw FROM t WHERE status <> 'released' ORDER BY ALL`;
  all['quarantine'] = await lake.rows('shop_ops.quarantine', rejected);
  return all;
}

async function live(lake: TestLake, [name, content]: File | readonly []): Promise<void> {
  for (const [round, files] of LANDINGS.entries()) {
    for (const [file, usual] of files) await lake.land('orders', file, file === name ? (content ?? '') : usual);
    await lake.land('others', `${round}.csv`, `id\n${round}\n`);
    const result = await lake.run({ runId: `run-${round}` });
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
  }
}

async function compare(silver: Readonly<Record<string, object>>, corrected: File): Promise<void> {
  const [old, fresh] = [await openTestLake(shop(silver), CALM), await openTestLake(shop(silver), CALM)];
  const same = async (): Promise<void> => {
    assert.deepEqual(await tablesOf(old, Object.keys(silver)), await tablesOf(fresh, Object.keys(silver)));
  };
  try {
    await live(old, []);
    await live(fresh, corrected);
    await old.land('orders', ...corrected);
    await old.land('orders', 'waits.csv', `${HEADER}8,2026-01-08,8.00,waits\n`);
    const result = await old.run({ runId: 'again', reprocess: { source: 'orders', files: [corrected[0]] } });
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    const anew = Object.values(silver).every((model) => 'key' in (model as { mode: object }).mode)
      ? []
      : Object.keys(silver);
    assert.deepEqual(
      result.anew ?? [],
      anew.map((one) => `shop_silver.${one}`),
    );
    await same();
    // And it is a lake like another: what waits and what lands next adds to it, and the place of the file stays its own.
    await fresh.land('orders', 'waits.csv', `${HEADER}8,2026-01-08,8.00,waits\n`);
    for (const lake of [old, fresh]) {
      await lake.land('orders', 'z.csv', `${HEADER}9,2026-04-01,9.00,z\n2,2026-02-21,8.00,\n`);
      assert.equal((await lake.run({ runId: 'next' })).status, 'SUCCEEDED');
    }
    await same();
    for (const lake of [old, fresh]) {
      assert.equal((await lake.run({ runId: 'backfill', backfill: {} })).status, 'SUCCEEDED');
    }
    await same();
    assert.equal((await old.answer()).kind, 'nothing');
  } finally {
    old.close();
    fresh.close();
  }
}

describe('a corrected file takes the place of the wrong one', { concurrency: 2 }, () => {
  for (const [at, [name, model]] of Object.entries(MODES).entries()) {
    // Each mode with the file that began, and another.
    const [first, ...others] = CORRECTED;
    for (const corrected of [first, others[at % 2]]) {
      if (corrected !== undefined) test(`${name}: ${corrected[0]}`, () => compare({ orders: model }, corrected));
    }
  }

  test('in all tables that its source feeds', async () => {
    const both = { orders: MODES.upsert, all: { mode: append() }, months: MODES.replace };
    await compare(both, CORRECTED[1] ?? ['', '']);
  });
});

test('corrected twice it stays in its place, and files of a time are taken together', async () => {
  const [a] = LANDINGS[0] ?? [];
  assert.ok(a);
  const [old, fresh] = [
    await openTestLake(shop({ orders: MODES.replace })),
    await openTestLake(shop({ orders: MODES.replace })),
  ];
  try {
    await live(old, []);
    await live(fresh, ['a.csv', `${HEADER}1,2026-03-05,1.00,a\n`]);
    for (const [round, content] of [`${HEADER}1,2026-02-05,1.00,a\n`, `${HEADER}1,2026-03-05,1.00,a\n`].entries()) {
      await old.land('orders', 'a.csv', content);
      const result = await old.run({ runId: `again-${round}`, reprocess: { source: 'orders', from: '1970-01-01' } });
      assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    }
    assert.deepEqual(await tablesOf(old, ['orders']), await tablesOf(fresh, ['orders']));
  } finally {
    old.close();
    fresh.close();
  }
});

test('files of others that are gone are named before anything is done, where tables are made from all', async () => {
  const lake = await openTestLake(shop({ orders: MODES.full }));
  try {
    await live(lake, []);
    await lake.store.remove('bronze/shop/orders/b.csv');
    const refused = await lake.run({ runId: 'refused', reprocess: { source: 'orders', files: ['a.csv'] } });
    assert.equal(refused.status, 'FAILED');
    assert.match(
      refused.error?.message ?? '',
      /cannot reprocess orders of shop: 1 files .*\n {2}bronze\/shop\/orders\/b\.csv/,
    );
  } finally {
    lake.close();
  }
});
