import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createGlueCatalog } from '../../../lib/adapters/catalog/glue.ts';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { CommitConflict, CommitStateUnknown, Unavailable } from '../../../lib/core/errors.ts';
import type { TableId } from '../../../lib/core/tables.ts';
import type { TableMetadata } from '../../../lib/iceberg/types.ts';
import type { CatalogEntry } from '../../../lib/ports.ts';
import { withStoreFaults } from '../../ports/faults.ts';
import { codec, sampleMetadata, withSnapshot } from '../../ports/sample-metadata.ts';
import { type FakeGlue, glueError, openFakeGlue, openFakeTime } from './glue-fake.ts';
import { CASES, type Case, CONFLICT, type Other, THROTTLED, TIMEOUT } from './glue-swap-cases.ts';

const ID: TableId = { pipeline: 'p', layer: 'silver', name: 't' };

describe('a commit to Glue that is', () => {
  for (const { why, swap, trouble, error, says, file } of CASES) {
    it(`${why} ends ${error === undefined ? 'committed' : `as ${error.name}`}, its file ${file ? 'kept' : 'removed'}`, async () => {
      const { glue, catalog, base, next, other, exists } = await atTheSwap(swap);
      glue.trouble(...trouble(other).map((one) => ({ ...one, operation: swap })));
      const outcome = await catalog.commit(ID, base, next).catch((cause: unknown) => cause);
      assert.equal(await exists(), file);
      if (error === undefined) {
        assert.deepEqual(outcome, { metadata: next, metadataLocation: OURS(swap), version: OURS(swap) });
        return;
      }
      assert.ok(outcome instanceof error, String(outcome));
      if (says !== undefined) assert.match(outcome.message, says);
    });
  }

  it('lost and cannot be looked at ends as CommitStateUnknown, its file kept', async () => {
    const { glue, catalog, base, next, exists } = await atTheSwap('UpdateTable');
    glue.trouble(
      { operation: 'UpdateTable', from: 1, when: 'after', error: TIMEOUT },
      { operation: 'GetTable', from: 2, to: 999, error: THROTTLED },
    );
    await assert.rejects(catalog.commit(ID, base, next), CommitStateUnknown);
    assert.ok(await exists());
  });

  it('hindered and does not see its table at once looks again and commits', async () => {
    const { glue, catalog, base, next } = await atTheSwap('UpdateTable');
    glue.trouble(
      { operation: 'UpdateTable', from: 1, error: CONFLICT },
      { operation: 'GetTable', from: 2, to: 3, error: glueError('EntityNotFoundException') },
    );
    assert.equal((await catalog.commit(ID, base, next)).metadataLocation, OURS('UpdateTable'));
  });

  it('refused for its version and cannot be looked at ends as Unavailable: nothing happened', async () => {
    const { glue, catalog, base, next, exists } = await atTheSwap('UpdateTable');
    glue.trouble(
      { operation: 'UpdateTable', from: 1, error: CONFLICT },
      { operation: 'GetTable', from: 2, to: 999, error: THROTTLED },
    );
    await assert.rejects(catalog.commit(ID, base, next), Unavailable);
    assert.ok(!(await exists()));
  });

  it('beaten while the store cannot remove its file is CommitConflict all the same', async () => {
    const { glue, base, next, other, store } = await atTheSwap('UpdateTable');
    const faulty = withStoreFaults(store, [{ operation: 'remove', call: 1, kind: 'unavailable-before' }]);
    const catalog = createGlueCatalog({
      client: glue.client,
      store: faulty,
      codec,
      databasePrefix: '',
      ...openFakeTime(),
    });
    glue.trouble({ operation: 'UpdateTable', from: 1, error: CONFLICT, meanwhile: () => other.commits('instead') });
    await assert.rejects(catalog.commit(ID, base, next), CommitConflict);
  });

  it('without a metadata file, because the store is not available, asks Glue for no change', async () => {
    const { glue, base, next, store } = await atTheSwap('UpdateTable');
    const faulty = withStoreFaults(store, [{ operation: 'write', call: 1, kind: 'unavailable-before' }]);
    const catalog = createGlueCatalog({ client: glue.client, store: faulty, codec, databasePrefix: '' });
    await assert.rejects(catalog.commit(ID, base, next), Unavailable);
    assert.ok(!glue.requests.some(({ operation }) => operation === 'UpdateTable'));
  });

  it('beaten can be made again on the new state', async () => {
    const { glue, catalog, base, next, other } = await atTheSwap('UpdateTable');
    glue.trouble({ operation: 'UpdateTable', from: 1, error: CONFLICT, meanwhile: () => other.commits('instead') });
    await assert.rejects(catalog.commit(ID, base, next), CommitConflict);
    const fresh = await catalog.load(ID);
    assert.ok(fresh);
    const again = await catalog.commit(ID, fresh, withSnapshot(fresh.metadata, 9n));
    assert.deepEqual(await catalog.load(ID), again);
  });
});

const OURS = (swap: Case['swap']): string =>
  `s3://lake/silver/p/t/metadata/${swap === 'CreateTable' ? '00000-ours0' : '00001-ours1'}.metadata.json`;

/** A catalog whose next commit makes the given request, with others who can get in its way. */
async function atTheSwap(swap: Case['swap']) {
  const glue = openFakeGlue(['p_silver']);
  const store = createMemoryStore({ locationBase: 's3://lake' });
  let files = 0;
  const uuid = (): string => `ours${files++}`;
  const catalog = createGlueCatalog({ client: glue.client, store, codec, databasePrefix: '', ...openFakeTime(), uuid });
  const empty = sampleMetadata('s3://lake/silver/p/t');
  const base = swap === 'CreateTable' ? undefined : await catalog.commit(ID, undefined, empty);
  const next = base === undefined ? empty : after(base, 5n);
  const exists = async (): Promise<boolean> => (await store.head(store.key(OURS(swap)))) !== undefined;
  const theirs = await theirFiles(store, base, next, OURS(swap));
  return { glue, store, catalog, base, next, exists, other: otherOn(glue, theirs) };
}

/** The table with one more snapshot, its log extended as a real commit extends it. */
function after(entry: Pick<CatalogEntry, 'metadata' | 'metadataLocation'>, snapshot: bigint): TableMetadata {
  const logged = { 'timestamp-ms': entry.metadata['last-updated-ms'], 'metadata-file': entry.metadataLocation };
  return { ...withSnapshot(entry.metadata, snapshot), 'metadata-log': [...entry.metadata['metadata-log'], logged] };
}

type Theirs = Readonly<Record<Parameters<Other['commits']>[0], string>>;

async function theirFiles(
  store: ReturnType<typeof createMemoryStore>,
  base: CatalogEntry | undefined,
  next: TableMetadata,
  ours: string,
): Promise<Theirs> {
  const write = async (name: string, metadata: TableMetadata): Promise<string> => {
    const key = `silver/p/t/metadata/${name}.metadata.json`;
    await store.write(key, new TextEncoder().encode(codec.render(metadata)), { kind: 'any' });
    return store.location(key);
  };
  const instead = base === undefined ? sampleMetadata() : after(base, 7n);
  return {
    'on-top': await write('00002-top', after({ metadata: next, metadataLocation: ours }, 6n)),
    instead: await write('00001-instead', instead),
    'instead-and-forgetful': await write('00001-forgetful', { ...instead, 'metadata-log': [] }),
  };
}

function otherOn(glue: FakeGlue, theirs: Theirs): Other {
  return {
    commits: (kind) => {
      const Parameters = { table_type: 'ICEBERG', metadata_location: theirs[kind] };
      if (glue.table('p_silver', 't') === undefined) glue.place('p_silver', { Name: 't', Parameters });
      else glue.touch('p_silver', 't', { Parameters });
    },
    makes: () => {
      glue.place('p_silver', { Name: 't', Parameters: { classification: 'parquet' } });
    },
    touches: () => {
      glue.touch('p_silver', 't', { Description: 'by hand' });
    },
    drops: () => {
      glue.forget('p_silver', 't');
    },
  };
}
