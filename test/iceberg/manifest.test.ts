import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { avroMetadata, avroRead } from 'icebird';
import { UnreadableTable } from '../../lib/core/errors.ts';
import type { PartitionField } from '../../lib/core/spec.ts';
import { decodeAvro, encodeAvro } from '../../lib/iceberg/avro.ts';
import { sanitizeName } from '../../lib/iceberg/avro-schema.ts';
import { decodeManifest, encodeManifest } from '../../lib/iceberg/manifest.ts';
import { decodeManifestList, encodeManifestList, manifestFileOf } from '../../lib/iceberg/manifest-list.ts';
import { partitionSpecOf, resolveSpec } from '../../lib/iceberg/partition.ts';
import { schemaOf } from '../../lib/iceberg/schema.ts';
import type { IcebergValue, ManifestEntry, ManifestFile, Schema } from '../../lib/iceberg/types.ts';
import { column, primitiveTypes, valuesOf } from './arbitraries.ts';

const SCHEMA = schemaOf([
  column('order id', 'string'),
  column('ts', 'timestamptz'),
  column('day', 'date'),
  column('amount', 'decimal(20,4)'),
  column('n', 'bigint'),
]).schema;

const SPEC = partitionSpecOf(
  [
    { column: 'order id', transform: { kind: 'identity' } },
    { column: 'ts', transform: { kind: 'identity' } },
    { column: 'day', transform: { kind: 'day' } },
    { column: 'n', transform: { kind: 'bucket', width: 4 } },
  ],
  SCHEMA,
).spec;

const LISTED: ManifestFile = {
  path: 's3://b/t/metadata/m0.avro',
  length: 10n,
  specId: 0,
  content: 'data',
  sequenceNumber: 7n,
  minSequenceNumber: 7n,
  addedSnapshotId: 9223372036854775807n,
  addedFiles: 1,
  existingFiles: 0,
  deletedFiles: 0,
  addedRows: 1n,
  existingRows: 0n,
  deletedRows: 0n,
  partitions: [],
};

function entry(partition: readonly IcebergValue[], change: Partial<ManifestEntry> = {}): ManifestEntry {
  return {
    status: 'added',
    snapshotId: null,
    sequenceNumber: null,
    fileSequenceNumber: null,
    file: {
      path: 's3://b/t/data/ö.parquet',
      specId: 0,
      partition,
      rows: 9007199254740993n,
      bytes: 5n,
      columnSizes: new Map([[1, 4n]]),
      valueCounts: new Map([[1, 9007199254740993n]]),
      nullCounts: new Map([[1, 0n]]),
      nanCounts: new Map(),
      lowerBounds: new Map([[1, Uint8Array.of(1, 2)]]),
      upperBounds: new Map([[1, Uint8Array.of()]]),
      sortOrderId: 1,
    },
    ...change,
  };
}

const TUPLE: readonly IcebergValue[] = ['a/b é', -1n, -1, 3];

test('entries come back, with what an added one inherits', () => {
  const kept = entry([null, null, null, null], {
    status: 'existing',
    snapshotId: 3n,
    sequenceNumber: 2n,
    fileSequenceNumber: 1n,
  });
  const bytes = encodeManifest({ entries: [entry(TUPLE), kept], schema: SCHEMA, spec: SPEC });
  assert.deepEqual(decodeManifest(bytes, LISTED, resolveSpec(SPEC, SCHEMA)), [
    { ...entry(TUPLE), snapshotId: LISTED.addedSnapshotId, sequenceNumber: 7n, fileSequenceNumber: 7n },
    kept,
  ]);
});

test('equal entries give equal bytes', () => {
  const encode = () => encodeManifest({ entries: [entry(TUPLE)], schema: SCHEMA, spec: SPEC });
  assert.deepEqual(encode(), encode());
});

test('the Avro file is what the specification asks for', () => {
  const bytes = encodeManifest({ entries: [entry(TUPLE)], schema: SCHEMA, spec: SPEC });
  const { header } = decodeAvro(bytes, (_, name) => name);
  assert.deepEqual([...header.keys()].sort(), [
    'avro.codec',
    'avro.schema',
    'content',
    'format-version',
    'iceberg.schema',
    'partition-spec',
    'partition-spec-id',
    'schema',
    'schema-id',
  ]);
  assert.equal(header.get('content'), 'data');
  assert.deepEqual(JSON.parse(header.get('partition-spec') ?? ''), SPEC.fields);
  assert.deepEqual(JSON.parse(header.get('schema') ?? ''), SCHEMA);
  const schema = JSON.parse(header.get('avro.schema') ?? '');
  const file = schema.fields.find((field: { name: string }) => field.name === 'data_file').type;
  const partition = file.fields.find((field: { name: string }) => field.name === 'partition').type;
  assert.deepEqual(partition, {
    type: 'record',
    name: 'r102',
    fields: [
      {
        name: 'order_x20id',
        'iceberg-field-name': 'order id',
        type: ['null', 'string'],
        default: null,
        'field-id': 1000,
      },
      {
        name: 'ts',
        type: ['null', { type: 'long', logicalType: 'timestamp-micros', 'adjust-to-utc': true }],
        default: null,
        'field-id': 1001,
      },
      { name: 'day_day', type: ['null', { type: 'int', logicalType: 'date' }], default: null, 'field-id': 1002 },
      { name: 'n_bucket', type: ['null', 'int'], default: null, 'field-id': 1003 },
    ],
  });
  assert.deepEqual(
    file.fields.find((field: { name: string }) => field.name === 'lower_bounds'),
    {
      name: 'lower_bounds',
      type: [
        'null',
        {
          type: 'array',
          logicalType: 'map',
          items: {
            type: 'record',
            name: 'k126_v127',
            fields: [
              { name: 'key', type: 'int', 'field-id': 126 },
              { name: 'value', type: 'bytes', 'field-id': 127 },
            ],
          },
        },
      ],
      default: null,
      'field-id': 125,
    },
  );
});

test('every partition value survives', () => {
  const cases = primitiveTypes.chain((type) =>
    fc.record({ type: fc.constant(type), values: fc.array(fc.option(valuesOf(type)), { minLength: 1, maxLength: 4 }) }),
  );
  fc.assert(
    fc.property(cases, ({ type, values }) => {
      const schema: Schema = {
        type: 'struct',
        'schema-id': 0,
        fields: [{ id: 1, name: '1 "é"', required: false, type }],
      };
      const by: PartitionField[] = [{ column: '1 "é"', transform: { kind: 'identity' } }];
      const { spec } = partitionSpecOf(by, schema);
      const bytes = encodeManifest({ entries: values.map((value) => entry([value])), schema, spec });
      const decoded = decodeManifest(bytes, LISTED, resolveSpec(spec, schema));
      assert.deepEqual(
        decoded.map((one) => one.file.partition[0]),
        values,
      );
    }),
    { numRuns: 200 },
  );
});

test('a long column reads a manifest of when it was an int', () => {
  const before: Schema = {
    type: 'struct',
    'schema-id': 0,
    fields: [{ id: 1, name: 'n', required: false, type: 'int' }],
  };
  const after: Schema = {
    type: 'struct',
    'schema-id': 1,
    fields: [{ id: 1, name: 'n', required: false, type: 'long' }],
  };
  const { spec } = partitionSpecOf([{ column: 'n', transform: { kind: 'identity' } }], before);
  const bytes = encodeManifest({ entries: [entry([5])], schema: before, spec });
  assert.deepEqual(decodeManifest(bytes, LISTED, resolveSpec(spec, after))[0]?.file.partition, [5n]);
});

test('a manifest list comes back, with the summaries of its manifests', () => {
  const fields = resolveSpec(SPEC, SCHEMA);
  const entries = [
    entry(TUPLE),
    entry(['z'.repeat(20), 5n, 9, null]),
    entry(['b', null, 2, 0], { status: 'deleted', snapshotId: 4n, sequenceNumber: 1n, fileSequenceNumber: 1n }),
    entry(['c', 0n, 0, 0], { status: 'existing', snapshotId: 4n, sequenceNumber: 3n, fileSequenceNumber: 3n }),
  ];
  const manifest = manifestFileOf({
    path: 'p',
    length: 12,
    specId: 0,
    fields,
    entries,
    snapshotId: 8n,
    sequenceNumber: 5n,
  });
  assert.deepEqual(
    { ...manifest, partitions: manifest.partitions.slice(0, 2) },
    {
      path: 'p',
      length: 12n,
      specId: 0,
      content: 'data',
      sequenceNumber: 5n,
      minSequenceNumber: 3n,
      addedSnapshotId: 8n,
      addedFiles: 2,
      existingFiles: 1,
      deletedFiles: 1,
      addedRows: 2n * 9007199254740993n,
      existingRows: 9007199254740993n,
      deletedRows: 9007199254740993n,
      partitions: [
        {
          containsNull: false,
          containsNan: false,
          lower: Uint8Array.from(Buffer.from('a/b é')),
          upper: Uint8Array.from(Buffer.from('z'.repeat(20))),
        },
        {
          containsNull: true,
          containsNan: false,
          lower: Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 255),
          upper: Uint8Array.of(5, 0, 0, 0, 0, 0, 0, 0),
        },
      ],
    },
  );
  const bytes = encodeManifestList({
    manifests: [manifest, LISTED],
    snapshotId: 8n,
    parentId: null,
    sequenceNumber: 5n,
  });
  assert.deepEqual(decodeManifestList(bytes), [manifest, LISTED]);
});

function readByIcebird(bytes: Uint8Array): Record<string, unknown>[] {
  const reader = { view: new DataView(Uint8Array.from(bytes).buffer), offset: 0 };
  const { metadata, syncMarker } = avroMetadata(reader);
  return avroRead({ reader, metadata, syncMarker });
}

test('icebird reads both', () => {
  const [row] = readByIcebird(encodeManifest({ entries: [entry(TUPLE)], schema: SCHEMA, spec: SPEC }));
  assert.equal(row?.['status'], 1);
  assert.equal(row?.['snapshot_id'], undefined);
  const file = row?.['data_file'] as Record<string, unknown>;
  assert.equal(file['file_path'], 's3://b/t/data/ö.parquet');
  assert.equal(file['record_count'], 9007199254740993n);
  assert.deepEqual(file['value_counts'], [{ key: 1, value: 9007199254740993n }]);
  const partition = file['partition'] as Record<string, unknown>;
  assert.equal(partition['order_x20id'], 'a/b é');
  assert.equal(partition['n_bucket'], 3);
  const [listed] = readByIcebird(
    encodeManifestList({ manifests: [LISTED], snapshotId: 8n, parentId: 7n, sequenceNumber: 5n }),
  );
  assert.equal(listed?.['manifest_path'], LISTED.path);
  assert.equal(listed?.['added_snapshot_id'], 9223372036854775807n);
});

test('many entries are deflated, in blocks, and read by both', () => {
  const entries = Array.from({ length: 2500 }, (_, at) => entry([`r${at}`, BigInt(at), at, at % 4]));
  const bytes = encodeManifest({ entries, schema: SCHEMA, spec: SPEC });
  assert.equal(decodeAvro(bytes, (_, name) => name).header.get('avro.codec'), 'deflate');
  assert.equal(readByIcebird(bytes).length, 2500);
  const decoded = decodeManifest(bytes, LISTED, resolveSpec(SPEC, SCHEMA));
  assert.deepEqual(
    decoded.map((one) => one.file),
    entries.map((one) => one.file),
  );
});

test('Avro names', () => {
  const cases = [
    ['plain_1', 'plain_1'],
    ['1st', '_1st'],
    ['order id', 'order_x20id'],
    ['é', '_xE9'],
    ['a-b', 'a_x2Db'],
    ['😀', '_xD83D_xDE00'],
  ];
  for (const [name, expected] of cases) assert.equal(sanitizeName(name ?? ''), expected);
});

test('a manifest of delete files comes back as one', () => {
  const fields = resolveSpec(SPEC, SCHEMA);
  const bytes = encodeManifest({ entries: [entry(TUPLE)], schema: SCHEMA, spec: SPEC, content: 'deletes' });
  assert.equal(decodeAvro(bytes, (_, name) => name).header.get('content'), 'deletes');
  const [row] = readByIcebird(bytes);
  assert.equal((row?.['data_file'] as Record<string, unknown> | undefined)?.['content'], 1);
  const listed: ManifestFile = { ...LISTED, content: 'deletes' };
  assert.deepEqual(
    decodeManifest(bytes, listed, fields).map(({ file }) => file),
    [entry(TUPLE).file],
  );
  const list = encodeManifestList({ manifests: [listed, LISTED], snapshotId: 8n, parentId: null, sequenceNumber: 5n });
  assert.deepEqual(decodeManifestList(list), [listed, LISTED]);
});

test('files that we do not read are named', () => {
  const schema = (content: number, extra: object = {}) => [
    {
      type: 'record',
      name: 'manifest_file',
      fields: [
        { name: 'any_path', type: 'string', 'field-id': 500 },
        { name: 'content', type: 'int', 'field-id': 517 },
      ],
    },
    { any_path: 's3://x/deletes.avro', content, ...extra },
  ];
  const [avro, row] = schema(2);
  const bytes = encodeAvro(avro as object as never, [row as never], {});
  assert.throws(() => decodeManifestList(bytes), {
    name: 'UnreadableTable',
    message: /deletes.avro: got content 2; expected 0 or 1/,
  });
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ content: 2 }, /equality deletes.*does not read.*rewrite_data_files.*OPTIMIZE/],
    [{ content: 1, file_format: 'PUFFIN' }, /deletion vectors.*format version 3.*does not read.*format version 2/],
    [{ file_format: 'orc' }, /is an ORC file.*does not read.*write.format.default.*rewrite_data_files/],
    [{ file_format: 'AVRO' }, /is an Avro file.*does not read.*write.format.default.*rewrite_data_files/],
    [{ key_metadata: Buffer.of(1) }, /is encrypted.*does not read.*without encryption/],
    [{ file_format: 'LANCE' }, /got format LANCE; expected PARQUET/],
    [{ content: 1 }, /got content 1 for .*; expected 0/],
  ];
  const live = encodeManifest({ entries: [entry(TUPLE)], schema: SCHEMA, spec: SPEC });
  for (const [change, message] of cases) {
    for (const status of [1, 2]) {
      const { header, rows } = decodeAvro(live, (_, name) => name);
      const changed = rows.map((one) => ({
        ...one,
        status,
        data_file: { ...(one['data_file'] as object), ...change },
      }));
      const unread = encodeAvro(JSON.parse(header.get('avro.schema') ?? ''), changed, {});
      const decode = () => decodeManifest(unread, LISTED, resolveSpec(SPEC, SCHEMA));
      // Of a file that is gone it does not matter what it was.
      if (status === 2) assert.equal(decode()[0]?.status, 'deleted');
      else assert.throws(decode, { name: 'UnreadableTable', message });
    }
  }
  const good = encodeManifest({ entries: [entry(TUPLE)], schema: SCHEMA, spec: SPEC });
  for (const damaged of [
    good.slice(0, 3),
    good.slice(0, -1),
    good.slice(0, -40),
    Uint8Array.of(),
    Uint8Array.from(good, (byte, at) => (at > good.length - 60 ? byte ^ 1 : byte)),
  ]) {
    assert.throws(() => decodeManifest(damaged, LISTED, resolveSpec(SPEC, SCHEMA)), UnreadableTable);
  }
});
