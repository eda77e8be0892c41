import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { isKeyed } from '../../lib/core/keyed.ts';
import type { KeyedMode } from '../../lib/core/spec.ts';
import { csv, definePipeline, scd2, upsert } from '../../lib/define/index.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const HEADER = 'id,region,at,name,price,op\n';

type Mode = ReturnType<typeof scd2>;

function catalogue(mode: Mode): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: {
        items: csv({
          columns: { id: 'bigint', region: 'string', at: 'date', name: 'string', price: 'decimal(10,2)', op: 'string' },
        }),
      },
      silver: { items: { from: 'items', mode } },
      gold: { open_items: { sql: 'open.sql' } },
    }),
    sql: { 'open.sql': 'SELECT id, name FROM silver.items' },
  };
}

async function withLake(mode: Mode, use: (lake: TestLake) => Promise<void>): Promise<void> {
  const lake = await openTestLake(catalogue(mode));
  try {
    await use(lake);
  } finally {
    lake.close();
  }
}

/** Arrivals of two items: late, early, repeated, deleted and reborn. */
const LINES: readonly string[] = [
  '1,eu,2026-01-10,a,1.00,U',
  '1,eu,2026-01-20,b,1.00,U',
  '2,eu,2026-01-05,x,5.00,U',
  '1,eu,2026-01-30,b,1.00,D',
  '2,eu,2026-01-15,x,6.00,U',
  '1,eu,2026-02-10,c,2.00,U',
  '2,eu,2026-01-15,x,6.00,U',
  '1,eu,2026-01-05,z,1.00,U',
];

const SCD2 = scd2({ key: 'id', sequence: 'at', track: ['name', 'price'], deleteWhen: "op = 'D'", buckets: 4 });
const HISTORY = 'SELECT id, name, price, valid_from, valid_to, is_current FROM t ORDER BY id, valid_from';

const EXPECTED = [
  [1, 'z', '1.00', '2026-01-05', '2026-01-10', false],
  [1, 'a', '1.00', '2026-01-10', '2026-01-20', false],
  [1, 'b', '1.00', '2026-01-20', '2026-01-30', false],
  [1, 'c', '2.00', '2026-02-10', null, true],
  [2, 'x', '5.00', '2026-01-05', '2026-01-15', false],
  [2, 'x', '6.00', '2026-01-15', null, true],
];

async function history(lake: TestLake): Promise<unknown[][]> {
  return (await lake.rows('shop_silver.items', HISTORY)).map((row) => Object.values(row));
}

describe('scd2 through runs', () => {
  const orders: readonly (readonly [string, readonly (readonly string[])[]])[] = [
    ['in one file', [LINES]],
    ['one line at a time', LINES.map((line) => [line])],
    ['backwards', [...LINES].reverse().map((line) => [line])],
    ['in two halves, the later first', [LINES.slice(4), LINES.slice(0, 4)]],
  ];
  for (const [name, batches] of orders) {
    test(`${name}: the same table`, async () => {
      await withLake(SCD2, async (lake) => {
        for (const [i, lines] of batches.entries()) {
          await lake.land('items', `${i}.csv`, `${HEADER}${lines.join('\n')}\n`);
          const result = await lake.run();
          assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
        }
        assert.deepEqual(await history(lake), EXPECTED);
      });
    });
  }

  test('accounts: a repeated event of one file is a duplicate, and a replayed file changes no history', async () => {
    await withLake(SCD2, async (lake) => {
      await lake.land('items', 'a.csv', `${HEADER}${LINES.join('\n')}\n`);
      const first = await lake.run();
      assert.deepEqual(first.accounting['items'], {
        read: 8,
        accepted: 7,
        quarantined: 0,
        condemned: 0,
        duplicates: 1,
      });
      await lake.land('items', 'again.csv', `${HEADER}${LINES.join('\n')}\n`);
      await lake.run();
      assert.deepEqual(await history(lake), EXPECTED);
    });
  });

  test('a null key and a null sequence are quarantined', async () => {
    await withLake(SCD2, async (lake) => {
      await lake.land('items', 'a.csv', `${HEADER},eu,2026-01-10,a,1.00,U\n1,eu,,a,1.00,U\n2,eu,2026-01-05,x,5.00,U\n`);
      const result = await lake.run();
      assert.equal(result.accounting['items']?.quarantined, 2);
      const rows = await lake.rows('shop_ops.quarantine', 'SELECT line, codes FROM t ORDER BY line');
      assert.deepEqual(rows, [
        { line: 2, codes: ['NULL_KEY'] },
        { line: 3, codes: ['NULL_SEQUENCE'] },
      ]);
    });
  });

  test('only the touched buckets are rewritten', async () => {
    await withLake(SCD2, async (lake) => {
      const many = Array.from({ length: 200 }, (_, i) => `${i},eu,2026-01-01,n${i},1.00,U`);
      await lake.land('items', 'a.csv', `${HEADER}${many.join('\n')}\n`);
      await lake.run();
      await lake.land('items', 'b.csv', `${HEADER}7,eu,2026-02-01,changed,1.00,U\n`);
      const result = await lake.run();
      assert.equal(result.tables['shop_silver.items']?.files_added, 1);
      assert.ok((result.tables['shop_silver.items']?.rows_added ?? 200) < 100);
      assert.equal((await lake.rows('shop_silver.items')).length, 201);
    });
  });

  test('a hot bucket is cut by a second hash and holds the same rows', async () => {
    await withLake(scd2({ key: 'id', sequence: 'at', track: ['name'], buckets: 1 }), async (lake) => {
      const tiny = lake.reopen((deps) => ({
        ...deps,
        specs: async (name) => {
          const spec = await deps.specs(name);
          return { ...spec, settings: { ...spec.settings, unitBytes: 30_000 } };
        },
      }));
      for (const day of ['01', '02', '03']) {
        const lines = Array.from({ length: 300 }, (_, i) => `${i},eu,2026-01-${day},n${i % 7}-${day},1.00,U`);
        await lake.land('items', `${day}.csv`, `${HEADER}${lines.join('\n')}\n`);
        const result = await tiny.run();
        assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
      }
      const counts = await lake.rows(
        'shop_silver.items',
        'SELECT count(*) AS n, count(*) FILTER (is_current) AS open, count(DISTINCT id) AS ids FROM t',
      );
      assert.deepEqual(counts, [{ n: 900, open: 300, ids: 300 }]);
    });
  });

  test('missing: delete closes what an extract lacks, reopens what returns, in any order', async () => {
    const mode = scd2({ key: ['id', 'region'], sequence: 'at', track: ['name'], missing: 'delete', buckets: 2 });
    const extracts: readonly (readonly [string, string])[] = [
      ['jan', '1,eu,2026-01-31,a,1,U\n2,eu,2026-01-31,b,1,U\n1,us,2026-01-31,c,1,U\n'],
      ['feb', '2,eu,2026-02-28,b,1,U\n1,us,2026-02-28,d,1,U\n'],
      ['mar', '1,eu,2026-03-31,a,1,U\n2,eu,2026-03-31,b,1,U\n1,us,2026-03-31,d,1,U\n'],
    ];
    const expected = [
      [1, 'a', '2026-01-31', '2026-02-28'],
      [1, 'a', '2026-03-31', null],
      [1, 'c', '2026-01-31', '2026-02-28'],
      [1, 'd', '2026-02-28', null],
      [2, 'b', '2026-01-31', null],
    ];
    for (const order of [
      [0, 1, 2],
      [2, 0, 1],
      [1, 2, 0],
    ]) {
      await withLake(mode, async (lake) => {
        for (const at of order) {
          const [name, lines] = extracts[at] ?? ['', ''];
          await lake.land('items', `${name}.csv`, HEADER + lines);
          await lake.run();
        }
        const select = 'SELECT id, name, valid_from, valid_to FROM t ORDER BY id, name, valid_from';
        assert.deepEqual(
          (await lake.rows('shop_silver.items', select)).map((r) => Object.values(r)),
          expected,
          order.join(),
        );
      });
    }
  });
});

test('an extract with rejected rows deletes nothing: what it lacks may be among them', async () => {
  const mode = scd2({ key: 'id', sequence: 'at', track: ['name'], missing: 'delete' });
  await withLake(mode, async (lake) => {
    await lake.land('items', 'jan.csv', `${HEADER}1,eu,2026-01-31,a,1,U\n2,eu,2026-01-31,b,1,U\n`);
    await lake.run();
    await lake.land('items', 'feb.csv', `${HEADER}1,eu,2026-02-28,a,1,U\n2,eu,2026-02-30,b,1,U\n`);
    assert.equal((await lake.run()).accounting['items']?.quarantined, 1);
    const open = 'SELECT id FROM t WHERE is_current ORDER BY id';
    assert.deepEqual(await lake.rows('shop_silver.items', open), [{ id: 1 }, { id: 2 }]);
  });
});

test('a row that ends before it begins is quarantined', async () => {
  const pipeline: TestPipeline = {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { items: csv({ columns: { id: 'bigint', at: 'date', until: 'date' } }) },
      silver: { items: { from: 'items', mode: scd2({ key: 'id', sequence: 'at', validTo: 'until' }) } },
    }),
  };
  const lake = await openTestLake(pipeline);
  try {
    await lake.land('items', 'a.csv', 'id,at,until\n1,2026-01-10,2026-01-01\n2,2026-01-10,2026-01-20\n');
    const result = await lake.run();
    assert.equal(result.accounting['items']?.quarantined, 1, JSON.stringify(result.error));
    assert.deepEqual(await lake.rows('shop_ops.quarantine', 'SELECT line, codes FROM t'), [
      { line: 2, codes: ['RANGE_ERROR'] },
    ]);
  } finally {
    lake.close();
  }
});

test('upsert keeps the latest row of a key and forgets deleted ones', async () => {
  const mode = upsert({ key: 'id', sequence: 'at', deleteWhen: "op = 'D'" });
  for (const lines of [LINES, [...LINES].reverse()]) {
    await withLake(mode, async (lake) => {
      for (const [i, line] of lines.entries()) {
        await lake.land('items', `${i}.csv`, `${HEADER}${line}\n`);
        await lake.run();
      }
      const rows = await lake.rows('shop_silver.items', 'SELECT id, name, price FROM t ORDER BY id');
      assert.deepEqual(rows, [
        { id: 1, name: 'c', price: '2.00' },
        { id: 2, name: 'x', price: '6.00' },
      ]);
    });
  }
});

describe('rebuild', () => {
  test('recomputes the same history from the log, also into another number of buckets', async () => {
    await withLake(SCD2, async (lake) => {
      for (const [i, line] of LINES.entries()) await lake.land('items', `${i}.csv`, `${HEADER}${line}\n`);
      await lake.run();
      const wider = withMode(lake, (mode) => ({ ...mode, buckets: 16 }));
      const result = await wider.run({ rebuild: 'shop_silver.items' });
      assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
      assert.deepEqual(await history(lake), EXPECTED);
      const spec = (await lake.metadata('shop_silver.items'))?.['partition-specs'].at(-1);
      assert.equal(spec?.fields[0]?.transform, 'bucket[16]');
      await lake.land('items', 'late.csv', `${HEADER}1,eu,2026-02-20,d,2.00,U\n`);
      assert.equal((await wider.run()).status, 'SUCCEEDED');
      assert.deepEqual((await history(lake)).at(4), [1, 'd', '2.00', '2026-02-20', null, true]);
    });
  });

  test('until then a changed mode holds for keys that are touched, wholly, and the run says so', async () => {
    await withLake(scd2({ key: 'id', sequence: 'at', track: ['name'] }), async (lake) => {
      const rows = [1, 2].map((id) => `${id},eu,2026-01-05,x,5.00,U\n${id},eu,2026-01-15,x,6.00,U\n`);
      await lake.land('items', 'a.csv', HEADER + rows.join('\n'));
      assert.deepEqual((await lake.run()).warnings, []);
      const finer = withMode(lake, (mode) => ({ ...mode, track: ['name', 'price'] }));
      for (const [i, day] of ['25', '26'].entries()) {
        await lake.land('items', `b${i}.csv`, `${HEADER}2,eu,2026-01-${day},x,7.00,U\n`);
        const { warnings } = await finer.run();
        assert.match(
          warnings.join('\n'),
          /shop_silver\.items: its mode has changed .* strata rebuild shop_silver\.items/,
        );
      }
      const versions = async (id: number): Promise<unknown> =>
        (await history(lake)).filter((row) => row[0] === id).map((row) => row[2]);
      assert.deepEqual(await versions(1), ['6.00'], 'as it was made');
      assert.deepEqual(await versions(2), ['5.00', '6.00', '7.00'], 'as its events make it');
      await finer.run({ rebuild: 'shop_silver.items' });
      assert.deepEqual(await versions(1), ['5.00', '6.00']);
      await lake.land('items', 'c.csv', `${HEADER}1,eu,2026-01-27,x,8.00,U\n`);
      assert.deepEqual((await finer.run()).warnings, []);
      assert.deepEqual(await versions(1), ['5.00', '6.00', '8.00']);
    });
  });

  test('a changed rule of tracking loses nothing', async () => {
    await withLake(scd2({ key: 'id', sequence: 'at', track: ['name'] }), async (lake) => {
      await lake.land('items', 'a.csv', `${HEADER}2,eu,2026-01-05,x,5.00,U\n2,eu,2026-01-15,x,6.00,U\n`);
      await lake.run();
      assert.equal((await history(lake)).length, 1);
      await withMode(lake, (mode) => ({ ...mode, track: ['name', 'price'] })).run({ rebuild: 'shop_silver.items' });
      assert.equal((await history(lake)).length, 2);
    });
  });
});

describe('reprocess', () => {
  test('withdraws what a file contributed and takes it again as if it had been right the first time', async () => {
    const good = LINES.slice(0, 4).join('\n');
    const wrong = '1,eu,2026-01-12,WRONG,9.00,U\n1,eu,2026-01-20,b,1.00,U\n3,eu,2026-01-01,ghost,1.00,U';
    await withLake(SCD2, async (lake) => {
      await lake.land('items', 'rest.csv', `${HEADER}${LINES.slice(4).join('\n')}\n`);
      await lake.land('items', 'fixme.csv', `${HEADER}${wrong}\n`);
      await lake.run();
      await lake.land('items', 'fixme.csv', `${HEADER}${good}\n`);
      const result = await lake.run({ reprocess: { source: 'items', files: ['fixme.csv'] } });
      assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
      assert.deepEqual(await history(lake), EXPECTED);
      assert.equal((await lake.answer()).kind, 'nothing', 'the reprocessed file is in the ledger');
    });
  });

  test('an unknown file is named', async () => {
    await withLake(SCD2, async (lake) => {
      await lake.land('items', 'a.csv', `${HEADER}${LINES.join('\n')}\n`);
      await lake.run();
      const failed = await lake.run({ reprocess: { source: 'items', files: ['b.csv'] } });
      assert.match(failed.error?.message ?? '', /not in bronze\/shop\/items\/: b\.csv/);
    });
  });
});

/** The same lake after an edit of the keyed model's mode. */
function withMode(lake: TestLake, edit: (mode: KeyedMode) => KeyedMode): TestLake {
  return lake.reopen((deps) => ({
    ...deps,
    specs: async (name) => {
      const spec = await deps.specs(name);
      const models = spec.models.map((m) => (isKeyed(m) ? { ...m, mode: edit(m.mode) } : m));
      return { ...spec, models };
    },
  }));
}
