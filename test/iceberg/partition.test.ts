import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { PartitionField, Transform } from '../../lib/core/spec.ts';
import { partitionSpecOf, partitionTuple, partitionType } from '../../lib/iceberg/partition.ts';
import { parsePartitionPath, partitionFolder, partitionPath } from '../../lib/iceberg/partition-path.ts';
import { schemaOf } from '../../lib/iceberg/schema.ts';
import { acceptsType, applyTransform } from '../../lib/iceberg/transforms.ts';
import type { IcebergValue, Schema } from '../../lib/iceberg/types.ts';
import { compareValues } from '../../lib/iceberg/values.ts';
import { anyValue, column } from './arbitraries.ts';

const SCHEMA = schemaOf([
  column('ts', 'timestamp'),
  column('id', 'bigint'),
  column('name', 'string'),
  column('ts_month', 'int'),
  column('d', 'date'),
  column('price', 'decimal(9,2)'),
  column('tags', 'list<string>'),
]).schema;

const by = (name: string, transform: Transform): PartitionField => ({ column: name, transform });

test('names and ids of partition fields', () => {
  const { spec, lastPartitionId } = partitionSpecOf(
    [
      by('ts', { kind: 'month' }),
      by('id', { kind: 'bucket', width: 8 }),
      by('name', { kind: 'truncate', width: 2 }),
      by('NAME', { kind: 'identity' }),
      by('d', { kind: 'day' }),
    ],
    SCHEMA,
  );
  assert.deepEqual(spec, {
    'spec-id': 0,
    fields: [
      // The table has a column of the name that the field would take.
      { 'source-id': 1, 'field-id': 1000, name: 'ts_month_2', transform: 'month' },
      { 'source-id': 2, 'field-id': 1001, name: 'id_bucket', transform: 'bucket[8]' },
      { 'source-id': 3, 'field-id': 1002, name: 'name_trunc', transform: 'truncate[2]' },
      { 'source-id': 3, 'field-id': 1003, name: 'name', transform: 'identity' },
      { 'source-id': 5, 'field-id': 1004, name: 'd_day', transform: 'day' },
    ],
  });
  assert.equal(lastPartitionId, 1004);
  assert.deepEqual(
    partitionType(spec, SCHEMA).fields.map(({ id, type }) => [id, type]),
    [
      [1000, 'int'],
      [1001, 'int'],
      [1002, 'string'],
      [1003, 'string'],
      [1004, 'date'],
    ],
  );
});

test('a spec that cannot be is refused', () => {
  const month = by('ts', { kind: 'month' });
  assert.throws(() => partitionSpecOf([by('nope', { kind: 'identity' })], SCHEMA), /got a column that is not there/);
  assert.throws(
    () => partitionSpecOf([by('id', { kind: 'month' })], SCHEMA),
    /got "long"; expected a column that month takes/,
  );
  assert.throws(
    () => partitionSpecOf([by('tags', { kind: 'identity' })], SCHEMA),
    /expected a column that identity takes/,
  );
  assert.throws(() => partitionSpecOf([month, month], SCHEMA), /twice/);
});

test('paths are readable and escaped', () => {
  const path = (name: string, transform: Transform, value: IcebergValue): string => {
    const { spec } = partitionSpecOf([by(name, transform)], SCHEMA);
    return partitionPath(spec, SCHEMA, [value]).split('=')[1] ?? '';
  };
  assert.equal(path('ts', { kind: 'year' }, -1), '1969');
  assert.equal(path('ts', { kind: 'month' }, 600), '2020-01');
  assert.equal(path('ts', { kind: 'month' }, -1), '1969-12');
  assert.equal(path('ts', { kind: 'day' }, -1), '1969-12-31');
  assert.equal(path('ts', { kind: 'hour' }, -1), '1969-12-31-23');
  assert.equal(path('ts', { kind: 'identity' }, -1n), '1969-12-31T23%3A59%3A59.999999');
  assert.equal(path('id', { kind: 'bucket', width: 4 }, 3), '3');
  assert.equal(path('price', { kind: 'identity' }, -5n), '-0.05');
  assert.equal(path('name', { kind: 'identity' }, 'a/b=é '), 'a%2Fb%3D%C3%A9%20');
  assert.equal(path('name', { kind: 'identity' }, null), '__HIVE_DEFAULT_PARTITION__');
  assert.equal(path('name', { kind: 'identity' }, '__HIVE_DEFAULT_PARTITION__'), '%5F_HIVE_DEFAULT_PARTITION__');
  assert.equal(partitionPath({ 'spec-id': 0, fields: [] }, SCHEMA, []), '');
});

test('a folder name stays short, and different values keep different folders', () => {
  const { spec } = partitionSpecOf([by('name', { kind: 'identity' })], SCHEMA);
  const folders = ['x', 'y'].map((last) => partitionFolder(spec, SCHEMA, [`${'é'.repeat(500)}${last}`]));
  assert.ok(folders.every((folder) => folder.length <= 255 && !/%.?$|%.?~/.test(folder)));
  assert.notEqual(folders[0], folders[1]);
});

const TRANSFORMS: readonly Transform[] = [
  { kind: 'identity' },
  { kind: 'bucket', width: 16 },
  { kind: 'truncate', width: 3 },
  { kind: 'year' },
  { kind: 'month' },
  { kind: 'day' },
  { kind: 'hour' },
];

test('every tuple of every transform comes back from its path, and only equal tuples share one', () => {
  const tuples = anyValue().chain(({ type, value }) =>
    fc.record({
      type: fc.constant(type),
      values: fc.tuple(fc.constantFrom(value, null), fc.constantFrom(value, null, 'x')),
      transform: fc.constantFrom(...TRANSFORMS.filter((transform) => acceptsType(transform, type))),
    }),
  );
  fc.assert(
    fc.property(tuples, ({ type, values, transform }) => {
      const schema: Schema = { type: 'struct', 'schema-id': 0, fields: [{ id: 1, name: 'c', required: false, type }] };
      const { spec } = partitionSpecOf([by('c', transform)], schema);
      const [value, other] = values.map((one) =>
        applyTransform(transform, type, type !== 'string' && one === 'x' ? null : one),
      );
      const path = partitionPath(spec, schema, [value ?? null]);
      const [back] = parsePartitionPath(spec, schema, path);
      assert.ok((back === null) === (value === null) && compareValues(back ?? null, value ?? null) === 0, path);
      const equal = (other === null) === (value === null) && compareValues(other ?? null, value ?? null) === 0;
      assert.equal(partitionPath(spec, schema, [other ?? null]) === path, equal);
    }),
  );
});

test('a text that is not a path of the spec is refused', () => {
  const { spec } = partitionSpecOf([by('ts', { kind: 'day' })], SCHEMA);
  for (const path of ['', 'ts_day=x', 'ts=2020-01-01', 'ts_day=2020-01-01/x=1', 'ts_day=%']) {
    assert.throws(() => parsePartitionPath(spec, SCHEMA, path), /a partition path: got/, path);
  }
});

test('tuples from the texts of a partitioned COPY', () => {
  const { spec } = partitionSpecOf([by('ts', { kind: 'month' }), by('price', { kind: 'identity' })], SCHEMA);
  assert.deepEqual(partitionTuple(spec, SCHEMA, ['-3', '1.50']), [-3, 150n]);
  assert.deepEqual(partitionTuple(spec, SCHEMA, [null, null]), [null, null]);
  assert.throws(() => partitionTuple(spec, SCHEMA, ['1']), /got 1; expected 2/);
});
