import assert from 'node:assert/strict';
import test from 'node:test';
import { CommitConflict, InvalidInput } from '../../lib/core/errors.ts';
import { alterSchema, alterSpec, setProperties } from '../../lib/iceberg/changes.ts';
import { renderMetadata } from '../../lib/iceberg/json.ts';
import { renderLossless } from '../../lib/iceberg/lossless.ts';
import { rollbackSpec } from '../../lib/iceberg/rollback-schema.ts';
import { currentSnapshot } from '../../lib/iceberg/snapshot.ts';
import { commitChange } from '../../lib/table/commit.ts';
import { formerSpecs } from '../../lib/table/former-specs.ts';
import { parsePrepared, prepareSnapshot, renderPrepared } from '../../lib/table/prepare.ts';
import { planFiles, readManifest } from '../../lib/table/read.ts';
import { column } from '../iceberg/arbitraries.ts';
import { createLake, file, ID, load, location, manifestsOf, names, prepare, write } from './lake.ts';

test('a prepared table is complete before it is published, and nobody sees it', async () => {
  const lake = createLake();
  const prepared = await prepare(lake, { added: [file(lake, 'a')], run: 'r1' });
  assert.equal(await lake.catalog.load(ID), undefined);
  assert.equal(await names(lake, prepared.metadata), 'a');
  const { metadata, ...rest } = parsePrepared(renderPrepared(prepared));
  assert.deepEqual({ ...rest, metadata: prepared.metadata }, prepared);
  assert.equal(await names(lake, metadata), 'a');
  const committed = await commitChange(lake, ID, parsePrepared(renderPrepared(prepared)));
  assert.equal(committed.outcome, 'committed');
  assert.deepEqual(await load(lake), prepared.metadata);
});

test('file names: manifests and lists carry the snapshot id and the attempt', async () => {
  const lake = createLake();
  const metadata = await write(lake, { added: [file(lake, 'a')] });
  const id = metadata['current-snapshot-id'];
  assert.match(
    currentSnapshot(metadata)?.['manifest-list'] ?? '',
    new RegExp(`^${location(lake)}/metadata/snap-${id}-1-u\\d+\\.avro$`),
  );
  const [manifest] = await manifestsOf(lake, metadata);
  assert.match(manifest?.path ?? '', new RegExp(`^${location(lake)}/metadata/${id}-u\\d+-m0\\.avro$`));
});

test('appends, overwrites, and what their summaries say', async () => {
  const lake = createLake();
  const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map((name, at) => file(lake, name, at < 2 ? 'EU' : 'US'));
  assert.ok(a && b && c && d && e);
  const first = await write(lake, { added: [a, b, c], run: 'r1' });
  assert.deepEqual(currentSnapshot(first)?.summary, {
    operation: 'append',
    'strata.run_id': 'r1',
    'added-data-files': '3',
    'added-records': '30',
    'added-files-size': '300',
    'changed-partition-count': '2',
    'total-records': '30',
    'total-data-files': '3',
    'total-files-size': '300',
    'total-delete-files': '0',
    'total-position-deletes': '0',
    'total-equality-deletes': '0',
    'manifests-created': '1',
    'manifests-kept': '0',
  });
  const second = await write(lake, { added: [d], remove: { kind: 'files', files: [a, c] }, run: 'r2' });
  assert.equal(await names(lake), 'b d');
  const { summary } = currentSnapshot(second) ?? { summary: {} as Record<string, string> };
  assert.equal(summary.operation, 'overwrite');
  assert.deepEqual(
    [
      'added-records',
      'deleted-records',
      'deleted-data-files',
      'removed-files-size',
      'total-records',
      'total-data-files',
      'total-files-size',
      'changed-partition-count',
    ].map((key) => summary[key]),
    ['10', '20', '2', '200', '20', '2', '200', '2'],
  );
  const third = await write(lake, { added: [e], remove: { kind: 'all' } });
  assert.equal(await names(lake), 'e');
  const fourth = await write(lake, { remove: { kind: 'all' } });
  assert.equal(await names(lake), '');
  assert.equal(currentSnapshot(fourth)?.summary.operation, 'delete');
  assert.equal(currentSnapshot(fourth)?.summary['total-records'], '0');
  // Every snapshot is still what it was.
  assert.equal(await names(lake, fourth, first['current-snapshot-id'] ?? 0n), 'a b c');
  assert.equal(await names(lake, fourth, second['current-snapshot-id'] ?? 0n), 'b d');
  assert.equal(await names(lake, fourth, third['current-snapshot-id'] ?? 0n), 'e');
});

test('whole partitions are replaced, null among them, and only their manifests are rewritten', async () => {
  const lake = createLake();
  await write(lake, { added: [file(lake, 'eu1'), file(lake, 'us1', 'US')] });
  await write(lake, { added: [file(lake, 'none', null)] });
  const before = await write(lake, { added: [file(lake, 'jp', 'JP')] });
  const after = await write(lake, {
    added: [file(lake, 'eu2'), file(lake, 'none2', null)],
    remove: { kind: 'partitions', tuples: [['EU'], [null]] },
  });
  assert.equal(await names(lake), 'eu2 jp none2 us1');
  const untouched = (await manifestsOf(lake, before)).map((one) => one.path).slice(0, 1);
  assert.ok((await manifestsOf(lake, after)).some((one) => one.path === untouched[0]));
});

test('deleted entries name the snapshot that deleted them, and are gone in the next one', async () => {
  const lake = createLake();
  const [a, b] = [file(lake, 'a'), file(lake, 'b')];
  const first = await write(lake, { added: [a, b] });
  const second = await write(lake, { remove: { kind: 'files', files: [a] } });
  const entries = async (metadata: typeof first) =>
    (await Promise.all((await manifestsOf(lake, metadata)).map((one) => readManifest(lake.store, metadata, one))))
      .flat()
      .map((one) => [one.status, one.file.path.at(-9), one.snapshotId, one.sequenceNumber, one.fileSequenceNumber]);
  assert.deepEqual(await entries(second), [
    ['deleted', 'a', second['current-snapshot-id'], 1n, 1n],
    ['existing', 'b', first['current-snapshot-id'], 1n, 1n],
  ]);
  const third = await write(lake, { added: [file(lake, 'c')] });
  assert.deepEqual(
    (await entries(third)).map(([status, name]) => [status, name]),
    [
      ['added', 'c'],
      ['existing', 'b'],
    ],
  );
});

test('no rows, no files: no snapshot, unless one is wanted', async () => {
  const lake = createLake();
  const empty = { ...file(lake, 'empty'), rows: 0n };
  const created = await write(lake, { added: [empty] });
  assert.equal(currentSnapshot(created), undefined);
  assert.deepEqual(await planFiles(lake.store, created), []);
  const marked = await write(lake, { emptySnapshot: true, run: 'r9' });
  assert.equal(currentSnapshot(marked)?.summary['strata.run_id'], 'r9');
  assert.deepEqual(await planFiles(lake.store, marked), []);
});

test('a schema change travels with the snapshot, and old files are read under it', async () => {
  const lake = createLake();
  const table = await write(lake, { added: [file(lake, 'a')] });
  const altered = alterSchema(table, [column('note', 'string')]);
  assert.ok(altered.kind === 'altered');
  const next = await write(lake, { alter: altered.change, added: [file(lake, 'b')] });
  assert.equal(currentSnapshot(next)?.['schema-id'], 1);
  assert.equal(await names(lake), 'a b');
});

test('after a change of partitioning old files stay, but whole partitions cannot be replaced', async () => {
  const lake = createLake();
  const table = await write(lake, { added: [file(lake, 'a')] });
  const change = alterSpec(table, [{ column: 'id', transform: { kind: 'bucket', width: 4 } }]);
  assert.ok(change);
  await write(lake, { alter: change, added: [{ ...file(lake, 'b'), specId: 1, partition: [2] }] });
  assert.equal(await names(lake), 'a b');
  await assert.rejects(prepare(lake, { remove: { kind: 'partitions', tuples: [[2]] } }), InvalidInput);
  await write(lake, { remove: { kind: 'all' } });
  assert.equal(await names(lake), '');
});

test('removing a file that is not there, or using names again, is a conflict', async () => {
  const lake = createLake();
  await write(lake, { added: [file(lake, 'a')] });
  await assert.rejects(prepare(lake, { remove: { kind: 'files', files: [file(lake, 'b')] } }), CommitConflict);
  await assert.rejects(prepare(lake, { remove: { kind: 'files', files: [file(lake, 'a', 'US')] } }), CommitConflict);
  const again = { ...lake, ids: { ...lake.ids, unique: () => 'same', snapshot: () => 5n } };
  await prepare(again, { added: [file(lake, 'b')] });
  await assert.rejects(prepare(again, { added: [file(lake, 'c')] }), /another attempt wrote .*5-same-m0\.avro/);
});

test('a table cannot come to be without being described', async () => {
  const { store } = createLake();
  const input = { base: undefined, added: [], remove: { kind: 'nothing' }, summary: {} } as const;
  const prepared = prepareSnapshot(store, { ...input, snapshotId: 1n, nowMs: 0, unique: 'u' });
  await assert.rejects(prepared, InvalidInput);
});

test('scans prune by partition and refuse a snapshot that is not there', async () => {
  const lake = createLake();
  const table = await write(lake, { added: [file(lake, 'eu'), file(lake, 'us', 'US'), file(lake, 'none', null)] });
  const plan = async (predicate: Parameters<typeof planFiles>[2]) =>
    (await planFiles(lake.store, table, predicate)).length;
  assert.equal(await plan({ predicates: [{ column: 'region', op: '=', value: 'EU' }] }), 1);
  assert.equal(await plan({ predicates: [{ column: 'region', op: 'isNull' }] }), 1);
  assert.equal(await plan({ predicates: [{ column: 'region', op: 'in', values: ['EU', 'US'] }] }), 2);
  assert.equal(await plan({ predicates: [{ column: 'region', op: '=', value: 'XX' }] }), 0);
  await assert.rejects(plan({ snapshotId: 1n }), /has no snapshot 1/);
});

test('properties change without a snapshot', async () => {
  const lake = createLake();
  const table = await write(lake, { added: [file(lake, 'a')] });
  const next = await write(lake, { alter: setProperties(table, { owner: 'me' }) });
  assert.deepEqual(next.properties, { owner: 'me' });
  assert.equal(next['current-snapshot-id'], table['current-snapshot-id']);
});

test('what a prepared snapshot takes does not grow with the history of its table, and nothing of that is lost', async () => {
  const lake = createLake();
  const sizes: number[] = [];
  for (let commit = 1; commit <= 30; commit += 1) {
    const prepared = await prepare(lake, { added: [file(lake, `f${commit}`)], run: `r${commit}` });
    const text = renderPrepared(prepared);
    sizes.push(text.length);
    const { entry } = await commitChange(lake, ID, parsePrepared(text));
    assert.deepEqual(entry.metadata, prepared.metadata);
    assert.equal(renderMetadata(entry.metadata), renderMetadata(prepared.metadata));
  }
  assert.ok((sizes[29] ?? 0) < (sizes[2] ?? 0) * 1.05, sizes.join(' '));
  assert.equal((await load(lake)).snapshots.length, 30);
});

test('a prepared snapshot of an earlier release, with all of its table, is committed as well', async () => {
  const lake = createLake();
  await write(lake, { added: [file(lake, 'a')], run: 'r1' });
  const prepared = await prepare(lake, { added: [file(lake, 'b')], run: 'r2' });
  const { outcome, entry } = await commitChange(lake, ID, parsePrepared(renderLossless(prepared)));
  assert.equal(outcome, 'committed');
  assert.deepEqual(entry.metadata, prepared.metadata);
});

test('all small manifests are merged in a snapshot of their own, which changes no file; also beside another change', async () => {
  const lake = createLake();
  const properties = { 'commit.manifest-merge.enabled': 'false', 'commit.manifest.min-count-to-merge': '3' };
  const [first, ...others] = ['a', 'b', 'c', 'd'].map((name) => file(lake, name, name === 'a' ? 'EU' : 'US'));
  assert.ok(first);
  await write(lake, { added: [first], properties });
  for (const one of others) await write(lake, { added: [one] });
  const before = await load(lake);
  assert.equal(currentSnapshot(before)?.summary['manifests-created'], '1');
  assert.equal(currentSnapshot(before)?.summary['manifests-kept'], '3');
  const entriesOf = async (metadata: typeof before) => {
    const manifests = await manifestsOf(lake, metadata);
    const entries = (await Promise.all(manifests.map((one) => readManifest(lake.store, metadata, one)))).flat();
    return entries.map(({ file: { path }, snapshotId, sequenceNumber }) => [path, snapshotId, sequenceNumber]).sort();
  };
  const was = await entriesOf(before);
  const merging = await prepare(lake, { rewrite: true, mergeAll: true, run: 'm' });
  await write(lake, { added: [file(lake, 'e')], run: 'beside' });
  const { outcome, snapshot } = await commitChange(lake, ID, parsePrepared(renderPrepared(merging)));
  assert.equal(outcome, 'committed');
  const merged = await load(lake);
  assert.equal(await names(lake), 'a b c d e');
  assert.equal((await manifestsOf(lake, merged)).length, 1);
  assert.deepEqual((await entriesOf(merged)).slice(0, 4), was);
  assert.deepEqual(
    ['operation', 'added-data-files', 'total-data-files', 'total-records', 'manifests-created', 'manifests-kept'].map(
      (name) => snapshot?.summary[name],
    ),
    ['replace', undefined, '5', '50', '1', '0'],
  );
});

test('the spec that files of a snapshot have; a table without files goes by those beside it', async () => {
  const lake = createLake();
  const first = await write(lake, { added: [file(lake, 'eu')] });
  const empty = await write(lake, { remove: { kind: 'all' } });
  const alter = alterSpec(empty, [{ column: 'id', transform: { kind: 'bucket', width: 2 } }]);
  assert.ok(alter);
  const metadata = await write(lake, { alter, added: [{ ...file(lake, 'x'), specId: 1, partition: [0] }] });
  const at = (one: typeof metadata) => ({ metadata, snapshotId: one['current-snapshot-id'] ?? assert.fail() });
  const idsOf = async (...tables: ReturnType<typeof at>[]) =>
    (await formerSpecs(lake.store, tables)).map((spec) => spec?.['spec-id']);
  assert.deepEqual(await idsOf(at(first), at(empty)), [0, 0]);
  assert.deepEqual(await idsOf(at(empty), at(metadata)), [1, 1]);
  assert.deepEqual(await idsOf(at(empty)), [undefined]);
  assert.equal((await write(lake, { alter: rollbackSpec(metadata, 0) ?? assert.fail() }))['default-spec-id'], 0);
  assert.equal(rollbackSpec(metadata, 1), undefined);
});
