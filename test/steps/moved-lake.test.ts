import assert from 'node:assert/strict';
import { chmodSync, cpSync, globSync, mkdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { createGlueCatalog } from '../../lib/adapters/catalog/glue.ts';
import { parseTableName } from '../../lib/core/tables.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { loadTable, planFiles } from '../../lib/table/read.ts';
import { openFakeGlue, openFakeTime } from '../adapters/catalog/glue-fake.ts';
import { contents, ITEMS, openAt, openShop, photograph, SHOP } from '../support/moved-lake.ts';
import { openTestLake } from '../support/test-lake.ts';

async function landAt(root: string, source: string, file: string, text: string): Promise<void> {
  writeFileSync(join(root, 'bronze', 'shop', source, file), text);
}

describe('a lake that was moved or copied', () => {
  test('is read and run at its new place, also when it was moved again, and writes what is true there', async () => {
    const { lake, root, close } = await openShop();
    const before = await contents(lake);
    let place = root;
    for (const [at, name] of ['second', 'third'].entries()) {
      const next = join(lake.scratch, name);
      renameSync(place, next);
      place = next;
      const moved = openAt(lake, place);
      if (at === 0) assert.deepEqual(await contents(moved), before);
      const id = at + 3;
      await landAt(place, 'rows', `${name}.csv`, `id,amount\n${id},${id}0\n1,10\n`);
      await landAt(place, 'events', `${name}.csv`, `id,amount\n1,${id}0\n`);
      const result = await moved.run({ runId: name });
      assert.equal(result.status, 'SUCCEEDED', result.error?.message);
      assert.deepEqual(result.accounting['rows'], {
        read: 2,
        accepted: 1,
        quarantined: 0,
        condemned: 0,
        duplicates: 1,
      });
      const table = await loadTable(moved.deps.catalog, parseTableName('shop_silver.items'));
      assert.ok(table);
      assert.equal(table.metadata.location, `file://${place}/silver/shop/items`);
      for (const snapshot of table.metadata.snapshots) {
        assert.ok(snapshot['manifest-list'].startsWith(`file://${place}/`), snapshot['manifest-list']);
        for (const file of await planFiles(moved.store, table.metadata, { snapshotId: snapshot['snapshot-id'] }))
          assert.ok(file.path.startsWith(`file://${place}/`), file.path);
      }
    }
    const last = openAt(lake, place);
    assert.deepEqual(
      await last.rows('shop_silver.items', ITEMS),
      [1, 2, 3, 4].map((id) => ({ id, amount: id * 10 })),
    );
    assert.deepEqual(await last.rows('shop_gold.totals'), [{ amount: '100' }]);
    assert.equal((await last.rows('shop_silver.latest__log', 'SELECT * FROM t WHERE id = 1')).length, 3);
    close();
  });

  test('neither reads nor writes the old folder, whatever is there', async () => {
    const { lake, root, close } = await openShop();
    const copy = join(lake.scratch, 'copy');
    cpSync(root, copy, { recursive: true });
    for (const file of globSync('**/*.{parquet,avro}', { cwd: root }))
      writeFileSync(join(root, file), 'something else');
    const old = photograph(root);
    const copied = openAt(lake, copy);
    await landAt(copy, 'rows', 'c.csv', 'id,amount\n3,30\n');
    assert.equal((await copied.run({ runId: 'c' })).status, 'SUCCEEDED');
    assert.deepEqual(
      await copied.rows('shop_silver.items', ITEMS),
      [1, 2, 3].map((id) => ({ id, amount: id * 10 })),
    );
    assert.deepEqual(photograph(root), old);
    close();
  });

  test('can be looked at where nothing may be written', async () => {
    const { lake, root, close } = await openShop();
    const before = await contents(lake);
    const copy = join(lake.scratch, 'copy');
    cpSync(root, copy, { recursive: true });
    rmSync(root, { recursive: true });
    const folders = [copy, ...globSync('**', { cwd: copy }).map((name) => join(copy, name))].filter((path) =>
      statSync(path).isDirectory(),
    );
    for (const folder of folders) chmodSync(folder, 0o555);
    const old = photograph(copy);
    assert.deepEqual(await contents(openAt(lake, copy)), before);
    assert.deepEqual(photograph(copy), old);
    for (const folder of folders) chmodSync(folder, 0o755);
    close();
  });

  test('from buckets to a folder is read and run there, with no file taken twice', async () => {
    const inMemory = await openTestLake(SHOP);
    const { client } = openFakeGlue(['shop_silver', 'shop_gold', 'shop_ops']);
    const lake = inMemory.reopen((deps) => {
      const store = inBuckets(deps.store);
      const glue = { client, store, codec: { parse: parseMetadata, render: renderMetadata }, databasePrefix: '' };
      return { ...deps, store, catalog: createGlueCatalog({ ...glue, ...openFakeTime() }) };
    });
    for (const file of ['a', 'b']) {
      await lake.land('rows', `${file}.csv`, `id,amount\n${file === 'a' ? 1 : 2},10\n`);
      await lake.land('events', `${file}.csv`, `id,amount\n1,${file === 'a' ? 1 : 2}0\n`);
      assert.equal((await lake.run({ runId: file })).status, 'SUCCEEDED');
    }
    const before = await contents(lake);
    const root = join(lake.scratch, 'copied');
    for await (const { key } of lake.store.list('')) {
      mkdirSync(dirname(join(root, key)), { recursive: true });
      writeFileSync(join(root, key), (await lake.store.read(key)).bytes);
    }
    const copied = openAt(lake, root);
    assert.deepEqual(await contents(copied), before);
    const idle = await copied.answer({ runId: 'idle' });
    assert.equal(idle.kind, 'nothing');
    await landAt(root, 'rows', 'c.csv', 'id,amount\n3,30\n');
    assert.equal((await copied.run({ runId: 'c' })).status, 'SUCCEEDED');
    assert.deepEqual(await copied.rows('shop_gold.totals'), [{ amount: '50' }]);
    const { metadataLocation } = (await copied.deps.catalog.load(parseTableName('shop_silver.items'))) ?? {};
    assert.equal(metadataLocation, `file://${root}/silver/shop/items/metadata/v2.metadata.json`);
    inMemory.close();
  });
});

/** A bucket for each zone, and etags that are no hashes of the content as folders have them. */
function inBuckets(store: ObjectStore): ObjectStore {
  return {
    ...store,
    location: (key) => `s3://lake-${key.slice(0, key.indexOf('/'))}/${key}`,
    key: (location) => /^s3:\/\/lake-[a-z]+\/(.*)$/.exec(location)?.[1] ?? assert.fail(location),
  };
}
