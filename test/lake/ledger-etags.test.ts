import assert from 'node:assert/strict';
import { cp, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { describe, test } from 'node:test';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import type { ObjectInfo, ObjectStore } from '../../lib/ports.ts';
import { type FolderLake, onStore, withFolderLake } from '../support/folder-lake.ts';
import type { TestLake, TestPipeline } from '../support/test-lake.ts';

const HEADER = 'id,amount\n';
const SHOP: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { orders: csv({ columns: { id: 'bigint', amount: 'bigint' } }) },
    silver: { orders: { from: 'orders', mode: append() } },
  }),
};

/** The lake as an earlier release left it: its store knew files by size, modification time and inode. */
function earlier(lake: TestLake): TestLake {
  const known = (info: ObjectInfo): ObjectInfo => ({ ...info, etag: info.former ?? info.etag });
  return lake.reopen((deps) => {
    const store: ObjectStore = {
      ...deps.store,
      async head(key, version) {
        const info = await deps.store.head(key, version);
        return info && known(info);
      },
      async *list(prefix, options) {
        for await (const info of deps.store.list(prefix, options)) yield known(info);
      },
    };
    return onStore(deps, store);
  });
}

const withLake = (use: (lake: FolderLake) => Promise<void>): Promise<void> => withFolderLake(SHOP, use);

async function ids({ lake }: FolderLake): Promise<readonly unknown[]> {
  return (await lake.rows('shop_silver.orders', 'SELECT id FROM t ORDER BY id')).map((row) => row['id']);
}

async function etags({ lake }: FolderLake): Promise<readonly string[]> {
  return (await lake.rows('shop_ops.files', 'SELECT etag FROM t ORDER BY ALL')).map((row) => String(row['etag']));
}

const HASH = /^[0-9a-f]{64}$/;
const FORMER = /^\d+-\d+-\d+$/;

describe('a ledger of an earlier release', () => {
  test('is given hashes by the first run, and nothing is taken twice', async () => {
    await withLake(async (opened) => {
      await opened.land('orders', 'a.csv', `${HEADER}1,10\n`);
      await opened.land('orders', 'b.csv', `${HEADER}2,20\n`);
      await earlier(opened.lake).run();
      for (const etag of await etags(opened)) assert.match(etag, FORMER);
      assert.equal((await opened.lake.answer({ dryRun: true })).kind, 'nothing');
      for (const etag of await etags(opened)) assert.match(etag, FORMER);
      assert.equal((await opened.lake.answer()).kind, 'nothing');
      for (const etag of await etags(opened)) assert.match(etag, HASH);
      await utimes(opened.path('orders', 'a.csv'), 1, 1);
      assert.equal((await opened.lake.answer()).kind, 'nothing');
      await opened.land('orders', 'a.csv', `${HEADER}3,30\n`);
      await opened.lake.run();
      assert.deepEqual(await ids(opened), [1, 2, 3]);
    });
  });

  for (const [what, act] of [
    ['touched', (path: string) => utimes(path, 1_700_000_000, 1_700_000_000)],
    [
      'copied',
      async (path: string) => {
        await rename(path, `${path}.old`);
        await cp(`${path}.old`, path);
        await rm(`${path}.old`);
      },
    ],
  ] as const) {
    test(`takes a file that was ${what} before the first run of this release for the one that it knows`, async () => {
      await withLake(async (opened) => {
        await opened.land('orders', 'a.csv', `${HEADER}1,10\n`);
        await earlier(opened.lake).run();
        const before = (await stat(opened.path('orders', 'a.csv'), { bigint: true })).ctimeNs;
        await act(opened.path('orders', 'a.csv'));
        assert.notEqual((await stat(opened.path('orders', 'a.csv'), { bigint: true })).ctimeNs, before);
        assert.equal((await opened.lake.answer()).kind, 'nothing');
        await writeFile(opened.path('orders', 'a.csv'), `${HEADER}5,50\n`);
        await opened.lake.run();
        assert.deepEqual(await ids(opened), [1, 5]);
      });
    });
  }

  test('takes a file of another size for a new one, and one that comes back for the one that it knows', async () => {
    await withLake(async (opened) => {
      await opened.land('orders', 'a.csv', `${HEADER}1,10\n`);
      await opened.land('orders', 'b.csv', `${HEADER}2,20\n`);
      await earlier(opened.lake).run();
      await opened.land('orders', 'a.csv', `${HEADER}3,3000\n`);
      const path = opened.path('orders', 'b.csv');
      await rename(path, `${opened.root}/kept`);
      await opened.lake.run();
      assert.deepEqual(await ids(opened), [1, 2, 3]);
      await cp(`${opened.root}/kept`, path);
      assert.equal((await opened.lake.answer()).kind, 'nothing');
      await opened.land('orders', 'a.csv', `${HEADER}4,40\n`);
      await opened.lake.run();
      assert.deepEqual(await ids(opened), [1, 2, 3, 4]);
    });
  });

  test('of which a run is unfinished is finished, and then given hashes', async () => {
    await withLake(async (opened) => {
      await opened.land('orders', 'a.csv', `${HEADER}1,10\n`);
      const dying = earlier(opened.lake).reopen((deps) =>
        onStore(deps, {
          ...deps.store,
          borrow: () => Promise.reject(new Error('the process ended')),
          write: (key, ...rest) =>
            key.endsWith('/result.json')
              ? Promise.reject(new Error('the process ended'))
              : deps.store.write(key, ...rest),
          remove: async () => {},
        }),
      );
      await dying.answer();
      const successor = opened.lake.reopen((deps) => ({ ...deps, isGone: () => true }));
      await successor.answer();
      await successor.answer();
      assert.deepEqual(await ids(opened), [1]);
      assert.equal((await successor.answer()).kind, 'nothing');
      for (const etag of await etags(opened)) assert.match(etag, HASH);
    });
  });
});

describe('a file is its name and its content', () => {
  test('new content of the same size and modification time is a new file; equal content is none', async () => {
    await withLake(async (opened) => {
      const path = opened.path('orders', 'a.csv');
      await opened.land('orders', 'a.csv', `${HEADER}1,10\n`);
      await utimes(path, 1_700_000_000, 1_700_000_000);
      await opened.lake.run();
      await opened.land('orders', 'a.csv', `${HEADER}1,10\n`);
      assert.equal((await opened.lake.answer()).kind, 'nothing');
      await writeFile(path, `${HEADER}2,20\n`);
      await utimes(path, 1_700_000_000, 1_700_000_000);
      await opened.lake.run();
      assert.deepEqual(await ids(opened), [1, 2]);
      await opened.land('orders', 'b.csv', `${HEADER}2,20\n`);
      await opened.lake.run();
      assert.deepEqual(await ids(opened), [1, 2, 2]);
    });
  });
});
