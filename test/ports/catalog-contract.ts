import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { CommitConflict } from '../../lib/core/errors.ts';
import { fullName, type TableId } from '../../lib/core/tables.ts';
import type { TableMetadata } from '../../lib/iceberg/types.ts';
import type { Catalog, CatalogEntry } from '../../lib/ports.ts';
import { sampleMetadata, withSnapshot } from './sample-metadata.ts';

/** An adapter under test: an empty catalog, the location its tables should have, and how to give it back. */
export type CatalogUnderTest = {
  readonly catalog: Catalog;
  tableLocation(id: TableId): string;
  close(): Promise<void>;
};

/** The behaviour every Catalog must show; `open` gives a fresh, empty one. */
export function catalogContract(name: string, open: () => Promise<CatalogUnderTest>): void {
  describe(`${name} catalog`, () => {
    let subject: CatalogUnderTest;
    before(async () => {
      subject = await open();
    });
    after(() => subject.close());
    life(() => subject);
    conflicts(() => subject);
    races(() => subject);
  });
}

function life(subject: () => CatalogUnderTest): void {
  it('creates a table, loads it and gives every commit a new version and file', async () => {
    const { catalog } = subject();
    const id = table('life');
    assert.equal(await catalog.load(id), undefined);
    const first = await catalog.commit(id, undefined, fresh(subject(), id));
    assert.deepEqual(await catalog.load(id), first);
    const second = await catalog.commit(id, first, withSnapshot(first.metadata, 9_007_199_254_740_993n));
    assert.notEqual(second.version, first.version);
    assert.notEqual(second.metadataLocation, first.metadataLocation);
    const loaded = await catalog.load(id);
    assert.deepEqual(loaded, second);
    assert.equal(loaded?.metadata['current-snapshot-id'], 9_007_199_254_740_993n);
  });

  it('lists the tables of all pipelines and layers, and no dropped one', async () => {
    const { catalog } = subject();
    const ids: TableId[] = [
      { pipeline: 'p', layer: 'gold', name: 'x' },
      { pipeline: 'p', layer: 'ops', name: 'ledger' },
      { pipeline: 'q_silver', layer: 'silver', name: 'x' },
    ];
    for (const id of ids) await catalog.commit(id, undefined, fresh(subject(), id));
    const names = async (): Promise<readonly string[]> => (await catalog.list()).map(fullName);
    for (const id of ids) assert.ok((await names()).includes(fullName(id)), fullName(id));
    assert.equal(new Set(await names()).size, (await names()).length);
    const listed = async (...of: Parameters<Catalog['list']>): Promise<unknown> =>
      (await catalog.list(...of)).map(fullName);
    assert.deepEqual(await listed({ pipeline: 'p', layer: 'gold' }), ['p_gold.x']);
    assert.deepEqual(await listed({ pipeline: 'p', layer: 'gold' }, (name) => name === 'x'), []);
    assert.deepEqual(await listed({ pipeline: 'q_silver', layer: 'silver' }, (name) => name !== 'x'), [
      'q_silver_silver.x',
    ]);
    assert.deepEqual(await listed({ pipeline: 'nobody', layer: 'gold' }), []);
    await catalog.drop({ pipeline: 'p', layer: 'gold', name: 'x' });
    assert.deepEqual(await listed({ pipeline: 'p', layer: 'gold' }), []);
    assert.ok(!(await names()).includes('p_gold.x'));
    assert.ok((await names()).includes('p_ops.ledger'));
  });

  it('forgets a dropped table, refuses changes planned before, and makes it anew', async () => {
    const { catalog } = subject();
    const id = table('dropped');
    const old = await catalog.commit(id, undefined, fresh(subject(), id));
    await catalog.drop(id);
    await catalog.drop(id);
    assert.equal(await catalog.load(id), undefined);
    const tombstone = await catalog.tombstone(id);
    assert.ok(tombstone === undefined || tombstone.startsWith('silver/p/dropped/metadata/'), tombstone);
    await assert.rejects(catalog.commit(id, old, withSnapshot(old.metadata, 5n)), CommitConflict);
    const anew = await catalog.commit(id, undefined, fresh(subject(), id));
    assert.notEqual(anew.version, old.version);
    assert.equal(await catalog.tombstone(id), undefined);
    assert.deepEqual(await catalog.load(id), anew);
    await catalog.drop(table('never'));
    assert.equal(await catalog.tombstone(table('never')), undefined);
  });
}

function conflicts(subject: () => CatalogUnderTest): void {
  it('refuses a stale base, a second creation and a base that never was, changing nothing', async () => {
    const { catalog } = subject();
    const id = table('conflicts');
    const first = await catalog.commit(id, undefined, fresh(subject(), id));
    const second = await catalog.commit(id, first, withSnapshot(first.metadata, 1n));
    const refused: readonly (readonly [string, CatalogEntry | undefined])[] = [
      ['stale', first],
      ['creation', undefined],
    ];
    for (const [why, base] of refused) {
      await assert.rejects(catalog.commit(id, base, withSnapshot(first.metadata, 2n)), CommitConflict, why);
    }
    await assert.rejects(catalog.commit(table('unknown'), second, withSnapshot(first.metadata, 3n)), CommitConflict);
    assert.deepEqual(await catalog.load(id), second);
    assert.equal(await catalog.load(table('unknown')), undefined);
  });

  it('answers the repetition of the newest commit with its entry, of an older one with CommitConflict', async () => {
    const { catalog } = subject();
    const id = table('repeated');
    const first = await catalog.commit(id, undefined, fresh(subject(), id));
    const next = withSnapshot(first.metadata, 4n);
    const second = await catalog.commit(id, first, next);
    assert.deepEqual(await catalog.commit(id, first, next), second);
    await catalog.commit(id, second, withSnapshot(next, 5n));
    await assert.rejects(catalog.commit(id, first, next), CommitConflict);
  });
}

function races(subject: () => CatalogUnderTest): void {
  it('lets one of 8 parallel creations win', async () => {
    const { catalog } = subject();
    const id = table('race_create');
    const entries = await winners(Array.from({ length: 8 }, () => catalog.commit(id, undefined, fresh(subject(), id))));
    assert.equal(entries.length, 1);
    assert.deepEqual(await catalog.load(id), entries[0]);
  });

  it('keeps every one of 8 writers’ 5 commits when each reloads after a conflict', async () => {
    const { catalog } = subject();
    const id = table('race_commit');
    await catalog.commit(id, undefined, fresh(subject(), id));
    await Promise.all(Array.from({ length: 8 }, (_, writer) => commitAll(catalog, id, writer * 100, 5)));
    const snapshots = (await catalog.load(id))?.metadata.snapshots.map((snapshot) => snapshot['snapshot-id']) ?? [];
    const expected = Array.from({ length: 40 }, (_, n) => BigInt(Math.floor(n / 5) * 100 + (n % 5) + 1));
    assert.deepEqual([...snapshots].sort(byValue), expected);
  });
}

async function commitAll(catalog: Catalog, id: TableId, first: number, count: number): Promise<void> {
  for (let done = 0; done < count; ) {
    const base = await catalog.load(id);
    assert.ok(base);
    const [entry] = await winners([catalog.commit(id, base, withSnapshot(base.metadata, BigInt(first + done + 1)))]);
    if (entry !== undefined) done += 1;
  }
}

/** The commits that succeeded; any failure but CommitConflict is the test's. */
async function winners(commits: readonly Promise<CatalogEntry>[]): Promise<readonly CatalogEntry[]> {
  const settled = await Promise.allSettled(commits);
  return settled.flatMap((result) => {
    if (result.status === 'fulfilled') return [result.value];
    assert.ok(result.reason instanceof CommitConflict, String(result.reason));
    return [];
  });
}

const byValue = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0);

function table(name: string): TableId {
  return { pipeline: 'p', layer: 'silver', name };
}

function fresh(subject: CatalogUnderTest, id: TableId): TableMetadata {
  return sampleMetadata(subject.tableLocation(id));
}
