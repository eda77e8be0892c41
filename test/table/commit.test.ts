import assert from 'node:assert/strict';
import test from 'node:test';
import { createMemoryStore } from '../../lib/adapters/store/memory.ts';
import { CommitConflict, CommitStateUnknown } from '../../lib/core/errors.ts';
import { alterSchema, setProperties } from '../../lib/iceberg/changes.ts';
import { FILE_PATH_ID } from '../../lib/iceberg/position-deletes.ts';
import { currentSnapshot } from '../../lib/iceberg/snapshot.ts';
import type { Snapshot } from '../../lib/iceberg/types.ts';
import { commitChange } from '../../lib/table/commit.ts';
import { type Prepared, parsePrepared, renderPrepared } from '../../lib/table/prepare.ts';
import { planFiles, readManifest } from '../../lib/table/read.ts';
import { column } from '../iceberg/arbitraries.ts';
import { type Fault, type StoreOperation, withCatalogFaults, withStoreFaults } from '../ports/faults.ts';
import { commitDeletes } from '../support/position-deletes.ts';
import { createLake, file, ID, type Lake, load, manifestsOf, names, prepare, type Wanted, write } from './lake.ts';

/** What we prepared, what others commit before us, and how it must end: the files that a reader sees, or a conflict. */
type Case = {
  readonly name: string;
  readonly ours: (lake: Lake) => Wanted;
  readonly theirs: (lake: Lake) => Wanted;
  readonly expected: string | 'conflict';
};

const append = (name: string, region?: string) => (lake: Lake) => ({ added: [file(lake, name, region)] });
const rewrite =
  (gone: readonly string[], name: string, region?: string) =>
  (lake: Lake): Wanted => ({
    added: [file(lake, name, region)],
    remove: { kind: 'files', files: gone.map((one) => file(lake, one, one.startsWith('us') ? 'US' : 'EU')) },
  });
/** The same rows in another file. */
const compact =
  (gone: readonly string[], name: string, region?: string) =>
  (lake: Lake): Wanted => ({ ...rewrite(gone, name, region)(lake), rewrite: true });
const replace =
  (region: string, name: string) =>
  (lake: Lake): Wanted => ({ added: [file(lake, name, region)], remove: { kind: 'partitions', tuples: [[region]] } });
const replaceAll =
  (name: string) =>
  (lake: Lake): Wanted => ({ added: [file(lake, name)], remove: { kind: 'all' } });

/** Rows of files that stay are replaced by those of another. */
const erase =
  (by: string, name: string, region?: string) =>
  (lake: Lake): Wanted => ({ added: [file(lake, name, region)], addedDeletes: [file(lake, by, region)] });

// The table holds eu (region EU) and us (region US).
const CASES: readonly Case[] = [
  { name: 'append after append', ours: append('x'), theirs: append('y'), expected: 'eu us x y' },
  { name: 'append after a rewrite', ours: append('x'), theirs: rewrite(['eu'], 'y'), expected: 'us x y' },
  { name: 'append after a full overwrite', ours: append('x'), theirs: replaceAll('y'), expected: 'x y' },
  { name: 'rewrite after append elsewhere', ours: rewrite(['eu'], 'x'), theirs: append('y', 'US'), expected: 'us x y' },
  {
    name: 'rewrite after append to its partition',
    ours: rewrite(['eu'], 'x'),
    theirs: append('y'),
    expected: 'conflict',
  },
  {
    name: 'rewrite after a rewrite elsewhere',
    ours: rewrite(['eu'], 'x'),
    theirs: rewrite(['us'], 'y', 'US'),
    expected: 'x y',
  },
  {
    name: 'rewrite after its file is gone',
    ours: rewrite(['eu'], 'x'),
    theirs: rewrite(['eu'], 'y'),
    expected: 'conflict',
  },
  { name: 'rewrite after a full overwrite', ours: rewrite(['eu'], 'x'), theirs: replaceAll('y'), expected: 'conflict' },
  {
    name: 'compaction after append to its partition',
    ours: compact(['eu'], 'x'),
    theirs: append('y'),
    expected: 'us x y',
  },
  {
    name: 'compaction after its partition was replaced',
    ours: compact(['eu'], 'x'),
    theirs: replace('EU', 'y'),
    expected: 'conflict',
  },
  {
    name: 'compaction after another partition was replaced',
    ours: compact(['eu'], 'x'),
    theirs: replace('US', 'y'),
    expected: 'x y',
  },
  { name: 'append after a compaction', ours: append('x'), theirs: compact(['eu'], 'y'), expected: 'us x y' },
  { name: 'replace after a compaction', ours: replace('EU', 'x'), theirs: compact(['eu'], 'y'), expected: 'us x' },
  { name: 'full overwrite after a compaction', ours: replaceAll('x'), theirs: compact(['eu'], 'y'), expected: 'x' },
  { name: 'replace after append elsewhere', ours: replace('EU', 'x'), theirs: append('y', 'US'), expected: 'us x y' },
  {
    name: 'replace after append to its partition',
    ours: replace('EU', 'x'),
    theirs: append('y'),
    expected: 'conflict',
  },
  {
    name: 'replace of an empty partition, filled since',
    ours: replace('JP', 'x'),
    theirs: append('y', 'JP'),
    expected: 'conflict',
  },
  { name: 'replace after replace elsewhere', ours: replace('EU', 'x'), theirs: replace('US', 'y'), expected: 'x y' },
  {
    name: 'replace after replace of the same',
    ours: replace('EU', 'x'),
    theirs: replace('EU', 'y'),
    expected: 'conflict',
  },
  { name: 'full overwrite after append', ours: replaceAll('x'), theirs: append('y'), expected: 'conflict' },
  { name: 'full overwrite after a change of properties', ours: replaceAll('x'), theirs: () => ({}), expected: 'x' },
  { name: 'deletes after append elsewhere', ours: erase('d', 'x'), theirs: append('y', 'US'), expected: 'eu us x y' },
  { name: 'deletes after append to its partition', ours: erase('d', 'x'), theirs: append('y'), expected: 'conflict' },
  { name: 'deletes after its file is gone', ours: erase('d', 'x'), theirs: rewrite(['eu'], 'y'), expected: 'conflict' },
  { name: 'deletes after others deleted there', ours: erase('d', 'x'), theirs: erase('e', 'y'), expected: 'conflict' },
  { name: 'deletes after a compaction', ours: erase('d', 'x'), theirs: compact(['eu'], 'y'), expected: 'eu us x' },
  {
    name: 'deletes after a compaction elsewhere',
    ours: erase('d', 'x'),
    theirs: compact(['us'], 'y', 'US'),
    expected: 'eu x y',
  },
  { name: 'a rewrite after deletes there', ours: rewrite(['eu'], 'x'), theirs: erase('d', 'y'), expected: 'conflict' },
  {
    name: 'a compaction after deletes there',
    ours: compact(['eu'], 'x'),
    theirs: erase('d', 'y'),
    expected: 'conflict',
  },
  { name: 'rewrite after a change of properties', ours: rewrite(['eu'], 'x'), theirs: () => ({}), expected: 'us x' },
];

for (const { name, ours, theirs, expected } of CASES) {
  test(`others came first: ${name}`, async () => {
    const lake = createLake();
    const table = await write(lake, { added: [file(lake, 'eu'), file(lake, 'us', 'US')] });
    const prepared = parsePrepared(renderPrepared(await prepare(lake, ours(lake))));
    await write(lake, { alter: setProperties(table, { touched: name }), ...theirs(lake) });
    const before = await names(lake);
    const commit = commitChange(lake, ID, prepared);
    if (expected === 'conflict') {
      await assert.rejects(commit, (error: unknown) => error instanceof CommitConflict);
      assert.equal(await names(lake), before);
      return;
    }
    const { entry, outcome, snapshot } = await commit;
    assert.equal(outcome, 'committed');
    assert.equal(await names(lake), expected);
    assert.equal(entry.metadata.properties['touched'], name);
    assert.equal(entry.metadata['current-snapshot-id'], snapshot?.['snapshot-id']);
    assert.equal(snapshot?.['snapshot-id'], prepared.snapshot?.['snapshot-id']);
    assert.equal(snapshot?.summary['strata.run_id'], prepared.summary['strata.run_id']);
  });
}

/** What we prepared, and what becomes of it when others deleted rows by position in EU meanwhile: data files | delete files. */
const AFTER_DELETES: readonly (readonly [string, (lake: Lake) => Wanted, string])[] = [
  ['an append', append('x'), 'eu us x | d-eu'],
  ['a rewrite of the file', rewrite(['eu'], 'x'), 'conflict'],
  ['a rewrite elsewhere', rewrite(['us'], 'x', 'US'), 'eu x | d-eu'],
  ['a replacement of the partition', replace('EU', 'x'), 'conflict'],
  ['a replacement elsewhere', replace('US', 'x'), 'eu x | d-eu'],
  ['a replacement of everything', replaceAll('x'), 'conflict'],
];

for (const [name, ours, expected] of AFTER_DELETES) {
  test(`others deleted rows by position first: ${name}`, async () => {
    const lake = createLake();
    await write(lake, { added: [file(lake, 'eu'), file(lake, 'us', 'US')] });
    const prepared = await prepare(lake, ours(lake));
    await commitDeletes(lake, ID, [file(lake, 'd-eu')]);
    if (expected === 'conflict') {
      await assert.rejects(commitChange(lake, ID, prepared), { name: 'CommitConflict', message: /EU|changed rows/ });
      return;
    }
    await commitChange(lake, ID, prepared);
    assert.equal(`${await names(lake)} | ${await deletesIn(lake)}`, expected);
  });
}

test('deletes that are taken away bring rows back: an overwrite, which a compaction of their partition does not undo', async () => {
  const ways: readonly (readonly [(lake: Lake) => Wanted, string])[] = [
    [compact(['eu'], 'x'), 'conflict'],
    [compact(['us'], 'x', 'US'), 'eu x | '],
    [append('x'), 'eu us x | '],
  ];
  for (const [ours, expected] of ways) {
    const lake = createLake();
    await write(lake, { added: [file(lake, 'eu'), file(lake, 'us', 'US')] });
    await commitDeletes(lake, ID, [file(lake, 'd-eu')]);
    const prepared = await prepare(lake, ours(lake));
    const back = await write(lake, { remove: { kind: 'files', files: [], deletes: [file(lake, 'd-eu')] } });
    const { summary } = currentSnapshot(back) ?? assert.fail();
    assert.deepEqual(
      [summary.operation, summary['removed-delete-files'], summary['changed-partition-count']],
      ['overwrite', '1', '1'],
    );
    const commit = commitChange(lake, ID, prepared);
    if (expected === 'conflict') await assert.rejects(commit, { name: 'CommitConflict', message: /EU/ });
    else await commit;
    const now = `${await names(lake)} | ${await deletesIn(lake)}`;
    assert.equal(now, expected === 'conflict' ? 'eu us | ' : expected);
  }
});

test('taking back what was written beside deletes is an overwrite, a delete where none are taken away', async () => {
  for (const [taken, expected] of [[['d'], 'overwrite'] as const, [[], 'delete'] as const]) {
    const lake = createLake();
    await write(lake, { added: [file(lake, 'eu')] });
    await write(lake, erase('d', 'x')(lake));
    const remove = { kind: 'files', files: [file(lake, 'x')], deletes: taken.map((one) => file(lake, one)) } as const;
    assert.equal(currentSnapshot(await write(lake, { remove }))?.summary.operation, expected);
  }
});

test('delete files stay while a data file is as old as they are, and go with what is replaced', async () => {
  const start = async (): Promise<Lake> => {
    const lake = createLake();
    await write(lake, { added: [file(lake, 'eu'), file(lake, 'us', 'US')] });
    await commitDeletes(lake, ID, [file(lake, 'd-eu'), file(lake, 'd-us', 'US')]);
    return lake;
  };
  const totals = async (lake: Lake): Promise<readonly (string | undefined)[]> => {
    const { summary } = currentSnapshot(await load(lake)) ?? assert.fail();
    return ['total-data-files', 'total-records', 'total-delete-files', 'total-position-deletes'].map((k) => summary[k]);
  };
  const steps: readonly (readonly [(lake: Lake) => Wanted, string, readonly string[]])[] = [
    [append('x'), 'eu us x | d-eu d-us', ['3', '30', '2', '20']],
    [rewrite(['eu'], 'x'), 'us x | d-us', ['2', '20', '1', '10']],
    [replace('EU', 'x'), 'us x | d-us', ['2', '20', '1', '10']],
    [rewrite(['eu', 'us'], 'x'), 'x | ', ['1', '10', '0', '0']],
    [replaceAll('x'), 'x | ', ['1', '10', '0', '0']],
    [() => ({ remove: { kind: 'all' } }), ' | ', ['0', '0', '0', '0']],
  ];
  for (const [change, expected, counts] of steps) {
    const lake = await start();
    await write(lake, change(lake));
    assert.equal(`${await names(lake)} | ${await deletesIn(lake)}`, expected);
    assert.deepEqual(await totals(lake), counts);
    await write(lake, { emptySnapshot: true });
    assert.equal(`${await names(lake)} | ${await deletesIn(lake)}`, expected);
  }
});

test('a compaction gives way to deletes that name its files: the partition is as it was, and the delete files are', async () => {
  const lake = createLake();
  await write(lake, { added: [file(lake, 'eu'), file(lake, 'us', 'US')] });
  await write(lake, erase('d1', 'eu2')(lake));
  const first = await write(lake, erase('d-us', 'us2', 'US')(lake));
  const before = await filesWithDeletes(lake);
  const prepared = parsePrepared(renderPrepared(await prepare(lake, erase('d2', 'x')(lake))));
  await write(lake, compact(['eu', 'eu2'], 'y')(lake));
  assert.equal(await deletesIn(lake), 'd-us');
  // Another commit comes between: what is repeated twice stands on what was prepared, each time.
  let others = 0;
  const catalog: Lake['catalog'] = {
    ...lake.catalog,
    async commit(...asked) {
      others += 1;
      if (others === 1) await write(lake, append('jp', 'JP')(lake));
      return lake.catalog.commit(...asked);
    },
  };
  await commitChange({ ...lake, catalog }, ID, prepared);
  assert.equal(others, 2);
  assert.equal(await names(lake), 'eu eu2 jp us us2 x');
  assert.equal(await deletesIn(lake), 'd-us d1 d2');
  const { jp: _other, ...after } = await filesWithDeletes(lake);
  assert.deepEqual(after, {
    ...before,
    eu: ['d1', 'd2'],
    eu2: ['d1', 'd2'],
    x: ['d2'],
  });
  const { summary } = currentSnapshot(await load(lake)) ?? assert.fail();
  const sizes = (of: Snapshot['summary']) => [of['total-data-files'], of['total-records'], of['total-files-size']];
  assert.deepEqual(sizes(summary), ['6', '60', '900']);
  assert.deepEqual(sizes(currentSnapshot(first)?.summary ?? assert.fail()), ['4', '40', '600']);
});

test('a partition that is as it was again loses only what is away: others remove the files that a snapshot says it removed', async () => {
  const lake = createLake();
  await write(lake, { added: ['eu', 'eu2', 'eu3', 'eu4'].map((name) => file(lake, name)) });
  await write(lake, { addedDeletes: [file(lake, 'd1')] });
  const prepared = await prepare(lake, rewrite(['eu'], 'x')(lake));
  await write(lake, compact(['eu2', 'eu3'], 'y')(lake));
  const { entry } = await commitChange(lake, ID, prepared);
  assert.equal(await names(lake), 'eu2 eu3 eu4 x');
  assert.equal(await deletesIn(lake), 'd1');
  const manifests = await manifestsOf(lake, entry.metadata);
  const entries = (await Promise.all(manifests.map((one) => readManifest(lake.store, entry.metadata, one)))).flat();
  const gone = entries.filter(({ status }) => status === 'deleted').map((one) => one.file.path);
  assert.deepEqual(gone.sort(), ['eu', 'y'].map((name) => file(lake, name).path).sort());
  const { summary } = currentSnapshot(entry.metadata) ?? assert.fail();
  const counted = ['added-data-files', 'deleted-data-files', 'added-delete-files', 'total-files-size'];
  assert.deepEqual(
    counted.map((name) => summary[name]),
    ['3', '2', undefined, '500'],
  );
});

async function filesWithDeletes(lake: Lake): Promise<Readonly<Record<string, readonly string[]>>> {
  const short = (path: string): string => path.replace(/^.*\/(.*)\.parquet$/, '$1');
  const files = await planFiles(lake.store, await load(lake));
  return Object.fromEntries(files.map((one) => [short(one.path), one.deletes.map(({ path }) => short(path)).sort()]));
}

test('deletes apply to files of their partition that are not younger and lie within their bounds', async () => {
  const lake = createLake();
  const [eu, us] = [file(lake, 'eu'), file(lake, 'us', 'US')];
  await write(lake, { added: [eu, us, file(lake, 'eu2')] });
  const bound = new Map([[FILE_PATH_ID, Uint8Array.from(Buffer.from(eu.path))]]);
  await commitDeletes(lake, ID, [file(lake, 'd1'), { ...file(lake, 'd2'), lowerBounds: bound, upperBounds: bound }]);
  await write(lake, { added: [file(lake, 'eu3')] });
  await commitDeletes(lake, ID, [file(lake, 'd3', 'US')]);
  const files = await planFiles(lake.store, await load(lake));
  const short = (path: string): string => path.replace(/^.*\/(.*)\.parquet$/, '$1');
  assert.deepEqual(
    Object.fromEntries(files.map((one) => [short(one.path), one.deletes.map(({ path }) => short(path)).join(' ')])),
    { eu: 'd1 d2', us: 'd3', eu2: 'd1', eu3: '' },
  );
});

async function deletesIn(lake: Lake): Promise<string> {
  const metadata = await load(lake);
  const manifests = (await manifestsOf(lake, metadata)).filter((one) => one.content === 'deletes');
  const entries = await Promise.all(manifests.map((one) => readManifest(lake.store, metadata, one)));
  return entries
    .flat()
    .filter((one) => one.status !== 'deleted')
    .map((one) => one.file.path.replace(/^.*\/(.*)\.parquet$/, '$1'))
    .sort()
    .join(' ');
}

test('a retry takes the manifests of new files as they are and renumbers them', async () => {
  const lake = createLake();
  await write(lake, { added: [file(lake, 'a')] });
  const prepared = await prepare(lake, { added: [file(lake, 'x')] });
  await write(lake, { added: [file(lake, 'b')] });
  const staged = await manifestsOf(lake, prepared.metadata);
  const { entry } = await commitChange(lake, ID, prepared);
  const listed = await manifestsOf(lake, entry.metadata);
  assert.equal(staged[0]?.path, listed[0]?.path);
  assert.deepEqual([staged[0]?.sequenceNumber, listed[0]?.sequenceNumber], [2n, 3n]);
  assert.equal(currentSnapshot(entry.metadata)?.summary['total-records'], '30');
});

test('committing twice does nothing the second time', async () => {
  const lake = createLake();
  const prepared = await prepare(lake, { added: [file(lake, 'a')], run: 'r1' });
  const first = await commitChange(lake, ID, prepared);
  await write(lake, { added: [file(lake, 'b')] });
  const second = await commitChange(lake, ID, prepared);
  assert.deepEqual([first.outcome, second.outcome], ['committed', 'already']);
  assert.equal(second.snapshot?.['snapshot-id'], prepared.snapshot?.['snapshot-id']);
  assert.equal(await names(lake), 'a b');
});

test('the same run prepared twice commits once', async () => {
  const lake = createLake();
  await write(lake, { added: [file(lake, 'a')] });
  const [one, other] = [
    await prepare(lake, { added: [file(lake, 'x')], run: 'r7' }),
    await prepare(lake, { added: [file(lake, 'y')], run: 'r7' }),
  ];
  await commitChange(lake, ID, one);
  const result = await commitChange(lake, ID, other);
  assert.equal(result.outcome, 'already');
  assert.equal(result.snapshot?.['snapshot-id'], one.snapshot?.['snapshot-id']);
  assert.equal(await names(lake), 'a x');
});

test('a new table: its own creation is found again, a rival one is a conflict', async () => {
  const lake = createLake();
  const [ours, rival, empty] = [
    await prepare(lake, { added: [file(lake, 'a')] }),
    await prepare(lake, { added: [file(lake, 'b')] }),
    await prepare(lake, {}),
  ];
  await commitChange(lake, ID, ours);
  assert.equal((await commitChange(lake, ID, ours)).outcome, 'already');
  await assert.rejects(commitChange(lake, ID, rival), /the table exists already/);
  await assert.rejects(commitChange(lake, ID, empty), /the table exists already/);
  assert.equal(await names(lake), 'a');
});

test('changes without a snapshot are found again', async () => {
  const lake = createLake();
  const created = await prepare(lake, {});
  assert.equal((await commitChange(lake, ID, created)).outcome, 'committed');
  assert.equal((await commitChange(lake, ID, created)).outcome, 'already');
  const table = await load(lake);
  const altered = alterSchema(table, [column('note', 'string')]);
  assert.ok(altered.kind === 'altered');
  const prepared = await prepare(lake, { alter: altered.change });
  assert.equal((await commitChange(lake, ID, prepared)).outcome, 'committed');
  assert.equal((await commitChange(lake, ID, prepared)).outcome, 'already');
  assert.equal((await load(lake)).schemas.length, 2);
});

test('a schema change prepared on a schema that has changed since is a conflict', async () => {
  const lake = createLake();
  const table = await write(lake, { added: [file(lake, 'a')] });
  const [first, second] = ['x', 'y'].map((name) => alterSchema(table, [column(name, 'string')]));
  assert.ok(first?.kind === 'altered' && second?.kind === 'altered');
  const prepared = await prepare(lake, { alter: first.change, added: [file(lake, 'b')] });
  await write(lake, { alter: second.change });
  await assert.rejects(commitChange(lake, ID, prepared), /current schema id: got 1; expected 0/);
});

test('a table that was dropped does not come back by a retry', async () => {
  const lake = createLake();
  await write(lake, { added: [file(lake, 'a')] });
  const prepared = await prepare(lake, { added: [file(lake, 'b')] });
  await lake.catalog.drop(ID);
  await assert.rejects(commitChange(lake, ID, prepared), /the table is gone/);
});

async function preparedOnTable(lake: Lake): Promise<Prepared> {
  await write(lake, { added: [file(lake, 'a')] });
  return prepare(lake, { added: [file(lake, 'b')] });
}

test('no answer to a commit that happened: it is found, and made once', async () => {
  const lake = createLake();
  const prepared = await preparedOnTable(lake);
  const catalog = withCatalogFaults(lake.catalog, [{ operation: 'commit', call: 1, kind: 'unavailable-after' }]);
  const { outcome } = await commitChange({ ...lake, catalog }, ID, prepared);
  assert.equal(outcome, 'committed');
  assert.equal((await load(lake)).snapshots.length, 2);
  assert.equal(await names(lake), 'a b');
});

test('no answer to a commit that did not happen: it is made by the next attempt', async () => {
  const lake = createLake();
  const prepared = await preparedOnTable(lake);
  let calls = 0;
  const catalog = {
    ...lake.catalog,
    commit: async (...call: Parameters<Lake['catalog']['commit']>) => {
      calls += 1;
      if (calls === 1) throw new CommitStateUnknown('no answer');
      return lake.catalog.commit(...call);
    },
  };
  const { outcome } = await commitChange({ ...lake, catalog }, ID, prepared);
  assert.deepEqual([outcome, calls], ['committed', 2]);
  assert.equal(await names(lake), 'a b');
});

test('attempts are bounded, and each waits twice as long', async () => {
  for (const failure of [new CommitConflict('busy'), new CommitStateUnknown('no answer')]) {
    const lake = createLake();
    const prepared = await preparedOnTable(lake);
    const catalog = { ...lake.catalog, commit: () => Promise.reject(failure) };
    await assert.rejects(
      commitChange({ ...lake, catalog }, ID, prepared, { attempts: 4 }),
      (error: unknown) =>
        error instanceof Error && error.name === failure.name && /gave up after 4 attempts/.test(error.message),
    );
    assert.deepEqual(lake.waits, [50, 100, 200]);
  }
});

test('an error that is no conflict ends at once', async () => {
  const lake = createLake();
  const prepared = await preparedOnTable(lake);
  const catalog = { ...lake.catalog, commit: () => Promise.reject(new TypeError('broken')) };
  await assert.rejects(commitChange({ ...lake, catalog }, ID, prepared), TypeError);
  assert.deepEqual(lake.waits, []);
});

test('ten writers at once: every append is in the table once', async () => {
  const lake = createLake();
  await write(lake, { added: [file(lake, 'a')] });
  const all = await Promise.all(
    Array.from({ length: 10 }, (_, at) => prepare(lake, { added: [file(lake, `w${at}`)] })),
  );
  const results = await Promise.all(all.map((prepared) => commitChange(lake, ID, prepared, { attempts: 20 })));
  assert.ok(results.every((one) => one.outcome === 'committed'));
  assert.equal(await names(lake), 'a w0 w1 w2 w3 w4 w5 w6 w7 w8 w9');
  const table = await load(lake);
  assert.deepEqual(
    table.snapshots.map((one) => one['sequence-number']),
    Array.from({ length: 11 }, (_, at) => BigInt(at + 1)),
  );
});

test('killed at any write: a second process finishes the same prepared change', async () => {
  const writes: Fault<StoreOperation>[] = [];
  for (let call = 1; call <= 4; call += 1) {
    writes.push({ operation: 'write', call, kind: 'crash-before' }, { operation: 'write', call, kind: 'crash-after' });
  }
  for (const fault of writes) {
    const store = createMemoryStore();
    const lake = createLake(store);
    const prepared = renderPrepared(await preparedOnTable(lake));
    // Someone else's commit makes the first process rebase, so that it writes a manifest list too.
    await write(lake, { added: [file(lake, 'c')] });
    const dying = createLake(withStoreFaults(store, [fault]));
    await commitChange({ ...lake, store: dying.store, catalog: dying.catalog }, ID, parsePrepared(prepared)).catch(
      () => {},
    );
    const { outcome } = await commitChange(lake, ID, parsePrepared(prepared));
    assert.ok(outcome === 'committed' || outcome === 'already');
    assert.equal(await names(lake), 'a b c', JSON.stringify(fault));
    assert.equal((await load(lake)).snapshots.length, 3);
  }
});
