import assert from 'node:assert/strict';
import { cpSync, globSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { EVERY_BOOK } from '../../lib/core/ops.ts';
import { decodeAvro } from '../../lib/iceberg/avro.ts';
import { FORMER_LOCATIONS } from '../../lib/iceberg/locations.ts';
import { compactTables } from '../../lib/runtime/compact.ts';
import { expireTables, vacuumTables } from '../../lib/runtime/maintain.ts';
import { relocateLake } from '../../lib/runtime/relocate-lake.ts';
import { planFiles } from '../../lib/table/read.ts';
import { Crash } from '../ports/faults.ts';
import { dyingStore } from '../support/dying-store.ts';
import { onStore } from '../support/folder-lake.ts';
import { contents, ITEMS, openAt, openShop, photograph } from '../support/moved-lake.ts';
import { deleteByPosition } from '../support/position-deletes.ts';
import type { TestLake } from '../support/test-lake.ts';

/** Every location that readers meet on their way from a table's metadata to its data files, as it is written. */
async function written({ deps, store }: TestLake): Promise<readonly string[]> {
  const found: string[] = [];
  const rowsAt = async (location: string) => {
    found.push(location);
    return decodeAvro((await store.read(store.key(location))).bytes, (_id, name) => name).rows;
  };
  for (const id of await deps.catalog.list()) {
    const metadata = (await deps.catalog.load(id))?.metadata;
    assert.ok(metadata);
    found.push(metadata.location, ...metadata['metadata-log'].map((one) => one['metadata-file']));
    for (const snapshot of metadata.snapshots) {
      for (const manifest of await rowsAt(snapshot['manifest-list'])) {
        const path = String(manifest['manifest_path']);
        assert.equal(Number(manifest['manifest_length']), (await store.head(store.key(path)))?.size);
        for (const entry of await rowsAt(path)) found.push(Reflect.get(Object(entry['data_file']), 'file_path'));
      }
    }
  }
  return found;
}

/** Rows of all snapshots, as far as planning tells them. */
async function snapshots(lake: TestLake): Promise<unknown> {
  const found: unknown[] = [];
  for (const name of ['shop_silver.items', 'shop_silver.latest__log', 'shop_ops.runs']) {
    const metadata = await lake.metadata(name);
    assert.ok(metadata);
    for (const { 'snapshot-id': snapshotId } of metadata.snapshots) {
      const files = await planFiles(lake.store, metadata, { snapshotId });
      found.push([
        name,
        snapshotId,
        files.map((file) => [lake.store.key(file.path), file.rows, file.bytes, file.partition]),
      ]);
    }
  }
  return found;
}

/** Four of data, and the books. */
const ALL = 4 + EVERY_BOOK.length;

describe('relocating a lake that was moved', () => {
  test('names all files where they are, in every snapshot, and once', async () => {
    const { lake, root, close } = await openShop();
    const before = [await contents(lake), await snapshots(lake)];
    const place = join(lake.scratch, 'elsewhere');
    renameSync(root, place);
    const moved = openAt(lake, place);
    const untouched = photograph(place);
    const shown = await relocateLake(moved.deps, { dryRun: true });
    assert.deepEqual(photograph(place), untouched);
    assert.deepEqual((await relocateLake(moved.deps, { from: 'file:///elsewhere', dryRun: true })).relocated, []);
    const { relocated, failed, unchanged } = await relocateLake(moved.deps, { from: `file://${root}/` });
    assert.deepEqual(relocated, shown.relocated);
    assert.deepEqual([relocated.length, failed.length, unchanged], [ALL, 0, 0]);
    for (const { from, location, manifests, manifest_lists, snapshots: all, table } of relocated) {
      assert.deepEqual(from, [location.replace(place, root)]);
      assert.equal(manifest_lists, all, table);
      assert.ok(manifests > 0 || ['shop_ops.quarantine', 'shop_ops.diagnostics'].includes(table), table);
    }
    for (const location of await written(moved)) assert.ok(location.startsWith(`file://${place}/`), location);
    assert.equal((await moved.metadata('shop_silver.items'))?.properties[FORMER_LOCATIONS], undefined);
    assert.deepEqual([await contents(moved), await snapshots(moved)], before);
    const again = await relocateLake(moved.deps, {});
    assert.deepEqual([again.relocated, again.unchanged], [[], ALL]);
    close();
  });

  test('takes up what runs have written in between, and a second move', async () => {
    const { lake, root, close } = await openShop();
    const [second, third] = [join(lake.scratch, 'second'), join(lake.scratch, 'third')];
    renameSync(root, second);
    const there = openAt(lake, second);
    await there.land('rows', 'c.csv', 'id,amount\n3,30\n');
    assert.equal((await there.run({ runId: 'c' })).status, 'SUCCEEDED');
    renameSync(second, third);
    const moved = openAt(lake, third);
    const before = [await contents(moved), await snapshots(moved)];
    const { relocated } = await relocateLake(moved.deps, {});
    assert.equal(relocated.find(({ table }) => table === 'shop_silver.items')?.from.length, 2);
    assert.deepEqual(relocated.length, ALL);
    for (const location of await written(moved)) assert.ok(location.startsWith(`file://${third}/`), location);
    assert.deepEqual([await contents(moved), await snapshots(moved)], before);
    await moved.land('rows', 'd.csv', 'id,amount\n4,40\n');
    assert.equal((await moved.run({ runId: 'd' })).status, 'SUCCEEDED');
    assert.deepEqual(await moved.rows('shop_gold.totals'), [{ amount: '100' }]);
    for (const location of await written(moved)) assert.ok(location.startsWith(`file://${third}/`), location);
    close();
  });

  test('has nothing removed by a vacuum that is needed, before and after', async () => {
    const { lake, root, close } = await openShop();
    const place = join(lake.scratch, 'elsewhere');
    renameSync(root, place);
    const moved = openAt(lake, place);
    await moved.land('rows', 'c.csv', 'id,amount\n3,30\n');
    assert.equal((await moved.run({ runId: 'c' })).status, 'SUCCEEDED');
    // All but the table of runs, which has each vacuum.
    const rest = async (): Promise<unknown> =>
      [await contents(moved), await snapshots(moved)].map((tables) =>
        (tables as readonly (readonly [string])[]).filter(([name]) => name !== 'shop_ops.runs'),
      );
    const before = await rest();
    const vacuum = async (): Promise<number> => {
      const later = { ...moved.deps, clock: { now: () => new Date(Date.now() + 10_000) } };
      const { failed, tables } = await vacuumTables(later, { target: 'shop', olderThanMs: 0, forceRetention: true });
      assert.deepEqual(failed, []);
      assert.deepEqual(await rest(), before);
      return tables.find(({ table }) => table === 'shop_silver.items')?.files ?? 0;
    };
    assert.equal(await vacuum(), 0);
    await relocateLake(moved.deps, {});
    assert.ok((await vacuum()) > 0, 'manifests that were rewritten are needed no more');
    for (const location of await written(moved)) assert.ok(location.startsWith(`file://${place}/`), location);
    close();
  });

  test('killed before any change leaves a lake that is read, and is finished by the next', async () => {
    const { lake, root, close } = await openShop();
    const before = await contents(lake);
    const place = join(lake.scratch, 'elsewhere');
    cpSync(root, place, { recursive: true });
    const whole = dyingStore(openAt(lake, place).store, Number.POSITIVE_INFINITY);
    await relocateLake(onStore(lake.deps, whole.store), {});
    const stride = Math.ceil(whole.changes() / 4);
    for (let last = 1; last < whole.changes(); last += stride) {
      rmSync(place, { recursive: true });
      cpSync(root, place, { recursive: true });
      const moved = openAt(lake, place);
      const { store } = dyingStore(moved.store, last);
      await assert.rejects(relocateLake(onStore(moved.deps, store), {}), Crash);
      assert.deepEqual(await contents(moved), before, `died after ${last} changes`);
      await relocateLake(moved.deps, {});
      for (const location of await written(moved)) assert.ok(location.startsWith(`file://${place}/`), location);
      assert.deepEqual(await contents(moved), before, `finished after ${last} changes`);
    }
    close();
  });

  test('waits for a run that is unfinished', async () => {
    const { lake, root, land, close } = await openShop();
    await land('rows', 'c.csv', 'id,amount\n3,30\n');
    const dies = lake.reopen((deps) => ({
      ...deps,
      catalog: {
        ...deps.catalog,
        commit: async () => {
          throw new Crash('the process ended');
        },
      },
    }));
    await dies.answer({ runId: 'dies' }).catch(() => undefined);
    const place = join(lake.scratch, 'elsewhere');
    renameSync(root, place);
    const moved = openAt(lake, place);
    await assert.rejects(relocateLake(moved.deps, {}), /run dies of shop is unfinished[\s\S]*strata run shop/);
    assert.equal((await moved.run({ runId: 'dies' })).status, 'SUCCEEDED');
    assert.equal((await relocateLake(moved.deps, {})).relocated.length, ALL);
    assert.deepEqual(await moved.rows('shop_gold.totals'), [{ amount: '60' }]);
    close();
  });

  test('rows that were deleted by position stay so, and a table with delete files is rewritten once they are gone', async () => {
    const { lake, root, close } = await openShop();
    const spell = (path: string): string => path.replace('file:///', 'file:/');
    await deleteByPosition(lake, 'shop_silver.items', 'id = 1', { spell });
    await deleteByPosition(lake, 'shop_silver.latest__log', 'id = 1');
    const place = join(lake.scratch, 'with-deletes');
    renameSync(root, place);
    const moved = openAt(lake, place);
    const items = () => moved.rows('shop_silver.items', ITEMS);
    assert.deepEqual(await items(), [{ id: 2, amount: 20 }]);
    await moved.store.write('bronze/shop/rows/c.csv', new TextEncoder().encode('id,amount\n2,20\n3,30\n'), {
      kind: 'any',
    });
    assert.equal((await moved.run({ runId: 'c' })).accounting['rows']?.duplicates, 1);
    const rows = [2, 3].map((id) => ({ id, amount: id * 10 }));
    assert.deepEqual(await items(), rows);
    const retention = { target: 'shop', olderThanMs: 0, forceRetention: true };
    await vacuumTables(moved.deps, retention);
    assert.deepEqual(await items(), rows);
    const refused = await relocateLake(moved.deps, {});
    assert.deepEqual(refused.failed.map(({ table }) => table).sort(), ['shop_silver.items', 'shop_silver.latest__log']);
    assert.match(refused.failed[0]?.reason ?? '', /is a delete file.*strata compact.*strata expire.*relocate it then/);
    const compacted = await compactTables(moved.deps, { pipeline: 'shop', compact: {}, retryIntervalMs: 0 });
    assert.equal(compacted.kind, 'ended');
    await expireTables(moved.deps, { ...retention, keep: 1 });
    assert.deepEqual((await relocateLake(moved.deps, {})).failed, []);
    assert.deepEqual(await items(), rows);
    assert.equal((await written(moved)).filter((one) => !one.startsWith(`file://${place}/`)).length, 0);
    await vacuumTables(moved.deps, retention);
    assert.deepEqual(await items(), rows);
    assert.deepEqual(globSync('**/*-deletes.parquet', { cwd: place }), []);
    close();
  });
});
