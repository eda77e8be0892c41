import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { createFileCatalog } from '../../../lib/adapters/catalog/file.ts';
import { createLocalStore } from '../../../lib/adapters/store/local.ts';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { CommitConflict, CommitStateUnknown, Unavailable, UnreadableTable } from '../../../lib/core/errors.ts';
import { type TableId, tablePrefix } from '../../../lib/core/tables.ts';
import type { Catalog, CatalogEntry, ObjectStore } from '../../../lib/ports.ts';
import { catalogContract } from '../../ports/catalog-contract.ts';
import { Crash, type Fault, type StoreOperation, withStoreFaults } from '../../ports/faults.ts';
import { codec, sampleMetadata, withSnapshot } from '../../ports/sample-metadata.ts';
import { bytesOf, textOf } from '../../ports/store-contract.ts';

catalogContract('file on a memory store', async () => {
  const store = createMemoryStore();
  return {
    catalog: createFileCatalog(store, codec),
    tableLocation: (id) => store.location(tablePrefix(id)),
    close: async () => {},
  };
});

catalogContract('file on a local store', async () => {
  const root = await mkdtemp(join(tmpdir(), 'strata-catalog-'));
  const store = createLocalStore({ root });
  return {
    catalog: createFileCatalog(store, codec),
    tableLocation: (id) => store.location(tablePrefix(id)),
    close: () => rm(root, { recursive: true, force: true }),
  };
});

const ID: TableId = { pipeline: 'p', layer: 'silver', name: 't' };
const VERSION = (n: number): string => `silver/p/t/metadata/v${n}.metadata.json`;
const HINT = 'silver/p/t/metadata/version-hint.text';

/** A table with `versions` versions. */
async function grown(versions: number): Promise<{ store: ObjectStore; catalog: Catalog; entry: CatalogEntry }> {
  const store = createMemoryStore();
  const catalog = createFileCatalog(store, codec);
  let entry = await catalog.commit(ID, undefined, sampleMetadata());
  for (let n = 2; n <= versions; n += 1)
    entry = await catalog.commit(ID, entry, withSnapshot(entry.metadata, BigInt(n)));
  return { store, catalog, entry };
}

describe('file catalog layout', () => {
  it('writes the files that readers of file system tables look for', async () => {
    const { store, entry } = await grown(3);
    assert.equal(textOf((await store.read(HINT)).bytes), '3');
    assert.equal(entry.metadataLocation, store.location(VERSION(3)));
    assert.deepEqual(codec.parse(textOf((await store.read(VERSION(3))).bytes)), entry.metadata);
  });

  for (const hint of ['1', '2', '3', '99', '', 'x', '-1', '3\n']) {
    it(`finds the newest of 3 versions with the hint ${JSON.stringify(hint)}, and commits on it`, async () => {
      const { store, catalog, entry } = await grown(3);
      await store.write(HINT, bytesOf(hint), { kind: 'any' });
      assert.deepEqual(await catalog.load(ID), entry);
      assert.equal((await catalog.commit(ID, entry, withSnapshot(entry.metadata, 4n))).version, '4');
    });
  }

  it('finds the newest version by number without a hint, also after old versions were trimmed', async () => {
    const { store, catalog, entry } = await grown(12);
    await store.remove(HINT);
    for (const n of [1, 2, 3]) await store.remove(VERSION(n));
    assert.deepEqual(await catalog.load(ID), entry);
    await store.write(HINT, bytesOf('2'), { kind: 'any' });
    assert.deepEqual(await catalog.load(ID), entry);
  });

  it('refuses a base so old that the file of its next version was trimmed', async () => {
    const { store, catalog, entry } = await grown(1);
    let newest = entry;
    for (let n = 2; n <= 5; n += 1) newest = await catalog.commit(ID, newest, withSnapshot(newest.metadata, BigInt(n)));
    for (const n of [1, 2, 3]) await store.remove(VERSION(n));
    await assert.rejects(catalog.commit(ID, entry, withSnapshot(entry.metadata, 9n)), CommitConflict);
    assert.deepEqual(await catalog.load(ID), newest);
  });

  it('reads a version once, and again where another file stands in its place', async () => {
    const { store, entry } = await grown(3);
    const reads: string[] = [];
    const noting: ObjectStore = {
      ...store,
      read(key) {
        if (key !== HINT) reads.push(key);
        return store.read(key);
      },
    };
    const catalog = createFileCatalog(noting, codec);
    for (let n = 0; n < 3; n += 1) assert.deepEqual(await catalog.load(ID), entry);
    assert.deepEqual(reads, [VERSION(3)]);
    const restored = withSnapshot(entry.metadata, 77n);
    await store.write(VERSION(3), bytesOf(codec.render(restored)), { kind: 'any' });
    assert.deepEqual((await catalog.load(ID))?.metadata, restored);
    assert.deepEqual(reads, [VERSION(3), VERSION(3)]);
    await store.write(VERSION(3), bytesOf('{'), { kind: 'any' });
    await assert.rejects(catalog.load(ID), UnreadableTable);
  });

  it('names the damaged file and the way out, which works', async () => {
    for (const damage of ['', '{"format-version":2', 'null', '{}']) {
      const { store, catalog } = await grown(2);
      await store.write(VERSION(2), bytesOf(damage), { kind: 'any' });
      await assert.rejects(catalog.load(ID), (error: unknown) => {
        assert.ok(error instanceof UnreadableTable);
        assert.ok(error.message.includes(store.location(VERSION(2))), error.message);
        assert.match(error.message, /p_silver\.t.*delete it to go back to version 1/);
        return true;
      });
      await store.remove(VERSION(2));
      assert.equal((await catalog.load(ID))?.version, '1');
    }
  });
});

describe('file catalog under faults', () => {
  const about = (key: string) => (subject: string) => subject === key;
  const commitUnder = async (fault: Fault<StoreOperation>) => {
    const { store, catalog, entry } = await grown(2);
    const faulty = createFileCatalog(withStoreFaults(store, [fault]), codec);
    const next = withSnapshot(entry.metadata, 3n);
    const outcome = await faulty.commit(ID, entry, next).catch((error: unknown) => error);
    return { outcome, next, after: await catalog.load(ID), catalog, entry };
  };

  it('settles a lost answer by reading what was written', async () => {
    const { outcome, after } = await commitUnder({
      operation: 'write',
      call: 1,
      kind: 'unavailable-after',
      about: about(VERSION(3)),
    });
    assert.deepEqual(outcome, after);
    assert.equal(after?.version, '3');
  });

  it('says CommitStateUnknown when nothing can be read back', async () => {
    const { outcome, after } = await commitUnder({
      operation: 'write',
      call: 1,
      kind: 'unavailable-before',
      about: about(VERSION(3)),
    });
    assert.ok(outcome instanceof CommitStateUnknown);
    assert.equal(after?.version, '2');
  });

  it('passes on a fault before the swap as Unavailable: nothing happened', async () => {
    const { outcome, after } = await commitUnder({ operation: 'read', call: 1, kind: 'unavailable-before' });
    assert.ok(outcome instanceof Unavailable);
    assert.equal(after?.version, '2');
  });

  it('has committed even when the hint cannot be written', async () => {
    const { outcome, after } = await commitUnder({
      operation: 'write',
      call: 1,
      kind: 'unavailable-before',
      about: about(HINT),
    });
    assert.deepEqual(outcome, after);
  });

  it('reports another author of the version as CommitConflict', async () => {
    const { outcome, after } = await commitUnder({
      operation: 'write',
      call: 1,
      kind: 'conflict',
      about: about(VERSION(3)),
    });
    assert.ok(outcome instanceof CommitConflict);
    assert.equal(after?.version, '2');
  });

  for (const kind of ['crash-before', 'crash-after'] as const) {
    for (const key of [VERSION(3), HINT]) {
      it(`recovers from a ${kind} of writing ${key}: committing again gives the same table`, async () => {
        const { outcome, next, catalog, entry } = await commitUnder({
          operation: 'write',
          call: 1,
          kind,
          about: about(key),
        });
        assert.ok(outcome instanceof Crash);
        const again = await catalog.commit(ID, entry, next);
        assert.equal(again.version, '3');
        assert.deepEqual(await catalog.load(ID), again);
      });
    }
  }
});
