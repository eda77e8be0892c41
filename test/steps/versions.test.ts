import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { append, csv, definePipeline, scd2 } from '../../lib/define/index.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { keyOf, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const COLUMNS = {
  id: { type: 'bigint', required: true },
  kind: 'string',
  amount: { type: 'decimal(10,2)', min: 0 },
} as const;

function shop(drift: 'evolve' | 'fail' = 'fail'): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: COLUMNS, drift }) },
      silver: { orders: { from: 'orders', mode: append() } },
    } as Parameters<typeof definePipeline>[0]),
  };
}

const HEADER = 'id,kind,amount\n';
const [FIRST, SECOND, THIRD] = ['1,x,1.00\n2,x,2.00\n', '3,y,3.00\n', '4,z,4.00\n'].map((rows) => HEADER + rows);
const KEY = 'bronze/shop/orders/a.csv';

async function withLake(
  pipeline: TestPipeline,
  options: { readonly versions?: boolean },
  use: (lake: TestLake) => Promise<void>,
): Promise<void> {
  const lake = await openTestLake(pipeline, options);
  try {
    await use(lake);
  } finally {
    lake.close();
  }
}

async function land(lake: TestLake, ...uploads: readonly (string | undefined)[]): Promise<void> {
  for (const text of uploads) await lake.land('orders', 'a.csv', text ?? '');
}

async function idsOf(lake: TestLake): Promise<readonly unknown[]> {
  return (await lake.rows('shop_silver.orders', 'SELECT id FROM t ORDER BY id')).map((row) => row['id']);
}

async function ledgerOf(lake: TestLake): Promise<readonly unknown[]> {
  const rows = await lake.rows('shop_ops.files', 'SELECT key, status, CAST(records AS INTEGER) AS n FROM t ORDER BY n');
  return rows.map((row) => `${row['key']} ${row['status']} ${row['n']}`);
}

const accepted = (rows: number, quarantined = 0) => ({
  read: rows + quarantined,
  accepted: rows,
  quarantined,
  condemned: 0,
  duplicates: 0,
});

/** The same lake in which something happens once, just before a landed file is borrowed for the first time. */
function beforeStaging(lake: TestLake, act: () => Promise<void>): TestLake {
  let done = false;
  return lake.reopen(
    (deps): StepDeps => ({
      ...deps,
      store: {
        ...deps.store,
        async borrow(objects) {
          if (!done && objects.some((object) => keyOf(object).startsWith('bronze/'))) {
            done = true;
            await act();
          }
          return deps.store.borrow(objects);
        },
      },
    }),
  );
}

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

describe('uploads under one name, where overwritten ones are kept', () => {
  for (const [how, units] of [
    ['in one unit', (lake: TestLake) => lake],
    ['in a unit each', smallUnits],
  ] as const) {
    test(`two before a run are two files, ${how}`, async () => {
      await withLake(shop(), { versions: true }, async (lake) => {
        await land(lake, FIRST, SECOND);
        const result = await units(lake).run();
        assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
        assert.deepEqual(result.accounting['orders'], accepted(3));
        assert.deepEqual(await idsOf(lake), [1, 2, 3]);
        assert.deepEqual(await ledgerOf(lake), [`${KEY} ingested 1`, `${KEY} ingested 2`]);
        assert.equal((await lake.answer()).kind, 'nothing');
      });
    });
  }

  test('of rows in quarantine, each has the line that it has in its own upload', async () => {
    await withLake(shop(), { versions: true }, async (lake) => {
      await land(lake, `${HEADER}1,x,1.00\nbad,x,1.00\n`, `${HEADER}2,x,1.00\n3,x,1.00\n4,x,-1.00\n`);
      assert.deepEqual((await lake.run()).accounting['orders'], accepted(3, 2));
      const rows = await lake.rows('shop_ops.quarantine', 'SELECT source_file, line, raw FROM t ORDER BY line');
      assert.deepEqual(
        rows.map((row) => `${row['source_file']}:${row['line']}`),
        [`${KEY}:3`, `${KEY}:4`],
      );
      assert.match(String(rows[1]?.['raw']), /-1\.00/);
    });
  });

  test('one that is unreadable is rejected, the other is ingested', async () => {
    await withLake(shop(), { versions: true }, async (lake) => {
      await land(lake, 'id,strange\n1,2\n', SECOND);
      const result = await lake.run();
      assert.deepEqual(await idsOf(lake), [3]);
      assert.match(result.rejected_files[0]?.reason ?? '', /SCHEMA_ERROR/);
      assert.equal((await lake.answer()).kind, 'nothing');
    });
  });

  test('one that replaces another after the plan: the run reads what it planned, the next run the new one', async () => {
    await withLake(shop(), { versions: true }, async (lake) => {
      await land(lake, FIRST);
      const result = await beforeStaging(lake, () => land(lake, SECOND)).run();
      assert.deepEqual(result.rejected_files, []);
      assert.deepEqual(await idsOf(lake), [1, 2]);
      assert.deepEqual((await lake.run()).accounting['orders'], accepted(1));
      assert.deepEqual(await idsOf(lake), [1, 2, 3]);
    });
  });

  test('one that comes again with the same content is no new file', async () => {
    await withLake(shop(), { versions: true }, async (lake) => {
      await land(lake, FIRST);
      await lake.run();
      await land(lake, FIRST);
      assert.equal((await lake.answer()).kind, 'nothing');
      await land(lake, SECOND, FIRST);
      assert.deepEqual((await lake.run()).accounting['orders'], accepted(1));
      assert.deepEqual(await idsOf(lake), [1, 2, 3]);
    });
  });

  test('a removed file is not ingested, nor what it held before; one that comes after is', async () => {
    await withLake(shop(), { versions: true }, async (lake) => {
      await land(lake, FIRST, SECOND);
      await lake.store.remove(KEY);
      assert.equal((await lake.answer()).kind, 'nothing');
      await land(lake, THIRD);
      await lake.run();
      assert.deepEqual(await idsOf(lake), [4]);
    });
  });

  test('a file that is removed after the plan is read as it was planned', async () => {
    await withLake(shop(), { versions: true }, async (lake) => {
      await land(lake, FIRST);
      const result = await beforeStaging(lake, () => lake.store.remove(KEY)).run();
      assert.deepEqual(result.rejected_files, []);
      assert.deepEqual(await idsOf(lake), [1, 2]);
    });
  });

  test('drift finds the columns of every upload', async () => {
    await withLake(shop('evolve'), { versions: true }, async (lake) => {
      await land(lake, 'id,kind,amount,note\n1,x,1.00,n\n', 'id,kind,amount,colour\n2,x,1.00,red\n', SECOND);
      const result = await lake.run();
      assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
      assert.deepEqual(await lake.rows('shop_silver.orders', 'SELECT id, note, colour FROM t ORDER BY id'), [
        { id: 1, note: 'n', colour: null },
        { id: 2, note: null, colour: 'red' },
        { id: 3, note: null, colour: null },
      ]);
    });
  });
});

describe('uploads under one name, where only the last is kept', () => {
  test('the last one before a run is the file', async () => {
    await withLake(shop(), {}, async (lake) => {
      await land(lake, FIRST, SECOND);
      assert.deepEqual((await lake.run()).accounting['orders'], accepted(1));
      assert.deepEqual(await ledgerOf(lake), [`${KEY} ingested 1`]);
      await land(lake, THIRD);
      await lake.run();
      assert.deepEqual(await idsOf(lake), [3, 4]);
    });
  });

  for (const [what, act, reason] of [
    [
      'replaced',
      (lake: TestLake) => land(lake, SECOND),
      /changed after the run was planned; the next run takes the new content/,
    ],
    ['removed', (lake: TestLake) => lake.store.remove(KEY), /removed after the run was planned/],
  ] as const) {
    test(`one that is ${what} after the plan is left to the next run`, async () => {
      await withLake(shop(), {}, async (lake) => {
        await land(lake, FIRST);
        const result = await beforeStaging(lake, () => act(lake)).run();
        assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
        assert.match(result.left_files[0]?.reason ?? '', reason);
        assert.deepEqual(result.rejected_files, []);
        assert.deepEqual(result.accounting['orders'], accepted(0));
        const next = await lake.answer();
        assert.equal(next.kind, what === 'replaced' ? 'ended' : 'nothing');
        if (what === 'replaced') assert.deepEqual(await idsOf(lake), [3]);
      });
    });
  }
});

const PRICES = prices({});
const rowsOf = (...rows: readonly string[]): string => `item,seq,price\n${rows.join('\n')}\n`;

function prices(mode: { readonly missing?: 'delete' }): TestPipeline {
  return {
    name: 'prices',
    definition: definePipeline({
      name: 'prices',
      sources: { prices: csv({ columns: { item: 'string', seq: 'int', price: 'int' } }) },
      silver: { prices: { from: 'prices', mode: scd2({ key: 'item', sequence: 'seq', ...mode }) } },
    } as Parameters<typeof definePipeline>[0]),
  };
}

describe('full extracts, where overwritten uploads are kept', () => {
  for (const [what, second, open] of [
    ['a name each: what the second lacks is deleted', 'b.csv', ['hat']],
    ['one name: together they are one extract, which lacks nothing', 'a.csv', ['cap', 'hat']],
  ] as const) {
    test(what, async () => {
      await withLake(prices({ missing: 'delete' }), { versions: true }, async (lake) => {
        await lake.land('prices', 'a.csv', rowsOf('cap,10,7', 'hat,10,100'));
        await lake.run();
        await lake.land('prices', second, rowsOf('hat,20,200'));
        await lake.run();
        const rows = await lake.rows('prices_silver.prices', 'SELECT item FROM t WHERE is_current ORDER BY item');
        assert.deepEqual(
          rows.map((row) => row['item']),
          open,
        );
      });
    });
  }
});

describe('reprocessing, where overwritten uploads are kept', () => {
  const events = async (lake: TestLake): Promise<readonly unknown[]> =>
    (await lake.rows('prices_silver.prices__log', 'SELECT seq, price FROM t ORDER BY ALL')).map(
      (row) => `${row['price']}@${row['seq']}`,
    );

  test('a file is taken again with all of its uploads', async () => {
    await withLake(PRICES, { versions: true }, async (lake) => {
      await lake.land('prices', 'a.csv', rowsOf('hat,10,100'));
      await lake.land('prices', 'a.csv', rowsOf('hat,10,100', 'hat,20,200'));
      await lake.land('prices', 'b.csv', rowsOf('hat,30,300'));
      await lake.run();
      assert.deepEqual(await events(lake), ['100@10', '200@20', '300@30']);
      const result = await lake.run({ reprocess: { source: 'prices', files: ['a.csv'] } });
      assert.equal(result.accounting['prices']?.read, 3);
      assert.deepEqual(await events(lake), ['100@10', '200@20', '300@30']);
    });
  });

  test('a time that holds one upload of a file takes all of them, since all are withdrawn', async () => {
    await withLake(PRICES, { versions: true }, async (lake) => {
      await lake.land('prices', 'a.csv', rowsOf('hat,10,100'));
      await lake.land('prices', 'a.csv', rowsOf('hat,20,200'));
      await lake.land('prices', 'b.csv', rowsOf('hat,30,300'));
      await lake.run();
      const uploads: number[] = [];
      for await (const one of lake.store.list('bronze/prices/prices/a.csv')) uploads.push(one.modified);
      const from = new Date(uploads[1] ?? 0).toISOString();
      const to = new Date((uploads[1] ?? 0) + 1).toISOString();
      const result = await lake.run({ reprocess: { source: 'prices', from, to } });
      assert.equal(result.accounting['prices']?.read, 2, JSON.stringify(result.error));
      assert.deepEqual(await events(lake), ['100@10', '200@20', '300@30']);
    });
  });

  test('a wrong upload goes when the file is removed before the corrected one lands', async () => {
    await withLake(PRICES, { versions: true }, async (lake) => {
      await lake.land('prices', 'b.csv', rowsOf('hat,20,999', 'ghost,10,1'));
      await lake.run();
      await lake.store.remove('bronze/prices/prices/b.csv');
      await lake.land('prices', 'b.csv', rowsOf('hat,25,200'));
      await lake.run({ reprocess: { source: 'prices', files: ['b.csv'] } });
      assert.deepEqual(await events(lake), ['200@25']);
      assert.deepEqual(await lake.rows('prices_silver.prices', 'SELECT item, price FROM t'), [
        { item: 'hat', price: 200 },
      ]);
      assert.equal((await lake.answer()).kind, 'nothing');
    });
  });
});
