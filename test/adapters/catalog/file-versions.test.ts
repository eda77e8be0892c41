import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { createFileCatalog } from '../../../lib/adapters/catalog/file.ts';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import {
  CommitConflict,
  CommitStateUnknown,
  InvalidInput,
  Unavailable,
  UnreadableTable,
} from '../../../lib/core/errors.ts';
import type { TableId } from '../../../lib/core/tables.ts';
import type { TableMetadata } from '../../../lib/iceberg/types.ts';
import type { Catalog, CatalogEntry, ObjectStore } from '../../../lib/ports.ts';
import { codec, sampleMetadata, withSnapshot } from '../../ports/sample-metadata.ts';
import { bytesOf, keysOf, textOf } from '../../ports/store-contract.ts';
import { stoppedStore } from '../../support/stopped-store.ts';

const ID: TableId = { pipeline: 'p', layer: 'silver', name: 't' };
const FOLDER = 'silver/p/t/metadata/';
const HINT = `${FOLDER}version-hint.text`;
const plain = (n: number): string => `${FOLDER}v${n}.metadata.json`;

type Grown = { readonly store: ObjectStore; readonly catalog: Catalog; readonly entry: CatalogEntry };

async function grown(versions: number): Promise<Grown> {
  const store = createMemoryStore();
  const catalog = createFileCatalog(store, codec);
  let entry = await catalog.commit(ID, undefined, sampleMetadata());
  for (let n = 2; n <= versions; n += 1) entry = await catalog.commit(ID, entry, following(entry, n));
  return { store, catalog, entry };
}

/** The table with one more snapshot, and its last file in the log. */
function following({ metadata, metadataLocation }: CatalogEntry, snapshot: number): TableMetadata {
  const made = metadata['last-updated-ms'];
  const log = [...metadata['metadata-log'], { 'timestamp-ms': made, 'metadata-file': metadataLocation }];
  const now = made + BigInt(snapshot);
  return { ...withSnapshot(metadata, BigInt(snapshot)), 'last-updated-ms': now, 'metadata-log': log };
}

async function hintOf(store: ObjectStore): Promise<string> {
  return textOf((await store.read(HINT)).bytes);
}

describe('the version hint', () => {
  for (const stale of ['1', '2', '99', '', 'x']) {
    it(`is put right by whoever finds ${JSON.stringify(stale)} at version 3, but not by a reader`, async () => {
      const { store, catalog, entry } = await grown(3);
      await store.write(HINT, bytesOf(stale), { kind: 'any' });
      assert.deepEqual(await createFileCatalog(store, codec, { readOnly: true }).load(ID), entry);
      assert.equal(await hintOf(store), stale);
      assert.deepEqual(await catalog.load(ID), entry);
      assert.equal(await hintOf(store), '3');
    });
  }

  it('is made where there is none, and put right by a commit that was done already', async () => {
    const { store, catalog, entry } = await grown(3);
    await store.remove(HINT);
    await catalog.load(ID);
    assert.equal(await hintOf(store), '3');
    await store.write(HINT, bytesOf('2'), { kind: 'any' });
    assert.equal((await catalog.commit(ID, undefined, entry.metadata)).version, '3');
    assert.equal(await hintOf(store), '3');
  });

  for (const when of ['before', 'after'] as const) {
    it(`does not go back when its writer stands still ${when} its reading and its writing`, async () => {
      for (const n of [1, 2, 3]) {
        const { store, catalog, entry } = await grown(2);
        const slow = stoppedStore(store, n, when, (operation, key) => operation !== 'list' && key === HINT);
        const committing = createFileCatalog(slow.store, codec).commit(ID, entry, following(entry, 3));
        await Promise.race([slow.reached, committing.catch(() => {})]);
        const base = (await catalog.load(ID)) ?? entry;
        const newest = await catalog.commit(ID, base, following(base, 8));
        slow.release();
        await committing.catch((cause: unknown) => assert.ok(cause instanceof CommitConflict, String(cause)));
        assert.equal(await hintOf(store), newest.version, `operation ${n}`);
        assert.deepEqual(await catalog.load(ID), newest);
      }
    });
  }

  it('is left alone by a drop that came first', async () => {
    const { store, catalog } = await grown(2);
    await catalog.drop(ID);
    assert.equal(await catalog.load(ID), undefined);
    assert.equal(await store.head(HINT), undefined);
  });
});

describe('versions that other engines have committed', () => {
  const NAMES = (n: number): readonly string[] => [
    `${FOLDER}v${n}.gz.metadata.json`,
    `${FOLDER}v${n}.metadata.json.gz`,
  ];

  for (const at of [0, 1]) {
    it(`are read and committed upon when they are gzipped: ${NAMES(3)[at]?.slice(FOLDER.length)}`, async () => {
      for (const hint of ['2', '3', undefined]) {
        const { store, catalog, entry } = await grown(2);
        const key = NAMES(3)[at] ?? '';
        const theirs = following(entry, 33);
        await store.write(key, gzipSync(codec.render(theirs)), { kind: 'absent' });
        if (hint === undefined) await store.remove(HINT);
        else await store.write(HINT, bytesOf(hint), { kind: 'any' });
        await assert.rejects(catalog.commit(ID, entry, following(entry, 4)), CommitConflict);
        const loaded = await catalog.load(ID);
        assert.deepEqual(loaded?.metadata, theirs);
        assert.deepEqual([loaded?.version, loaded?.metadataLocation], ['3', store.location(key)]);
        assert.ok(loaded);
        const next = await catalog.commit(ID, loaded, following(loaded, 4));
        assert.equal(next.metadataLocation, store.location(plain(4)));
        assert.deepEqual(
          next.metadata.snapshots.map((snapshot) => snapshot['snapshot-id']),
          [2n, 33n, 4n],
        );
        assert.deepEqual((await catalog.list()).length, 1);
      }
    });
  }

  it('win where they come between our look and our commit', async () => {
    const { store, catalog, entry } = await grown(2);
    const key = `${FOLDER}v3.gz.metadata.json`;
    const theirs = following(entry, 33);
    const late: ObjectStore = {
      ...store,
      async write(at, bytes, condition) {
        if (at === plain(3)) await store.write(key, gzipSync(codec.render(theirs)), { kind: 'absent' });
        return store.write(at, bytes, condition);
      },
    };
    await assert.rejects(createFileCatalog(late, codec).commit(ID, entry, following(entry, 4)), CommitConflict);
    assert.equal(await store.head(plain(3)), undefined);
    assert.deepEqual((await catalog.load(ID))?.metadata, theirs);
  });

  for (const name of [
    'v3.zst.metadata.json',
    'v3.lz4.metadata.json',
    'v3.metadata.json.zst',
    'v3.gz.metadata.json.gz',
  ]) {
    it(`are refused, and not written over, when they are compressed otherwise: ${name}`, async () => {
      for (const hint of ['2', '3', undefined]) {
        const { store, catalog, entry } = await grown(2);
        await store.write(`${FOLDER}${name}`, bytesOf('?'), { kind: 'any' });
        if (hint === undefined) await store.remove(HINT);
        else await store.write(HINT, bytesOf(hint), { kind: 'any' });
        for (const use of [() => catalog.load(ID), () => catalog.commit(ID, entry, following(entry, 4))]) {
          await assert.rejects(use, (error: unknown) => {
            assert.ok(error instanceof InvalidInput, String(error));
            assert.ok(error.message.includes(name), error.message);
            return true;
          });
        }
        assert.equal(await store.head(plain(3)), undefined);
      }
    });
  }

  it('are not what a person, an editor or an older version left beside them', async () => {
    const { store, catalog, entry } = await grown(3);
    for (const name of [
      'v4.metadata.json.bak',
      'v4.metadata.json~',
      'v04.metadata.json',
      'v4x.metadata.json',
      'v2.zst.metadata.json',
    ])
      await store.write(`${FOLDER}${name}`, bytesOf('?'), { kind: 'any' });
    await store.remove(HINT);
    assert.deepEqual(await catalog.load(ID), entry);
  });

  it('are named when there are two of one number, until one is removed', async () => {
    const { store, catalog, entry } = await grown(3);
    const key = `${FOLDER}v3.gz.metadata.json`;
    await store.write(key, gzipSync(codec.render(entry.metadata)), { kind: 'any' });
    await assert.rejects(catalog.load(ID), (error: unknown) => {
      assert.ok(error instanceof Unavailable);
      assert.match(error.message, /v3\.gz\.metadata\.json and .*v3\.metadata\.json/);
      return true;
    });
    await store.remove(key);
    assert.deepEqual(await catalog.load(ID), entry);
  });

  it('are named when they are damaged', async () => {
    const { store, catalog } = await grown(2);
    const whole = gzipSync('{}');
    await store.write(`${FOLDER}v3.gz.metadata.json`, whole.subarray(0, whole.length - 4), { kind: 'any' });
    await assert.rejects(catalog.load(ID), (error: unknown) => {
      assert.ok(error instanceof UnreadableTable);
      assert.match(error.message, /v3\.gz\.metadata\.json.*damaged/);
      return true;
    });
  });
});

it('a version whose number was past and trimmed before it was written is no commit', async () => {
  const { store, catalog, entry } = await grown(2);
  const slow = stoppedStore(store, 1, 'before', (operation, key) => operation === 'write' && key === plain(3));
  const committing = createFileCatalog(slow.store, codec).commit(ID, entry, following(entry, 99));
  await slow.reached;
  let newest = entry;
  for (let n = 3; n <= 9; n += 1) newest = await catalog.commit(ID, newest, following(newest, n));
  for (let n = 1; n <= 6; n += 1) await store.remove(plain(n));
  slow.release();
  await assert.rejects(committing, CommitStateUnknown);
  assert.deepEqual(await catalog.load(ID), newest);
  assert.equal(await hintOf(store), '9');
  assert.ok((await keysOf(store, FOLDER)).includes(plain(9)));
});

describe('versions named as in the Glue Data Catalog', () => {
  const numbered = (n: number, uuid: string): string => `${FOLDER}${String(n).padStart(5, '0')}-${uuid}.metadata.json`;

  it('are read where there are no others, and committed upon under the next number', async () => {
    const store = createMemoryStore();
    const catalog = createFileCatalog(store, codec);
    const first = sampleMetadata();
    await store.write(numbered(9, 'a'), bytesOf(codec.render(first)), { kind: 'any' });
    await store.write(numbered(10, 'b'), bytesOf(codec.render(withSnapshot(first, 1n))), { kind: 'any' });
    const loaded = await catalog.load(ID);
    assert.deepEqual([loaded?.version, loaded?.metadataLocation], ['10', store.location(numbered(10, 'b'))]);
    assert.equal(await store.head(HINT), undefined);
    assert.deepEqual(await catalog.list(), [ID]);
    await assert.rejects(catalog.commit(ID, undefined, first), CommitConflict);
    assert.ok(loaded);
    const next = await catalog.commit(ID, loaded, withSnapshot(loaded.metadata, 2n));
    assert.equal(next.metadataLocation, store.location(plain(11)));
    assert.deepEqual(await catalog.load(ID), next);
    await catalog.drop(ID);
    assert.equal(await catalog.load(ID), undefined);
  });

  it('are refused where a lost commit left a second file of the highest number', async () => {
    const store = createMemoryStore();
    for (const uuid of ['a', 'b'])
      await store.write(numbered(3, uuid), bytesOf(codec.render(sampleMetadata())), { kind: 'any' });
    await assert.rejects(createFileCatalog(store, codec).load(ID), (error: unknown) => {
      return error instanceof UnreadableTable && /00003-a.* and .*00003-b.*metadata_location/.test(error.message);
    });
  });
});
