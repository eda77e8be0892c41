import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { applyChange } from '../../lib/iceberg/apply.ts';
import { addSnapshot, createTable } from '../../lib/iceberg/changes.ts';
import { EXPIRED_AT, expiredSnapshots, expireSnapshots, type Retention } from '../../lib/iceberg/expire.ts';
import { GC_ENABLED, GIVEN_BACK, guardGivenBack, mayRemoveFiles } from '../../lib/iceberg/given-back.ts';
import { OWN_UNTIL, ownFiles, ownUntil } from '../../lib/iceberg/own-files.ts';
import type { TableMetadata } from '../../lib/iceberg/types.ts';
import { column } from './arbitraries.ts';

/** Snapshots 1 to 6, made and so replaced at 10, 20, ... ms; `others` are those of another engine. */
function table(others: readonly bigint[] = []): TableMetadata {
  const columns = [column('id', 'int')];
  let current = applyChange(
    createTable({ uuid: 'u-1', location: 's3://b/t', columns, partitionBy: [], sortBy: [], properties: {} }),
    undefined,
    0,
  );
  for (const id of [1n, 2n, 3n, 4n, 5n, 6n]) {
    const at = id * 10n;
    const snapshot = {
      'snapshot-id': id,
      ...(id === 1n ? {} : { 'parent-snapshot-id': id - 1n }),
      'sequence-number': id,
      'timestamp-ms': at,
      'manifest-list': `s3://b/t/metadata/snap-${id}.avro`,
      summary: { operation: 'append' as const, ...(others.includes(id) ? {} : { 'strata.run_id': `run-${id}` }) },
      'schema-id': 0,
    };
    current = applyChange(addSnapshot(current, snapshot), { ...current, 'last-updated-ms': at }, Number(at));
  }
  return current;
}

const ALL: Retention = { before: 1000, keep: 1, bases: new Set(), runs: new Set() };
const refs = (metadata: TableMetadata, refs: TableMetadata['refs']): TableMetadata => ({
  ...metadata,
  refs: { ...metadata.refs, ...refs },
});

type Case = readonly [
  what: string,
  metadata: TableMetadata,
  retention: Partial<Retention>,
  kept: readonly bigint[],
  log: readonly bigint[],
];

const CASES: readonly Case[] = [
  ['the current one stays', table(), {}, [6n], [6n]],
  ['so many of the latest stay', table(), { keep: 3 }, [4n, 5n, 6n], [4n, 5n, 6n]],
  ['all stay where so many are to', table(), { keep: 99 }, [1n, 2n, 3n, 4n, 5n, 6n], [1n, 2n, 3n, 4n, 5n, 6n]],
  [
    'age counts from being replaced: 3 was current until 40',
    table(),
    { before: 40 },
    [3n, 4n, 5n, 6n],
    [3n, 4n, 5n, 6n],
  ],
  ['a moment later it has not been', table(), { before: 41 }, [4n, 5n, 6n], [4n, 5n, 6n]],
  ['a tag keeps its own', refs(table(), { june: { 'snapshot-id': 2n, type: 'tag' } }), {}, [2n, 6n], [6n]],
  [
    'a branch keeps so many of its latest',
    refs(table(), { other: { 'snapshot-id': 3n, type: 'branch' } }),
    { keep: 2 },
    [2n, 3n, 5n, 6n],
    [5n, 6n],
  ],
  ['a base keeps all that came after it', table(), { bases: new Set([3n]) }, [3n, 4n, 5n, 6n], [3n, 4n, 5n, 6n]],
  ['a base that is gone keeps nothing', table(), { bases: new Set([99n]) }, [6n], [6n]],
  ['an unfinished run keeps its own', table(), { runs: new Set(['run-2']) }, [2n, 6n], [6n]],
];

for (const [what, metadata, retention, kept, log] of CASES) {
  test(`expiry: ${what}`, () => {
    const expired = expiredSnapshots(metadata, { ...ALL, ...retention });
    const next = applyChange(expireSnapshots(metadata, expired, 2000), metadata, 2000);
    assert.deepEqual(
      next.snapshots.map((one) => one['snapshot-id']),
      kept,
    );
    assert.deepEqual(
      next['snapshot-log'].map((one) => one['snapshot-id']),
      log,
    );
    assert.equal(next.properties[EXPIRED_AT], '1970-01-01T00:00:02.000Z');
  });
}

test('statistics go with their snapshots', () => {
  const of = (id: bigint) => ({ 'snapshot-id': id, 'statistics-path': `s3://b/t/metadata/${id}.stats` });
  const metadata = { ...table(), statistics: [of(2n), of(6n)], 'partition-statistics': [of(1n)] };
  const expired = expiredSnapshots(metadata, ALL);
  const next = applyChange(expireSnapshots(metadata, expired, 2000), metadata, 2000);
  assert.deepEqual(next.statistics, [of(6n)]);
  assert.deepEqual(next['partition-statistics'], []);
});

test('a change that would leave a tag without its snapshot is refused', () => {
  const metadata = table();
  const change = expireSnapshots(metadata, expiredSnapshots(metadata, ALL), 2000);
  const tagged = refs(metadata, { june: { 'snapshot-id': 2n, type: 'tag' } });
  assert.throws(() => applyChange(change, tagged, 2000), /breaks: branches and tags name only snapshots that exist/);
});

test('files of forgotten snapshots are known as our own, and none that another engine may have written', () => {
  for (const [others, until] of [
    [[], 6n],
    [[4n], 3n],
    [[1n], 0n],
  ] as const) {
    const metadata = table(others);
    assert.equal(ownUntil(metadata), until);
    const expired = expiredSnapshots(metadata, ALL);
    const next = applyChange(expireSnapshots(metadata, expired, 2000), metadata, 2000);
    assert.equal(next.properties[OWN_UNTIL], String(until));
    assert.equal(ownUntil(next), until, 'and the same again');
    const own = ownFiles(next);
    const seen = [1n, 2n, 3n, 4n, 5n, 6n].filter((id) => own({ snapshotId: id, fileSequenceNumber: id }));
    assert.deepEqual(
      seen,
      [1n, 2n, 3n, 4n, 5n, 6n].filter((id) => id <= until || id === 6n),
    );
  }
});

describe('files that are back in use', () => {
  const guarded = (metadata: TableMetadata, from: bigint, to: bigint): TableMetadata => {
    const change = guardGivenBack(metadata, { from, to });
    return change === undefined ? metadata : applyChange(change, metadata, 70);
  };
  const own = (metadata: TableMetadata) => [metadata.properties[GC_ENABLED], metadata.properties[GIVEN_BACK]];
  const expire = (metadata: TableMetadata, before: number): TableMetadata => {
    const expired = expiredSnapshots(metadata, { ...ALL, before });
    return applyChange(expireSnapshots(metadata, expired, 80), metadata, 80);
  };

  test('are kept from others until the snapshots that removed them are forgotten', () => {
    const metadata = guarded(table(), 3n, 4n);
    assert.deepEqual(own(metadata), ['false', '3..4']);
    assert.equal(mayRemoveFiles(metadata), true);
    assert.deepEqual(own(expire(metadata, 31)), ['false', '3..4'], '1 and 2 are forgotten');
    assert.deepEqual(own(expire(metadata, 41)), ['false', '3..4'], '3 is, too');
    assert.deepEqual(own(expire(metadata, 51)), [undefined, undefined], '4 is, too; 5 stays');
  });

  test('all count where they came back several times', () => {
    const metadata = guarded(guarded(table(), 4n, 4n), 2n, 3n);
    assert.deepEqual(own(metadata), ['false', '2..4']);
    assert.deepEqual(own(guarded(metadata, 5n, 5n)), ['false', '2..5']);
  });

  test('what a table says of itself stays', () => {
    const metadata = { ...table(), properties: { [GC_ENABLED]: 'false' } };
    assert.equal(guardGivenBack(metadata, { from: 3n, to: 4n }), undefined);
    assert.equal(mayRemoveFiles(metadata), false);
    assert.deepEqual(own(expire(metadata, 1000)), ['false', undefined]);
  });
});
