import assert from 'node:assert/strict';
import test from 'node:test';
import { createMemoryStore } from '../../lib/adapters/store/memory.ts';
import { Unavailable } from '../../lib/core/errors.ts';
import { setProperties } from '../../lib/iceberg/changes.ts';
import {
  DELETE_AFTER_COMMIT,
  FEW_METADATA_FILES,
  keepFewMetadataFiles,
  PREVIOUS_VERSIONS_MAX,
} from '../../lib/iceberg/metadata-files.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { trimMetadata } from '../../lib/table/trim.ts';
import { createLake, file, ID, type Lake, load, write } from './lake.ts';

async function versions(lake: Lake): Promise<string> {
  const found: number[] = [];
  for await (const { key } of lake.store.list('silver/shop/sales/metadata/v')) {
    const number = /\/v(\d+)\.metadata\.json$/.exec(key)?.[1];
    if (number !== undefined) found.push(Number(number));
  }
  return found.sort((a, b) => a - b).join(' ');
}

async function trim(lake: Lake, store: ObjectStore = lake.store): Promise<number> {
  const entry = await lake.catalog.load(ID);
  assert.ok(entry);
  return trimMetadata(store, entry);
}

async function commits(lake: Lake, count: number, properties: Readonly<Record<string, string>> = {}): Promise<void> {
  for (let commit = 1; commit <= count; commit += 1) {
    await write(lake, { added: [file(lake, `f${lake.ids.unique()}`)], properties });
  }
}

const THREE = { [DELETE_AFTER_COMMIT]: 'true', [PREVIOUS_VERSIONS_MAX]: '3' };

test('as many earlier files stay as the log names, whatever has been left so far', async () => {
  const lake = createLake();
  await commits(lake, 9, THREE);
  assert.equal(await trim(lake), 5);
  assert.equal(await versions(lake), '6 7 8 9');
  await commits(lake, 1);
  assert.equal(await trim(lake), 1);
  assert.equal(await trim(lake), 0);
  assert.equal(await versions(lake), '7 8 9 10');
  const table = await load(lake);
  const logged = table['metadata-log'].map((entry) => lake.store.key(entry['metadata-file']));
  for (const key of logged) assert.ok(await lake.store.head(key), key);
  assert.equal(table.snapshots.length, 10);
});

test('properties decide: nothing goes where they do not say so', async () => {
  for (const properties of [{}, { [PREVIOUS_VERSIONS_MAX]: '2' }, { ...THREE, [DELETE_AFTER_COMMIT]: 'false' }]) {
    const lake = createLake();
    await commits(lake, 6, properties);
    assert.equal(await trim(lake), 0);
    assert.equal(await versions(lake), '1 2 3 4 5 6');
    assert.equal(keepFewMetadataFiles(await load(lake)) === undefined, PREVIOUS_VERSIONS_MAX in properties);
  }
});

test('a table of an earlier release, which says nothing, is brought to few files however many there are', async () => {
  const lake = createLake();
  await commits(lake, 120);
  await write(lake, { added: [file(lake, 'last')], alter: setProperties(await load(lake), FEW_METADATA_FILES) });
  assert.equal(await trim(lake), 110);
  assert.equal(await versions(lake), '111 112 113 114 115 116 117 118 119 120 121');
});

test('what a crash or a fault leaves hangs together with what is kept, and goes the next time', async () => {
  for (let removed = 0; removed < 5; removed += 1) {
    const lake = createLake();
    await commits(lake, 9, THREE);
    let left = removed;
    const failing: ObjectStore = {
      ...lake.store,
      async remove(key) {
        if (left === 0) throw new Unavailable('no answer');
        left -= 1;
        await lake.store.remove(key);
      },
    };
    assert.equal(await trim(lake, failing), 0);
    assert.equal(await versions(lake), [1, 2, 3, 4, 5, 6, 7, 8, 9].slice(removed).join(' '));
    assert.equal(await trim(lake), 5 - removed);
    assert.equal(await versions(lake), '6 7 8 9');
  }
});

test('files that are not of this table stay, and so does what a log without a file behind it would lead to', async () => {
  const lake = createLake(createMemoryStore());
  await commits(lake, 6, THREE);
  const entry = await lake.catalog.load(ID);
  assert.ok(entry);
  const elsewhere = { ...entry.metadata, location: `${entry.metadata.location}_old` };
  assert.equal(await trimMetadata(lake.store, { ...entry, metadata: elsewhere }), 0);
  await lake.store.remove('silver/shop/sales/metadata/v3.metadata.json');
  assert.equal(await trim(lake), 0);
  assert.equal(await versions(lake), '1 2 4 5 6');
});
