import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { InvalidInput, Unavailable } from '../../lib/core/errors.ts';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const PIPELINE = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { orders: csv({ columns: { id: 'bigint', amount: 'decimal(10,2)' } }) },
    silver: { orders: { from: 'orders', mode: append() } },
    gold: { total: { sql: 'total.sql' } },
  }),
  sql: { 'total.sql': 'SELECT sum(amount) AS amount FROM silver.orders' },
};

/** A lake with one finished run, and a file waiting for the next. */
async function withWaiting(use: (lake: TestLake) => Promise<void>): Promise<void> {
  const lake = await openTestLake(PIPELINE);
  try {
    await lake.land('orders', 'a.csv', 'id,amount\n1,1.00\n');
    await lake.run();
    await lake.land('orders', 'b.csv', 'id,amount\n2,2.00\n');
    await use(lake);
  } finally {
    lake.close();
  }
}

async function ids(lake: TestLake): Promise<readonly unknown[]> {
  return (await lake.rows('shop_silver.orders', 'SELECT id FROM t ORDER BY id')).map((row) => row['id']);
}

function withStore(lake: TestLake, change: (store: ObjectStore) => Partial<ObjectStore>): TestLake {
  return lake.reopen((deps) => {
    const store = { ...deps.store, ...change(deps.store) };
    return { ...deps, store, catalog: createFileCatalog(store, { parse: parseMetadata, render: renderMetadata }) };
  });
}

describe('a run that cannot go on publishes nothing, says why, and the next one works', () => {
  const faults: readonly (readonly [string, (lake: TestLake) => TestLake, RegExp])[] = [
    [
      'a disk that is full when data files are written',
      (lake) =>
        withStore(lake, () => ({
          publish: () => Promise.reject(new Unavailable('write silver/x: no space left on device')),
        })),
      /no space left on device/,
    ],
    [
      'a disk that is full from the first write on',
      (lake) =>
        withStore(lake, () => ({
          write: () => Promise.reject(new Unavailable('write ops/x: no space left on device')),
        })),
      /no space left on device/,
    ],
    [
      'a root that cannot be written',
      (lake) =>
        withStore(lake, () => ({
          write: () => Promise.reject(new InvalidInput('write ops/x: read-only file system')),
        })),
      /read-only file system/,
    ],
  ];
  for (const [name, breakLake, message] of faults) {
    test(name, async () => {
      await withWaiting(async (lake) => {
        const failed = await breakLake(lake).run();
        assert.equal(failed.status, 'FAILED');
        assert.match(failed.error?.message ?? '', message);
        assert.deepEqual(await ids(lake), [1]);
        await lake.land('orders', 'b.csv', 'id,amount\n2,2.00\n');
        const next = await lake.reopen((deps) => ({ ...deps, isGone: () => true })).run();
        assert.equal(next.status, 'SUCCEEDED', JSON.stringify(next.error));
        assert.deepEqual(await ids(lake), [1, 2]);
      });
    });
  }

  test('a damaged metadata file', async () => {
    await withWaiting(async (lake) => {
      const entry = await lake.deps.catalog.load({ pipeline: 'shop', layer: 'silver', name: 'orders' });
      const key = lake.store.key(entry?.metadataLocation ?? '');
      const { bytes } = await lake.store.read(key);
      await lake.store.write(key, bytes.subarray(0, 100), { kind: 'any' });
      const failed = await lake.run();
      assert.equal(failed.status, 'FAILED');
      assert.equal(failed.error?.name, 'UnreadableTable');
      assert.match(failed.error?.message ?? '', /silver\/shop\/orders\/metadata\/v1\.metadata\.json/);
      await lake.store.write(key, bytes, { kind: 'any' });
      assert.equal((await lake.run()).status, 'SUCCEEDED');
      assert.deepEqual(await ids(lake), [1, 2]);
    });
  });
});

test('a lock that a live process holds is respected; one of a dead process is broken', async () => {
  await withWaiting(async (lake) => {
    const other = lake.reopen((deps) => ({ ...deps, settings: { ...deps.settings, holder: () => 'other' } }));
    let inside: unknown;
    const working = withStore(lake, (store) => ({
      publish: async (path, key) => {
        inside ??= await other.answer();
        return store.publish(path, key);
      },
    }));
    assert.equal((await working.run()).status, 'SUCCEEDED');
    assert.equal((inside as { kind: string }).kind, 'locked');
    assert.match(
      (inside as { message: string }).message,
      /holds the lock of pipeline shop \(holder test-1, lease until/,
    );
    assert.deepEqual(await ids(lake), [1, 2]);
  });
});

test('a lease that has ended frees the lock', async () => {
  await withWaiting(async (lake) => {
    const lock = { run_id: 'x', holder: 'elsewhere', expires_at: '2026-01-01T00:00:30.000Z' };
    await lake.store.write('ops/shop/lock.json', new TextEncoder().encode(JSON.stringify(lock)), { kind: 'any' });
    const early = lake.reopen((deps) => ({ ...deps, clock: { now: () => new Date('2026-01-01T00:00:00Z') } }));
    assert.equal((await early.answer()).kind, 'locked');
    const late = lake.reopen((deps) => ({ ...deps, clock: { now: () => new Date('2026-01-01T00:00:31Z') } }));
    assert.equal((await late.run()).status, 'SUCCEEDED');
  });
});
