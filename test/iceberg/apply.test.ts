import assert from 'node:assert/strict';
import test, { describe } from 'node:test';
import { CommitConflict, UnreadableTable } from '../../lib/core/errors.ts';
import type { Renamed } from '../../lib/core/renames.ts';
import { applyChange, checkRequirements } from '../../lib/iceberg/apply.ts';
import {
  addSnapshot,
  alterSchema,
  alterSpec,
  type Change,
  createTable,
  joinChanges,
  type NewTable,
  setProperties,
  type Update,
} from '../../lib/iceberg/changes.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { PREVIOUS_VERSIONS_MAX } from '../../lib/iceberg/metadata-files.ts';
import { renameInMapping, withRenamed } from '../../lib/iceberg/rename.ts';
import { currentSchema, schemaById } from '../../lib/iceberg/schema.ts';
import { asOf, findRun, snapshotsSince } from '../../lib/iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../../lib/iceberg/types.ts';
import { column } from './arbitraries.ts';

const NEW: NewTable = {
  uuid: 'u-1',
  location: 's3://b/t',
  columns: [column('ts', 'timestamp'), column('id', 'int')],
  partitionBy: [{ column: 'ts', transform: { kind: 'month' } }],
  sortBy: ['id'],
  properties: { owner: 'me' },
};

const create = (table: Partial<NewTable> = {}): TableMetadata =>
  applyChange(createTable({ ...NEW, ...table }), undefined, 1000);

function snapshot(table: TableMetadata, id: bigint, runId = `run-${id}`): Snapshot {
  const parent = table['current-snapshot-id'] ?? null;
  return {
    'snapshot-id': id,
    ...(parent === null ? {} : { 'parent-snapshot-id': parent }),
    'sequence-number': table['last-sequence-number'] + 1n,
    'timestamp-ms': table['last-updated-ms'],
    'manifest-list': `s3://b/t/metadata/snap-${id}.avro`,
    summary: { operation: 'append', 'strata.run_id': runId },
    'schema-id': table['current-schema-id'],
  };
}

function withSnapshots(table: TableMetadata, ...ids: readonly bigint[]): TableMetadata {
  let current = table;
  for (const id of ids) {
    const now = current['last-updated-ms'] + 10n;
    const next = { ...snapshot(current, id), 'timestamp-ms': now };
    current = applyChange(addSnapshot(current, next), current, Number(now), `s3://b/t/metadata/v${id}.json`);
  }
  return current;
}

test('a new table', () => {
  const table = create();
  assert.deepEqual(table, {
    'format-version': 2,
    'table-uuid': 'u-1',
    location: 's3://b/t',
    'last-sequence-number': 0n,
    'last-updated-ms': 1000n,
    'last-column-id': 2,
    schemas: [
      {
        type: 'struct',
        'schema-id': 0,
        fields: [
          { id: 1, name: 'ts', required: false, type: 'timestamp' },
          { id: 2, name: 'id', required: false, type: 'int' },
        ],
      },
    ],
    'current-schema-id': 0,
    'partition-specs': [
      { 'spec-id': 0, fields: [{ 'source-id': 1, 'field-id': 1000, name: 'ts_month', transform: 'month' }] },
    ],
    'default-spec-id': 0,
    'last-partition-id': 1000,
    properties: { owner: 'me' },
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
    'sort-orders': [
      {
        'order-id': 1,
        fields: [{ transform: 'identity', 'source-id': 2, direction: 'asc', 'null-order': 'nulls-last' }],
      },
    ],
    'default-sort-order-id': 1,
  });
  assert.deepEqual(parseMetadata(renderMetadata(table)), table);
});

test('an unpartitioned, unsorted table', () => {
  const table = create({ partitionBy: [], sortBy: [] });
  assert.deepEqual(table['partition-specs'], [{ 'spec-id': 0, fields: [] }]);
  assert.deepEqual(table['sort-orders'], [{ 'order-id': 0, fields: [] }]);
  assert.equal(table['default-sort-order-id'], 0);
  assert.equal(table['last-partition-id'], 999);
});

test('requirements: what each one says when it fails', () => {
  const table = withSnapshots(create(), 7n);
  const cases: readonly (readonly [Change['requirements'][number], TableMetadata | undefined, RegExp | undefined])[] = [
    [{ type: 'assert-create' }, undefined, undefined],
    [{ type: 'assert-create' }, table, /exists already/],
    [{ type: 'assert-table-uuid', uuid: 'u-1' }, table, undefined],
    [{ type: 'assert-table-uuid', uuid: 'u-2' }, table, /got u-1; expected u-2/],
    [{ type: 'assert-table-uuid', uuid: 'u-1' }, undefined, /does not exist/],
    [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': 7n }, table, undefined],
    [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': null }, table, /got 7; expected null/],
    [{ type: 'assert-ref-snapshot-id', ref: 'audit', 'snapshot-id': null }, table, undefined],
    [{ type: 'assert-ref-snapshot-id', ref: 'main', 'snapshot-id': null }, create(), undefined],
    [{ type: 'assert-last-assigned-field-id', 'last-assigned-field-id': 3 }, table, /got 2; expected 3/],
    [{ type: 'assert-current-schema-id', 'current-schema-id': 1 }, table, /got 0; expected 1/],
    [{ type: 'assert-last-assigned-partition-id', 'last-assigned-partition-id': 1001 }, table, /got 1000/],
    [{ type: 'assert-default-spec-id', 'default-spec-id': 0 }, table, undefined],
    [{ type: 'assert-default-sort-order-id', 'default-sort-order-id': 0 }, table, /got 1; expected 0/],
  ];
  for (const [requirement, metadata, message] of cases) {
    const change: Change = { requirements: [requirement], updates: [] };
    const failure = checkRequirements(change, metadata);
    if (message === undefined) assert.equal(failure, undefined, requirement.type);
    else {
      assert.match(failure ?? '', message);
      assert.throws(() => applyChange(change, metadata, 0), CommitConflict);
    }
  }
});

test('a schema evolves, its ids grow, and old schemas stay', () => {
  const table = create();
  const altered = alterSchema(table, [column('id', 'bigint'), column('ts', 'timestamp'), column('note', 'string')]);
  assert.ok(altered.kind === 'altered');
  const next = applyChange(altered.change, table, 2000);
  assert.equal(next['current-schema-id'], 1);
  assert.equal(next['last-column-id'], 3);
  assert.deepEqual(
    next.schemas[1]?.fields.map((field) => [field.id, field.name, field.type]),
    [
      [1, 'ts', 'timestamp'],
      [2, 'id', 'long'],
      [3, 'note', 'string'],
    ],
  );
  assert.equal(next.schemas[0], table.schemas[0]);
  assert.equal(alterSchema(next, [column('note', 'string')]).kind, 'same');
  assert.throws(() => applyChange(altered.change, next, 3000), CommitConflict);
});

test('a spec evolves, a field keeps its id for life, an earlier spec is used again', () => {
  const table = create();
  const bucket = { column: 'id', transform: { kind: 'bucket', width: 4 } } as const;
  assert.equal(alterSpec(table, NEW.partitionBy), undefined);
  const change = alterSpec(table, [bucket, ...NEW.partitionBy]);
  assert.ok(change);
  const next = applyChange(change, table, 2000);
  assert.deepEqual(next['partition-specs'][1], {
    'spec-id': 1,
    fields: [
      { 'source-id': 2, 'field-id': 1001, name: 'id_bucket', transform: 'bucket[4]' },
      { 'source-id': 1, 'field-id': 1000, name: 'ts_month', transform: 'month' },
    ],
  });
  assert.equal(next['last-partition-id'], 1001);
  const back = alterSpec(next, NEW.partitionBy);
  assert.ok(back);
  const last = applyChange(back, next, 3000);
  assert.equal(last['default-spec-id'], 0);
  assert.equal(last['partition-specs'].length, 2);
});

test('snapshots: current, main, log and sequence move together; the log of metadata files is trimmed', () => {
  const table = withSnapshots(create({ properties: { [PREVIOUS_VERSIONS_MAX]: '2' } }), 5n, 6n, 7n);
  assert.equal(table['current-snapshot-id'], 7n);
  assert.deepEqual(table.refs, { main: { 'snapshot-id': 7n, type: 'branch' } });
  assert.equal(table['last-sequence-number'], 3n);
  assert.deepEqual(table['snapshot-log'], [
    { 'timestamp-ms': 1010n, 'snapshot-id': 5n },
    { 'timestamp-ms': 1020n, 'snapshot-id': 6n },
    { 'timestamp-ms': 1030n, 'snapshot-id': 7n },
  ]);
  assert.deepEqual(table['metadata-log'], [
    { 'timestamp-ms': 1010n, 'metadata-file': 's3://b/t/metadata/v6.json' },
    { 'timestamp-ms': 1020n, 'metadata-file': 's3://b/t/metadata/v7.json' },
  ]);
  assert.equal(findRun(table, 'run-6')?.['snapshot-id'], 6n);
  assert.equal(findRun(table, 'run-9'), undefined);
  assert.equal(asOf(table, { time: 1025 })['snapshot-id'], 6n);
  assert.equal(asOf(table, { time: 1030 })['snapshot-id'], 7n);
  assert.equal(asOf(table, { runId: 'run-5' })['snapshot-id'], 5n);
  assert.equal(asOf(table, { snapshotId: 5n })['snapshot-id'], 5n);
  assert.throws(() => asOf(table, { time: 1009 }), /no snapshot of the time 1009 ms/);
  assert.throws(() => asOf(table, { snapshotId: 1n }), /the latest are 5, 6, 7/);
  const ids = (base: bigint | null) => snapshotsSince(table, base)?.map((one) => one['snapshot-id']);
  assert.deepEqual(ids(5n), [7n, 6n]);
  assert.deepEqual(ids(7n), []);
  assert.deepEqual(ids(null), [7n, 6n, 5n]);
  assert.equal(ids(99n), undefined);
});

test('properties', () => {
  const table = create();
  const change = joinChanges(setProperties(table, { a: '1' }), {
    requirements: [],
    updates: [{ action: 'remove-properties', removals: ['owner', 'absent'] }],
  });
  assert.deepEqual(applyChange(change, table, 2000).properties, { a: '1' });
});

test("the table's clock never runs backwards", () => {
  const table = create();
  assert.equal(applyChange(setProperties(table, { a: '1' }), table, 5)['last-updated-ms'], 1000n);
});

test('a change that would break an invariant is refused by its name', () => {
  const table = withSnapshots(create(), 5n);
  const first = table.schemas[0];
  assert.ok(first);
  const other = { ...snapshot(table, 9n), 'timestamp-ms': 1n };
  const cases: readonly (readonly [readonly Update[], RegExp])[] = [
    [[{ action: 'assign-uuid', uuid: 'u-2' }], /the uuid never changes/],
    [[{ action: 'set-location', location: 's3://elsewhere' }], /the location never changes/],
    [[{ action: 'add-schema', schema: first, 'last-column-id': 2 }], /ids name one schema/],
    [
      [
        {
          action: 'add-schema',
          schema: { ...first, 'schema-id': 1, fields: [{ id: 0, name: 'z', required: false, type: 'int' }] },
          'last-column-id': 2,
        },
      ],
      /field ids are never reused/,
    ],
    [
      [
        {
          action: 'add-schema',
          schema: { ...first, 'schema-id': 1, fields: [{ id: 9, name: 'z', required: false, type: 'int' }] },
          'last-column-id': 8,
        },
      ],
      /unique in a schema and counted/,
    ],
    [[{ action: 'set-current-schema', 'schema-id': 4 }], /current ids are known/],
    [[{ action: 'set-default-spec', 'spec-id': 4 }], /current ids are known/],
    [[{ action: 'add-snapshot', snapshot: { ...other, 'sequence-number': 1n } }], /new sequence numbers/],
    [[{ action: 'add-snapshot', snapshot: { ...other, 'schema-id': 4 } }], /known schemas/],
    [[{ action: 'add-snapshot', snapshot: { ...other, 'snapshot-id': 5n } }], /snapshot each/],
    [
      [{ action: 'set-snapshot-ref', 'ref-name': 'main', type: 'branch', 'snapshot-id': 99n }],
      /current snapshot exists/,
    ],
    [[{ action: 'remove-snapshots', 'snapshot-ids': [5n] }], /current snapshot exists/],
  ];
  for (const [updates, message] of cases) {
    assert.throws(
      () => applyChange({ requirements: [], updates }, table, 2000),
      (error: unknown) => error instanceof UnreadableTable && message.test(error.message),
      String(message),
    );
  }
  assert.ok(applyChange({ requirements: [], updates: [] }, table, 2000));
});

describe('columns that are renamed', () => {
  const mapping = JSON.stringify([
    { 'field-id': 1, names: ['ts'] },
    { 'field-id': 2, names: ['id'] },
  ]);
  const rename = (table: TableMetadata, wanted: Parameters<typeof alterSchema>[1], renamed: Renamed, whole = false) => {
    const altered = alterSchema(table, wanted, { whole, renamed });
    assert.equal(altered.kind, 'altered');
    return altered.kind === 'altered' ? applyChange(altered.change, table, 1001) : table;
  };
  const fields = (table: TableMetadata) => currentSchema(table).fields.map(({ id, name, type }) => [id, name, type]);

  test('keep their ids, and partitions and orders that use them', () => {
    const table = create();
    const next = rename(table, [column('at', 'timestamp'), column('id', 'bigint')], { at: ['when', 'ts'] });
    assert.deepEqual(fields(next), [
      [1, 'at', 'timestamp'],
      [2, 'id', 'long'],
    ]);
    assert.equal(alterSpec(next, [{ column: 'at', transform: { kind: 'month' } }]), undefined);
    assert.deepEqual(next['sort-orders'], table['sort-orders']);
    assert.equal(next.schemas.length, 2);
    assert.equal(alterSchema(next, [column('at', 'timestamp')], { renamed: { at: ['ts'] } }).kind, 'same');
  });

  test('also where the table takes the wanted columns alone', () => {
    const next = rename(create(), [column('at', 'timestamp')], { at: ['ts'] }, true);
    assert.deepEqual(fields(next), [[1, 'at', 'timestamp']]);
  });

  test('may differ by case alone', () => {
    assert.deepEqual(fields(rename(create(), [column('TS', 'timestamp')], { TS: ['ts'] }))[0], [1, 'TS', 'timestamp']);
  });

  test('leave their old names free, but for that of a partition field', () => {
    const table = create({ partitionBy: [{ column: 'id', transform: { kind: 'identity' } }] });
    const next = rename(table, [column('key', 'int')], { key: ['id'] });
    const again = alterSchema(next, [column('id', 'int')]);
    assert.deepEqual(again.kind === 'incompatible' ? again.columns.map((one) => one.column) : again.kind, ['id']);
    assert.deepEqual(fields(rename(next, [column('time', 'timestamp'), column('ts', 'int')], { time: ['ts'] })), [
      [1, 'time', 'timestamp'],
      [2, 'key', 'int'],
      [3, 'ts', 'int'],
    ]);
  });

  test('are found under both names in files without ids', () => {
    const table = create({ properties: { 'schema.name-mapping.default': mapping } });
    assert.deepEqual(renameInMapping(table, { at: ['ts'] }), {
      'schema.name-mapping.default': JSON.stringify([
        { 'field-id': 1, names: ['ts', 'at'] },
        { 'field-id': 2, names: ['id'] },
      ]),
    });
    assert.deepEqual(renameInMapping(table, {}), {});
    assert.deepEqual(renameInMapping(create(), { at: ['ts'] }), {});
  });

  test('are read under their new names before the table has them, and snapshots of before under the old ones', () => {
    const table = withSnapshots(create(), 1n);
    const named = withRenamed(table, { at: ['ts'] });
    assert.deepEqual(fields(named)[0], [1, 'at', 'timestamp']);
    assert.deepEqual(
      schemaById(named, named.snapshots[0]?.['schema-id'] ?? -1).fields.map(({ name }) => name),
      ['ts', 'id'],
    );
    assert.equal(withRenamed(table, undefined), table);
  });
});
