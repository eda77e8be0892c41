import assert from 'node:assert/strict';
import test from 'node:test';
import { mapConcurrent } from '../../lib/core/concurrency.ts';
import type { ManifestFile } from '../../lib/iceberg/types.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { createManifestCache } from '../../lib/table/manifest-cache.ts';
import { planFullMerge, planMerge } from '../../lib/table/merge.ts';
import { planFiles, readManifestList } from '../../lib/table/read.ts';
import { createLake, file, load, manifestsOf, names, write } from './lake.ts';

test('500 commits: few manifests, little rewriting, metadata that grows by a snapshot only', async () => {
  const lake = createLake();
  const sizes: number[] = [];
  let written = 0;
  let most = 0;
  const calls: Call[] = [];
  const store = notingStore(lake.store, (call) => calls.push(call));
  // The catalog works over the noting store as well.
  const counted = { ...lake, store, catalog: createLake(store).catalog };
  const noted: (readonly Call[])[] = [];
  for (let commit = 1; commit <= 500; commit += 1) {
    const table = await write(counted, { added: [file(lake, `f${commit}`, `r${commit % 5}`)], run: `r${commit}` });
    written += calls.filter(({ name }) => name.startsWith('write') && /-m#\.avro$/.test(name)).length;
    if (commit === 5 || commit === 500) noted.push([...calls]);
    calls.length = 0;
    if (commit % 50 === 0 || commit < 50) most = Math.max(most, (await manifestsOf(lake, table)).length);
    if (commit % 100 === 0)
      sizes.push(JSON.stringify(table, (_, value) => (typeof value === 'bigint' ? String(value) : value)).length);
  }
  const table = await load(lake);
  assert.ok(most <= 60, `${most} manifests`);
  assert.ok(written <= 500 * 1.1, `${written} manifests written`);
  assert.equal((await planFiles(lake.store, table)).length, 500);
  assert.equal(
    (await planFiles(lake.store, table, { predicates: [{ column: 'region', op: '=', value: 'r3' }] })).length,
    100,
  );
  assert.equal(table['metadata-log'].length, 100);
  const perCommit = sizes.slice(1).map((size, at) => (size - (sizes[at] ?? 0)) / 100);
  assert.ok(Math.max(...perCommit.slice(1)) < 1000, `${perCommit} bytes of metadata for each commit`);
  const summary = table.snapshots.at(-1)?.summary;
  assert.deepEqual([summary?.['total-records'], summary?.['total-data-files']], ['5000', '500']);

  const [early = [], late = []] = noted;
  const namesOf = (all: readonly Call[]): readonly string[] => all.map(({ name }) => name);
  assert.deepEqual(namesOf(late), namesOf(early), 'the 500th commit asks for what the 5th did');
  assert.ok(early.length > 20 && !namesOf(early).some((name) => name.startsWith('list')), namesOf(early).join('\n'));
  const metadata = namesOf(late).filter((name) => name.endsWith('.metadata.json') && !name.startsWith('head'));
  // What this process has written it need not read.
  assert.deepEqual(metadata, ['write silver/shop/sales/metadata/v#.metadata.json']);
  for (const [at, { name, bytes }] of late.entries()) {
    if (name.endsWith('.metadata.json')) continue;
    assert.ok(Math.abs(bytes - (early[at]?.bytes ?? 0)) < 200, `${name}: ${bytes} bytes for ${early[at]?.bytes}`);
  }
});

/** What a store was asked for; numbers and ids of names are `#`. */
type Call = { readonly name: string; readonly bytes: number };

function notingStore(store: ObjectStore, note: (call: Call) => void): ObjectStore {
  const noted = (operation: string, key: string, bytes = 0): void =>
    note({ name: `${operation} ${key.replace(/\bu\d+|\d+/g, '#')}`, bytes });
  return {
    ...store,
    async read(key) {
      const found = await store.read(key);
      noted('read', key, found.bytes.length);
      return found;
    },
    head(key, version) {
      noted('head', key);
      return store.head(key, version);
    },
    list(prefix, options) {
      noted('list', prefix);
      return store.list(prefix, options);
    },
    names(prefix, skipped) {
      noted('list', prefix);
      return store.names(prefix, skipped);
    },
    write(key, bytes, condition) {
      noted('write', key, bytes.length);
      return store.write(key, bytes, condition);
    },
    remove(key) {
      noted('remove', key);
      return store.remove(key);
    },
  };
}

test('merging keeps what each file says of where it came from', async () => {
  const lake = createLake();
  const first = await write(lake, {
    added: [file(lake, 'f1')],
    properties: { 'commit.manifest.min-count-to-merge': '3' },
  });
  for (const name of ['f2', 'f3', 'f4', 'f5']) await write(lake, { added: [file(lake, name)] });
  const table = await load(lake);
  const [, ...older] = await manifestsOf(lake, table);
  const merged = older.find((one) => one.existingFiles > 1);
  assert.deepEqual([merged?.existingFiles, merged?.minSequenceNumber, merged?.addedFiles], [3, 1n, 0]);
  assert.equal(await names(lake), 'f1 f2 f3 f4 f5');
  assert.equal(await names(lake, table, first['current-snapshot-id'] ?? 0n), 'f1');
});

function manifest(path: string, files: number, length = 1000): ManifestFile {
  return {
    path,
    length: BigInt(length),
    specId: 0,
    content: 'data',
    sequenceNumber: 1n,
    minSequenceNumber: 1n,
    addedSnapshotId: 1n,
    addedFiles: files,
    existingFiles: 0,
    deletedFiles: 0,
    addedRows: 0n,
    existingRows: 0n,
    deletedRows: 0n,
    partitions: [],
  };
}

const many = (count: number, files: number, length?: number): ManifestFile[] =>
  Array.from({ length: count }, (_, at) => manifest(`${files}-${at}`, files, length));

test('which manifests are merged', () => {
  const three = { 'commit.manifest.min-count-to-merge': '3' };
  const cases: readonly (readonly [string, readonly ManifestFile[], Record<string, string>, number])[] = [
    ['fewer than the count', many(19, 1), {}, 0],
    ['as many as the count', many(20, 1), {}, 20],
    ['sizes that do not belong together', [...many(2, 1), ...many(2, 3), ...many(2, 9)], three, 0],
    ['the smaller ones first', [...many(3, 9), ...many(3, 1)], three, 3],
    ['no more than the target size', many(5, 1, 300), { ...three, 'commit.manifest.target-size-bytes': '1000' }, 3],
    ['none that are large already', many(5, 1, 600), { ...three, 'commit.manifest.target-size-bytes': '1000' }, 0],
    ['none when it is switched off', many(20, 1), { 'commit.manifest-merge.enabled': 'false' }, 0],
    ['a property that is no number', many(20, 1), { 'commit.manifest.min-count-to-merge': 'x' }, 20],
    ['two specs apart', [...many(2, 1), ...many(2, 1).map((one) => ({ ...one, specId: 1 }))], three, 0],
  ];
  for (const [name, manifests, properties, expected] of cases) {
    const group = planMerge(manifests, properties);
    assert.equal(group.length, expected, name);
    assert.ok(
      group.every((one) => one.addedFiles === Math.min(...group.map((two) => two.addedFiles))),
      name,
    );
  }
});

test('which manifests a compaction merges: all that are small, whatever their sizes', () => {
  const three = { 'commit.manifest.min-count-to-merge': '3' };
  const bytes = { ...three, 'commit.manifest.target-size-bytes': '1000' };
  const other = { ...manifest('other', 1, 100), specId: 1 };
  const deletes = { ...manifest('deletes', 1, 100), content: 'deletes' as const };
  const dead = { ...manifest('dead', 0, 100), deletedFiles: 3 };
  const cases: readonly (readonly [string, readonly ManifestFile[], Record<string, string>, readonly number[]])[] = [
    ['fewer than the count', many(19, 1), {}, []],
    ['sizes that a commit would keep apart', [...many(10, 1), ...many(10, 50)], {}, [20]],
    ['where commits merge none', many(3, 1), { ...three, 'commit.manifest-merge.enabled': 'false' }, [3]],
    ['to the target size', many(7, 1, 300), bytes, [3, 3]],
    ['none that are large already', many(5, 1, 800), bytes, []],
    ['each spec by itself', [...many(3, 1), other], three, [3]],
    ['no deletes, and none without files', [...many(2, 1), deletes, dead], three, []],
  ];
  for (const [name, manifests, properties, expected] of cases) {
    assert.deepEqual(
      planFullMerge(manifests, properties).map((group) => group.length),
      expected,
      name,
    );
  }
});

test('the cache of manifests forgets the least recently used', () => {
  const cache = createManifestCache(4);
  const entries = (count: number) => new Array(count).fill({ status: 'added' });
  cache.set('a', entries(2));
  cache.set('b', entries(2));
  assert.equal(cache.get('a')?.length, 2);
  cache.set('c', entries(1));
  assert.deepEqual([cache.get('a')?.length, cache.get('b'), cache.get('c')?.length], [2, undefined, 1]);
  cache.set('huge', entries(5));
  assert.equal(cache.get('huge'), undefined);
  assert.equal(cache.get('a')?.length, 2);
});

test('concurrency: in order, bounded, and the first failure ends it', async () => {
  let running = 0;
  let most = 0;
  const step = async (value: number): Promise<number> => {
    running += 1;
    most = Math.max(most, running);
    await Promise.resolve();
    running -= 1;
    return value * 2;
  };
  assert.deepEqual(await mapConcurrent([1, 2, 3, 4, 5], step, 2), [2, 4, 6, 8, 10]);
  assert.equal(most, 2);
  const started: number[] = [];
  const failing = mapConcurrent(
    [1, 2, 3, 4],
    async (value) => {
      started.push(value);
      throw new Error(`failed ${value}`);
    },
    1,
  );
  await assert.rejects(failing, /failed 1/);
  assert.deepEqual(started, [1]);
  const ended: number[] = [];
  const one = mapConcurrent(
    [1, 2, 3],
    async (value) => {
      if (value === 1) throw new Error('failed 1');
      for (let turn = 0; turn < 5; turn += 1) await Promise.resolve();
      ended.push(value);
    },
    2,
  );
  await assert.rejects(one, /failed 1/);
  assert.deepEqual(ended, [2], 'what was under way has ended, and nothing was begun after the failure');
});

test('a manifest list is read from where the snapshot says', async () => {
  const lake = createLake();
  const table = await write(lake, { added: [file(lake, 'a')] });
  const [snapshot] = table.snapshots;
  assert.ok(snapshot);
  await assert.rejects(readManifestList(lake.store, table, { ...snapshot, 'manifest-list': 's3://elsewhere/x.avro' }), {
    name: 'InvalidInput',
  });
});
