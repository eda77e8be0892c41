import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { append, csv, definePipeline, full, identity, month, query, replace, unique } from '../../lib/define/index.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const COLUMNS = {
  id: { type: 'bigint', required: true },
  day: { type: 'date', required: true },
  kind: 'string',
  amount: { type: 'decimal(10,2)', min: 0 },
} as const;

type Silver = Record<string, unknown>;

function shop(
  silver: Silver,
  options: { readonly unitBytes?: number; readonly drift?: 'evolve' | 'ignore' | 'fail' } = {},
): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: COLUMNS, drift: options.drift ?? 'fail' }) },
      silver: { orders: { from: 'orders', ...silver } },
      gold: { totals: { sql: 'totals.sql' } },
      ...(options.unitBytes === undefined ? {} : { settings: { unitBytes: options.unitBytes } }),
    } as Parameters<typeof definePipeline>[0]),
    sql: { 'totals.sql': 'SELECT kind, count(*) AS orders, sum(amount) AS amount FROM silver.orders GROUP BY kind' },
  };
}

async function withLake(pipeline: TestPipeline, use: (lake: TestLake) => Promise<void>): Promise<void> {
  const lake = await openTestLake(pipeline);
  try {
    await use(lake);
  } finally {
    lake.close();
  }
}

const HEADER = 'id,day,kind,amount\n';
const FILES: readonly (readonly [string, string])[] = [
  ['a.csv', `${HEADER}1,2026-01-05,x,1.00\n2,2026-01-06,y,2.00\n2,2026-01-06,y,2.00\n`],
  ['b.csv', `${HEADER}3,2026-02-01,x,3.00\n1,2026-01-05,x,1.00\n4,2026-02-02,x,4.00\n`],
  ['c.csv', `${HEADER}4,2026-02-02,z,40.00\n5,2026-03-01,y,5.50\n`],
];

async function landAll(lake: TestLake): Promise<void> {
  for (const [name, text] of FILES) await lake.land('orders', name, text);
}

const MODES: readonly (readonly [string, Silver, number])[] = [
  ['append without dedupe', { mode: append(), partitionBy: [month('day')] }, 8],
  ['append, dedupe by row', { mode: append({ dedupe: 'row' }), partitionBy: [month('day'), identity('kind')] }, 6],
  ['append, dedupe by key', { mode: append({ dedupe: { key: 'id' } }), partitionBy: [month('day')] }, 5],
];

describe('an append table is the same however its files arrive and however the work is cut', () => {
  for (const [name, silver, rows] of MODES) {
    test(name, async () => {
      const tables: unknown[] = [];
      for (const variant of ['at once', 'one by one', 'a unit per file'] as const) {
        await withLake(shop(silver, variant === 'a unit per file' ? { unitBytes: 1024 * 1024 } : {}), async (lake) => {
          const deps = variant === 'a unit per file' ? smallUnits(lake) : lake;
          if (variant === 'one by one') {
            for (const [file, text] of FILES) {
              await lake.land('orders', file, text);
              assert.equal((await lake.run()).status, 'SUCCEEDED');
            }
          } else {
            await landAll(lake);
            const result = await deps.run();
            assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
            const counts = result.accounting['orders'];
            assert.deepEqual(counts, { read: 8, accepted: rows, quarantined: 0, condemned: 0, duplicates: 8 - rows });
          }
          tables.push([await lake.rows('shop_silver.orders'), await lake.rows('shop_gold.totals')]);
        });
      }
      assert.equal((tables[0] as unknown[][])[0]?.length, rows);
      assert.deepEqual(tables[1], tables[0]);
      assert.deepEqual(tables[2], tables[0]);
    });
  }
});

/** The same lake with a spec whose units hold one file each. */
function smallUnits(lake: TestLake): TestLake {
  return lake.reopen((deps) => ({
    ...deps,
    specs: async (name) => {
      const spec = await deps.specs(name);
      return { ...spec, settings: { ...spec.settings, unitBytes: 1 } };
    },
  }));
}

test('key duplicates: the first row in file order stays', async () => {
  await withLake(shop({ mode: append({ dedupe: { key: 'id' } }) }), async (lake) => {
    await landAll(lake);
    await smallUnits(lake).run();
    assert.deepEqual(await lake.rows('shop_silver.orders', 'SELECT kind FROM t WHERE id = 4'), [{ kind: 'x' }]);
  });
});

test('replace: only the partitions that the batch touches change', async () => {
  await withLake(shop({ mode: replace(), partitionBy: [month('day')] }), async (lake) => {
    await lake.land('orders', 'a.csv', `${HEADER}1,2026-01-05,x,1.00\n2,2026-02-06,y,2.00\n`);
    await lake.run();
    await lake.land('orders', 'b.csv', `${HEADER}3,2026-02-01,x,3.00\n`);
    await lake.run();
    assert.deepEqual(await lake.rows('shop_silver.orders', 'SELECT id FROM t ORDER BY id'), [{ id: 1 }, { id: 3 }]);
  });
});

test('full: the table is the latest batch, and an unreadable batch leaves it alone', async () => {
  await withLake(shop({ mode: full() }), async (lake) => {
    await lake.land('orders', 'a.csv', `${HEADER}1,2026-01-05,x,1.00\n2,2026-02-06,y,2.00\n`);
    await lake.run();
    await lake.land('orders', 'b.csv', `${HEADER}3,2026-02-01,x,3.00\n`);
    await lake.run();
    assert.deepEqual(await lake.rows('shop_silver.orders', 'SELECT id FROM t'), [{ id: 3 }]);
    await lake.land('orders', 'c.csv', '');
    const result = await lake.run();
    assert.equal(result.rejected_files.length, 1);
    assert.deepEqual(await lake.rows('shop_silver.orders', 'SELECT id FROM t'), [{ id: 3 }]);
    await lake.land('orders', 'd.csv', `${HEADER}not a number,2026-02-01,x,3.00\n`);
    assert.equal((await lake.run()).accounting['orders']?.quarantined, 1);
    assert.deepEqual(await lake.rows('shop_silver.orders', 'SELECT id FROM t'), [{ id: 3 }]);
  });
});

test('nothing new: nothing happens; the same run_id again: the first answer', async () => {
  await withLake(shop({ mode: append() }), async (lake) => {
    await landAll(lake);
    const first = await lake.run({ runId: 'r-1' });
    const keys = await allKeys(lake);
    assert.equal((await lake.answer()).kind, 'nothing');
    assert.deepEqual(await lake.answer({ runId: 'r-1' }), { kind: 'ended', result: first, again: true });
    assert.deepEqual(await allKeys(lake), keys);
  });
});

async function allKeys(lake: TestLake): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key, etag } of lake.store.list('')) {
    // The lock and the run pointer change with every run, and stay.
    if (!/^ops\/shop\/(lock|open-run)\.json$/.test(key)) keys.push(`${key} ${etag}`);
  }
  return keys;
}

test('a row that breaks the contract is quarantined with all its codes, its file and its line', async () => {
  await withLake(shop({ mode: append() }), async (lake) => {
    await lake.land('orders', 'a.csv', `${HEADER}1,2026-01-05,x,1.00\n,2026-13-01,y,-2.00\n3,2026-01-07,z,3.00\n`);
    const result = await lake.run();
    assert.deepEqual(result.accounting['orders'], {
      read: 3,
      accepted: 2,
      quarantined: 1,
      condemned: 0,
      duplicates: 0,
    });
    const rows = await lake.rows('shop_ops.quarantine', 'SELECT source_file, line, codes, raw FROM t');
    assert.deepEqual(rows, [
      {
        source_file: 'bronze/shop/orders/a.csv',
        line: 3,
        codes: ['NULL_VALUE_ERROR', 'TIMESTAMP_ERROR', 'RANGE_ERROR'],
        raw: '{"id":null,"day":"2026-13-01","kind":"y","amount":"-2.00"}',
      },
    ]);
  });
});

describe('expectations', () => {
  test('drop: the row goes to quarantine; warn: it stays and is told', async () => {
    const expect = {
      small: { condition: 'amount < 5', policy: 'drop' },
      no_z: { condition: "kind <> 'z'", policy: 'warn' },
    };
    await withLake(shop({ mode: append(), expect }), async (lake) => {
      await lake.land('orders', 'a.csv', `${HEADER}1,2026-01-05,x,1.00\n2,2026-01-06,z,2.00\n3,2026-01-07,y,9.00\n`);
      const result = await lake.run();
      assert.equal(result.accounting['orders']?.quarantined, 1);
      assert.match(result.warnings.join('\n'), /small .* 1 rows; they are in quarantine/);
      assert.match(result.warnings.join('\n'), /no_z .* 1 rows$/);
      assert.deepEqual(await lake.rows('shop_ops.quarantine', 'SELECT line, codes FROM t'), [
        { line: 4, codes: ['SMALL'] },
      ]);
      assert.deepEqual(await lake.rows('shop_silver.orders', 'SELECT id FROM t ORDER BY id'), [{ id: 1 }, { id: 2 }]);
    });
  });

  const failing: readonly (readonly [string, Record<string, unknown>, RegExp])[] = [
    ['row', { small: 'amount < 5' }, /small \(amount < 5\) does not hold for 1 rows/],
    [
      'query',
      { none: query('select * from this where amount > 5') },
      /expectation none does not hold: 1 offending; nothing is published$/,
    ],
    ['unique', { ids: unique('id') }, /expectation ids does not hold: 1 offending, such as .*'?id'?: 2/],
  ];
  for (const [name, expect, message] of failing) {
    test(`fail (${name}): nothing is published, and the next run works once the cause is gone`, async () => {
      await withLake(shop({ mode: append(), expect }), async (lake) => {
        await lake.land('orders', 'good.csv', `${HEADER}1,2026-01-05,x,1.00\n`);
        await lake.run();
        const before = await lake.rows('shop_silver.orders');
        await lake.land('orders', 'bad.csv', `${HEADER}2,2026-01-06,y,9.00\n2,2026-01-06,y,1.00\n`);
        const failed = await lake.run();
        assert.equal(failed.status, 'FAILED');
        assert.match(failed.error?.message ?? '', message);
        assert.deepEqual(await lake.rows('shop_silver.orders'), before);
        await lake.land('orders', 'bad.csv', `${HEADER}2,2026-01-06,y,1.00\n`);
        assert.equal((await lake.run()).status, 'SUCCEEDED');
        assert.deepEqual(await lake.rows('shop_silver.orders', 'SELECT id FROM t ORDER BY id'), [{ id: 1 }, { id: 2 }]);
        const runs = await lake.rows('shop_ops.runs', 'SELECT status FROM t ORDER BY started_at');
        assert.deepEqual(
          runs.map((r) => r['status']),
          ['SUCCEEDED', 'FAILED', 'SUCCEEDED'],
        );
      });
    });
  }
});

test('a dry run computes and previews everything and leaves only its result behind', async () => {
  await withLake(shop({ mode: append({ dedupe: 'row' }), partitionBy: [month('day')] }), async (lake) => {
    await landAll(lake);
    const before = await allKeys(lake);
    const result = await lake.run({ dryRun: true, runId: 'dry' });
    assert.equal(result.status, 'DRY_RUN');
    assert.equal(result.accounting['orders']?.accepted, 6);
    assert.equal(result.previews['gold.totals']?.length, 3);
    const after = (await allKeys(lake)).filter((key) => !before.includes(key));
    assert.deepEqual(
      after.map((key) => key.split(' ')[0]),
      ['ops/shop/_dry_runs/dry/result.json'],
    );
    assert.equal(await lake.metadata('shop_silver.orders'), undefined);
    assert.equal((await lake.run({ runId: 'dry' })).accounting['orders']?.accepted, 6, 'the run_id is still free');
  });
});

describe('drift', () => {
  const extra = 'id,day,kind,amount,note\n9,2026-01-09,x,9.00,hello\n';
  test('evolve: a new column is added to the table, older rows read null', async () => {
    await withLake(shop({ mode: append() }, { drift: 'evolve' }), async (lake) => {
      await lake.land('orders', 'a.csv', FILES[0]?.[1] ?? '');
      await lake.run();
      await lake.land('orders', 'b.csv', extra);
      await lake.land('orders', 'c.csv', FILES[2]?.[1] ?? '');
      await lake.run();
      const notes = await lake.rows('shop_silver.orders', 'SELECT note, count(*) AS n FROM t GROUP BY ALL ORDER BY n');
      assert.deepEqual(notes, [
        { note: 'hello', n: 1 },
        { note: null, n: 5 },
      ]);
    });
  });
  test('ignore: the column is left out', async () => {
    await withLake(shop({ mode: append() }, { drift: 'ignore' }), async (lake) => {
      await lake.land('orders', 'b.csv', extra);
      await lake.run();
      assert.deepEqual(Object.keys((await lake.rows('shop_silver.orders'))[0] ?? {}), ['id', 'day', 'kind', 'amount']);
    });
  });
  test('fail: the file is rejected and the rest of the run goes on', async () => {
    await withLake(shop({ mode: append() }), async (lake) => {
      await landAll(lake);
      await lake.land('orders', 'd.csv', extra);
      const result = await lake.run();
      assert.equal(result.accounting['orders']?.read, 8);
      assert.match(result.rejected_files[0]?.reason ?? '', /SCHEMA_ERROR: .*"note".*/);
    });
  });
});

test('gold is computed when its inputs or its SQL change, not otherwise', async () => {
  const pipeline = shop({ mode: append({ dedupe: 'row' }) });
  await withLake(pipeline, async (lake) => {
    await landAll(lake);
    await lake.run();
    const snapshots = async (): Promise<number> => (await lake.metadata('shop_gold.totals'))?.snapshots.length ?? 0;
    assert.equal(await snapshots(), 1);
    await lake.land('orders', 'again.csv', FILES[0]?.[1] ?? '');
    const again = await lake.run();
    assert.equal(again.accounting['orders']?.duplicates, 3);
    assert.equal(await snapshots(), 1, 'no new silver rows, so gold is up to date');
    const edited = lake.reopen((deps) => ({
      ...deps,
      specs: async (name) => {
        const spec = await deps.specs(name);
        const models = spec.models.map((m) =>
          m.layer === 'gold' ? { ...m, sql: m.sql.replace('count(*)', 'count(*) + 0') } : m,
        );
        return { ...spec, models };
      },
    }));
    assert.equal((await edited.run()).status, 'SUCCEEDED');
    assert.equal(await snapshots(), 2);
  });
});
