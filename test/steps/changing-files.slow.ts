import assert from 'node:assert/strict';
import { appendFile, rename, rm, truncate, utimes, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { append, csv, definePipeline, scd2 } from '../../lib/define/index.ts';
import { type FolderLake, MOMENTS, meanwhile, withFolderLake } from '../support/folder-lake.ts';
import type { TestPipeline } from '../support/test-lake.ts';

const HEADER = 'id,amount\n';
const PLANNED = `${HEADER}1,10\n2,20\n`;
const CORRECTED = `${HEADER}1,77\n2,20\n`;

const SHOP: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { orders: csv({ columns: { id: 'bigint', amount: 'bigint' } }) },
    silver: { orders: { from: 'orders', mode: append() } },
  }),
};

/** What happens to `a.csv`, and the amounts that the next run takes from it; none when it is gone. */
const CHANGES: readonly {
  readonly what: string;
  readonly act: (lake: FolderLake, path: string) => Promise<void>;
  readonly next: readonly number[];
}[] = [
  { what: 'is overwritten in place', act: (_, path) => writeFile(path, CORRECTED), next: [20, 77] },
  { what: 'is replaced by another', act: (lake) => lake.land('orders', 'a.csv', CORRECTED), next: [20, 77] },
  { what: 'gets more rows', act: (_, path) => appendFile(path, '3,30\n'), next: [10, 20, 30] },
  { what: 'is truncated', act: (_, path) => truncate(path, PLANNED.length - '2,20\n'.length), next: [10] },
  { what: 'is removed', act: (_, path) => rm(path), next: [] },
  { what: 'is moved away', act: (_, path) => rename(path, `${path}.away`), next: [10, 20] },
];

const withLake = (use: (lake: FolderLake) => Promise<void>, pipeline = SHOP): Promise<void> =>
  withFolderLake(pipeline, use);

async function amounts({ lake }: FolderLake): Promise<readonly unknown[]> {
  return (await lake.rows('shop_silver.orders', 'SELECT amount FROM t ORDER BY amount')).map((row) => row['amount']);
}

async function ledger({ lake }: FolderLake): Promise<readonly string[]> {
  const rows = await lake.rows('shop_ops.files', 'SELECT key, status, records FROM t ORDER BY ALL');
  return rows.map((row) => `${row['key']} ${row['status']} ${row['records']}`);
}

const read = (rows: number) => ({ read: rows, accepted: rows, quarantined: 0, condemned: 0, duplicates: 0 });
const byValue = (values: readonly number[]): readonly number[] => values.toSorted((a, b) => a - b);

describe('a landed file that changes while a run reads is left to the next run', { concurrency: 2 }, () => {
  for (const moment of MOMENTS) {
    for (const { what, act, next } of CHANGES) {
      test(`one that ${what} ${moment}`, async () => {
        await withLake(async (opened) => {
          await opened.land('orders', 'a.csv', PLANNED);
          await opened.land('orders', 'b.csv', `${HEADER}9,90\n`);
          const path = opened.path('orders', 'a.csv');
          const first = await meanwhile(opened.lake, moment, () => act(opened, path)).run();
          assert.equal(first.status, 'SUCCEEDED', JSON.stringify(first.error));
          assert.deepEqual(first.accounting['orders'], read(1));
          assert.deepEqual(first.rejected_files, []);
          const [left, ...more] = first.left_files;
          assert.deepEqual([left?.source, left?.file, more], ['orders', 'bronze/shop/orders/a.csv', []]);
          assert.match(left?.reason ?? '', /(changed|removed) after the run was planned/);
          assert.deepEqual(await amounts(opened), [90]);
          assert.deepEqual(await ledger(opened), ['bronze/shop/orders/b.csv ingested 1']);
          const second = await opened.lake.answer();
          if (second.kind === 'ended') assert.deepEqual(second.result.accounting['orders'], read(next.length));
          else assert.deepEqual(next, []);
          assert.deepEqual(await amounts(opened), byValue([...next, 90]));
          assert.equal((await opened.lake.answer()).kind, 'nothing');
        });
      });
    }
  }
});

describe('a landed file that is only touched while a run reads is read once', () => {
  for (const moment of MOMENTS) {
    test(moment, async () => {
      await withLake(async (opened) => {
        await opened.land('orders', 'a.csv', PLANNED);
        const touch = (): Promise<void> => utimes(opened.path('orders', 'a.csv'), 1_700_000_000, 1_700_000_000);
        const result = await meanwhile(opened.lake, moment, touch).run();
        assert.deepEqual(result.accounting['orders'], read(2));
        assert.deepEqual(result.left_files, []);
        assert.deepEqual(await amounts(opened), [10, 20]);
        assert.equal((await opened.lake.answer()).kind, 'nothing');
      });
    });
  }

  test('one that never rests is left, and the others are read', async () => {
    await withLake(async (opened) => {
      await opened.land('orders', 'a.csv', PLANNED);
      await opened.land('orders', 'b.csv', `${HEADER}9,90\n`);
      let at = 1_700_000_000;
      const touch = async (): Promise<void> => {
        at += 1;
        await utimes(opened.path('orders', 'a.csv'), at, at);
      };
      const result = await meanwhile(opened.lake, 'when all is read', touch, 100).run();
      assert.deepEqual(
        result.left_files.map((one) => one.file),
        ['bronze/shop/orders/a.csv'],
      );
      assert.deepEqual(result.accounting['orders'], read(1));
      await opened.lake.run();
      assert.deepEqual(await amounts(opened), [10, 20, 90]);
    });
  });
});

const PRICES: TestPipeline = {
  name: 'prices',
  definition: definePipeline({
    name: 'prices',
    sources: { prices: csv({ columns: { item: 'string', seq: 'int', price: 'int' } }) },
    silver: { prices: { from: 'prices', mode: scd2({ key: 'item', sequence: 'seq' }) } },
  }),
};

test('what a file contributed stays when it changes while it is reprocessed, and joins the new content', async () => {
  await withLake(async (opened) => {
    const { lake } = opened;
    const events = async (): Promise<readonly string[]> =>
      (await lake.rows('prices_silver.prices__log', 'SELECT seq, price FROM t ORDER BY ALL')).map(
        (row) => `${row['price']}@${row['seq']}`,
      );
    await opened.land('prices', 'a.csv', 'item,seq,price\nhat,10,100\n');
    await opened.land('prices', 'b.csv', 'item,seq,price\nhat,20,200\n');
    await lake.run();
    const act = (): Promise<void> => opened.land('prices', 'a.csv', 'item,seq,price\nhat,15,150\n');
    const reprocess = { source: 'prices', files: ['a.csv', 'b.csv'] };
    const result = await meanwhile(lake, 'when all is read', act).run({ reprocess });
    assert.deepEqual(
      result.left_files.map((one) => one.file),
      ['bronze/prices/prices/a.csv'],
    );
    assert.deepEqual(await events(), ['100@10', '200@20']);
    await lake.run();
    assert.deepEqual(await events(), ['100@10', '150@15', '200@20']);
  }, PRICES);
});

describe('several tables of one source have the rows of the same files', () => {
  const TWO: TestPipeline = {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: { id: 'bigint', amount: 'bigint' } }) },
      silver: {
        orders: { from: 'orders', mode: append() },
        again: { from: 'orders', mode: append() },
      },
    }),
  };
  const again = async ({ lake }: FolderLake): Promise<readonly unknown[]> =>
    (await lake.rows('shop_silver.again', 'SELECT amount FROM t ORDER BY amount')).map((row) => row['amount']);

  for (const { what, act, next } of CHANGES) {
    test(`though one ${what} before they are parsed`, async () => {
      await withLake(async (opened) => {
        await opened.land('orders', 'a.csv', PLANNED);
        await opened.land('orders', 'b.csv', `${HEADER}9,90\n`);
        const path = opened.path('orders', 'a.csv');
        const first = await meanwhile(opened.lake, 'before they are parsed', () => act(opened, path)).run();
        assert.equal(first.status, 'SUCCEEDED', JSON.stringify(first.error));
        assert.deepEqual(first.left_files, []);
        assert.deepEqual(first.accounting['orders'], read(3));
        assert.deepEqual(await amounts(opened), [10, 20, 90]);
        assert.deepEqual(await again(opened), [10, 20, 90]);
        await opened.lake.answer();
        assert.deepEqual(await amounts(opened), byValue([10, 20, 90, ...next]));
        for await (const { key } of opened.lake.store.list('ops/')) assert.doesNotMatch(key, /\/kept\/orders\//);
      }, TWO);
    });
  }

  test('though one is replaced before it is copied: it is left by all', async () => {
    await withLake(async (opened) => {
      await opened.land('orders', 'a.csv', PLANNED);
      await opened.land('orders', 'b.csv', `${HEADER}9,90\n`);
      const act = (): Promise<void> => opened.land('orders', 'a.csv', CORRECTED);
      const first = await meanwhile(opened.lake, 'when all is read', act).run();
      assert.equal(first.left_files.length, 1, JSON.stringify(first.error));
      assert.deepEqual([await amounts(opened), await again(opened)], [[90], [90]]);
      await opened.lake.run();
      assert.deepEqual(
        [await amounts(opened), await again(opened)],
        [
          [20, 77, 90],
          [20, 77, 90],
        ],
      );
    }, TWO);
  });
});

describe('columns that drift finds are those of the files that are read', () => {
  const DRIFT: TestPipeline = {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: { id: 'bigint', amount: 'bigint' }, drift: 'evolve' }) },
      silver: { orders: { from: 'orders', mode: append() } },
    }),
  };
  for (const moment of ['before they are borrowed', 'before they are inspected', 'when all is read'] as const) {
    test(`a file that gets another column ${moment} brings it with the next run`, async () => {
      await withLake(async (opened) => {
        await opened.land('orders', 'a.csv', PLANNED);
        await opened.land('orders', 'b.csv', 'id,amount,note\n9,90,n\n');
        const act = (): Promise<void> => opened.land('orders', 'a.csv', 'id,amount,note,colour\n1,10,m,red\n');
        const first = await meanwhile(opened.lake, moment, act).run();
        assert.equal(first.left_files.length, 1);
        const columns = async (): Promise<readonly string[]> =>
          Object.keys((await opened.lake.rows('shop_silver.orders'))[0] ?? {});
        assert.deepEqual(await columns(), ['id', 'amount', 'note']);
        const second = await opened.lake.run();
        assert.equal(second.status, 'SUCCEEDED', JSON.stringify(second.error));
        assert.deepEqual(second.rejected_files, []);
        assert.deepEqual(await columns(), ['id', 'amount', 'note', 'colour']);
        assert.deepEqual(await amounts(opened), [10, 90]);
      }, DRIFT);
    });
  }
});
