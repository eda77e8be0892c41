import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { Transform } from '../../lib/core/spec.ts';
import { applyChange } from '../../lib/iceberg/apply.ts';
import { encodeLowerBound, encodeUpperBound } from '../../lib/iceberg/bounds.ts';
import { createTable } from '../../lib/iceberg/changes.ts';
import { manifestFileOf } from '../../lib/iceberg/manifest-list.ts';
import { currentSpec, resolveSpec } from '../../lib/iceberg/partition.ts';
import type { Condition, Predicate } from '../../lib/iceberg/predicate.ts';
import { planScan } from '../../lib/iceberg/scan.ts';
import { columnTypeOf, currentSchema } from '../../lib/iceberg/schema.ts';
import { acceptsType, applyTransform } from '../../lib/iceberg/transforms.ts';
import type { DataFile, IcebergValue, ManifestEntry, ManifestFile, TableMetadata } from '../../lib/iceberg/types.ts';
import { compareValues } from '../../lib/iceberg/values.ts';
import { primitiveTypes, valuesOf } from './arbitraries.ts';

const TRANSFORMS: readonly Transform[] = [
  { kind: 'identity' },
  { kind: 'bucket', width: 4 },
  { kind: 'truncate', width: 3 },
  { kind: 'year' },
  { kind: 'month' },
  { kind: 'day' },
  { kind: 'hour' },
];

/** A table of one column, partitioned by it. */
function tableOf(type: string, transform: Transform): TableMetadata {
  const columns = [{ name: 'c', type: columnTypeOf(type) }];
  const partitionBy = [{ column: 'c', transform }];
  return applyChange(
    createTable({ uuid: 'u', location: 'l', columns, partitionBy, sortBy: [], properties: {} }),
    undefined,
    0,
  );
}

/** A file of the given values as a careful writer would describe it. */
function fileOf(type: string, partition: readonly IcebergValue[], values: readonly IcebergValue[]): DataFile {
  const bounded = values.filter((value) => value !== null && !Number.isNaN(value)).sort(compareValues);
  const lower = bounded.length > 0 ? encodeLowerBound(type, bounded[0] ?? null) : undefined;
  const upper = bounded.length > 0 ? encodeUpperBound(type, bounded.at(-1) ?? null) : undefined;
  return {
    path: 'f',
    specId: 0,
    partition,
    rows: BigInt(values.length),
    bytes: 1n,
    columnSizes: new Map(),
    valueCounts: new Map([[1, BigInt(values.length)]]),
    nullCounts: new Map([[1, BigInt(values.filter((value) => value === null).length)]]),
    nanCounts: new Map(),
    lowerBounds: new Map(lower === undefined ? [] : [[1, lower]]),
    upperBounds: new Map(upper === undefined ? [] : [[1, upper]]),
    sortOrderId: null,
  };
}

function manifestOf(table: TableMetadata, files: readonly DataFile[]): ManifestFile {
  const fields = resolveSpec(currentSpec(table), currentSchema(table));
  const entries = files.map(
    (file): ManifestEntry => ({
      status: 'added',
      snapshotId: null,
      sequenceNumber: null,
      fileSequenceNumber: null,
      file,
    }),
  );
  return manifestFileOf({ path: 'm', length: 1, specId: 0, fields, entries, snapshotId: 1n, sequenceNumber: 1n });
}

/** SQL's answer for one row. NaN equals itself and exceeds every number, as in DuckDB and Spark. */
function matches(condition: Condition, value: IcebergValue): boolean {
  if (condition.op === 'isNull') return value === null;
  if (condition.op === 'notNull') return value !== null;
  if (value === null) return false;
  if (condition.op === 'in') return condition.values.some((one) => matches({ op: '=', value: one }, value));
  if (condition.value === null) return false;
  const order = compareValues(value, condition.value);
  switch (condition.op) {
    case '=':
      return order === 0;
    case '!=':
      return order !== 0;
    case '<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '>':
      return order > 0;
    case '>=':
      return order >= 0;
  }
}

const conditions = (value: fc.Arbitrary<IcebergValue>): fc.Arbitrary<Condition> =>
  fc.oneof(
    fc.record({ op: fc.constantFrom('=', '!=', '<', '<=', '>', '>='), value }) as fc.Arbitrary<Condition>,
    fc.record({ op: fc.constant('in' as const), values: fc.array(value, { maxLength: 3 }) }),
    fc.constantFrom<Condition>({ op: 'isNull' }, { op: 'notNull' }),
  );

/** Few distinct values, near each other, so that conditions meet bounds. */
function scenario() {
  return primitiveTypes.chain((type) => {
    const near = fc.array(valuesOf(type), { minLength: 1, maxLength: 5 }).chain((pool) => {
      const value = fc.constantFrom<IcebergValue>(null, ...pool, ...pool.map((one) => neighbour(type, one)));
      return fc.record({
        type: fc.constant(type),
        transform: fc.constantFrom(...TRANSFORMS.filter((transform) => acceptsType(transform, type))),
        rows: fc.array(value, { minLength: 1, maxLength: 12 }),
        conditions: fc.array(conditions(value), { minLength: 1, maxLength: 2 }),
      });
    });
    return near;
  });
}

function neighbour(type: string, value: IcebergValue): IcebergValue {
  if (type === 'float') return Math.fround(Number(value) * 1.0000002);
  if (typeof value === 'bigint') return value > 0n ? value - 1n : value + 1n;
  if (typeof value === 'number') return Number.isInteger(value) ? value - Math.sign(value) : -value;
  return typeof value === 'string' ? `${value}${value}${value}` : value;
}

test('pruning never drops a file that holds a matching row', () => {
  fc.assert(
    fc.property(scenario(), ({ type, transform, rows, conditions }) => {
      const table = tableOf(type, transform);
      const predicates: Predicate[] = conditions.map((condition) => ({ column: 'c', ...condition }));
      const filter = planScan(table, predicates);
      const partitions = new Map<string, { tuple: readonly IcebergValue[]; values: IcebergValue[] }>();
      for (const row of rows) {
        const tuple = [applyTransform(transform, type, row)];
        const key = String(tuple[0] === null ? 'null' : `v${tuple[0]}`);
        const group = partitions.get(key) ?? { tuple, values: [] };
        partitions.set(key, { ...group, values: [...group.values, row] });
      }
      const files = [...partitions.values()].map(({ tuple, values }) => ({
        values,
        file: fileOf(type, tuple, values),
      }));
      for (const { file, values } of files) {
        const wanted = values.some((value) => conditions.every((condition) => matches(condition, value)));
        if (!wanted) continue;
        assert.ok(filter.fileMayMatch(file), 'file');
        assert.ok(
          filter.manifestMayMatch(
            manifestOf(
              table,
              files.map((one) => one.file),
            ),
          ),
          'manifest',
        );
      }
    }),
    { numRuns: 2000 },
  );
});

test('pruning does drop what certainly does not match', () => {
  const month = tableOf('date', { kind: 'month' });
  const january = fileOf('date', [600], [18262, 18270]);
  const drops = (table: TableMetadata, file: DataFile, condition: Condition): readonly boolean[] => {
    const filter = planScan(table, [{ column: 'c', ...condition }]);
    return [!filter.fileMayMatch(file), !filter.manifestMayMatch(manifestOf(table, [file]))];
  };
  // [by the file, by its manifest's summary]: 18293 is 1 February 2020.
  assert.deepEqual(drops(month, january, { op: '=', value: 18293 }), [true, true]);
  assert.deepEqual(drops(month, january, { op: '>=', value: 18293 }), [true, true]);
  assert.deepEqual(drops(month, january, { op: '<', value: 18262 }), [true, false]);
  assert.deepEqual(drops(month, january, { op: '=', value: 18265 }), [false, false]);
  assert.deepEqual(drops(month, january, { op: '=', value: 18280 }), [true, false]);
  assert.deepEqual(drops(month, january, { op: 'isNull' }), [true, true]);
  assert.deepEqual(drops(month, fileOf('date', [null], [null]), { op: 'notNull' }), [true, true]);
  assert.deepEqual(drops(month, fileOf('date', [null], [null]), { op: '=', value: 1 }), [true, true]);
  assert.deepEqual(drops(month, january, { op: 'in', values: [] }), [true, true]);
  const text = tableOf('string', { kind: 'truncate', width: 2 });
  assert.deepEqual(drops(text, fileOf('string', ['ab'], ['abc', 'abd']), { op: '=', value: 'b' }), [true, true]);
  assert.deepEqual(drops(text, fileOf('string', ['ab'], ['abc', 'abd']), { op: '>', value: 'abz' }), [true, false]);
  const bucket = tableOf('long', { kind: 'bucket', width: 4 });
  const held = applyTransform({ kind: 'bucket', width: 4 }, 'long', 1n);
  assert.deepEqual(drops(bucket, fileOf('long', [held === 0 ? 1 : 0], [0n, 9n]), { op: '=', value: 1n }), [true, true]);
  // A NaN may hide in a file of doubles, and NaN exceeds every number.
  const double = tableOf('double', { kind: 'identity' });
  assert.deepEqual(drops(double, fileOf('double', [1], [1]), { op: '<', value: 1 }), [true, true]);
  assert.deepEqual(drops(double, fileOf('double', [Number.NaN], [Number.NaN]), { op: '>', value: 1 }), [false, false]);
});

test('a decimal literal finds the float that it stands for', () => {
  const table = tableOf('float', { kind: 'identity' });
  const tenth = Math.fround(0.1);
  const filter = planScan(table, [{ column: 'c', op: '=', value: 0.1 }]);
  assert.ok(filter.fileMayMatch(fileOf('float', [tenth], [tenth])));
});

test('a predicate on a column that the table lacks excludes nothing', () => {
  const table = tableOf('date', { kind: 'month' });
  assert.ok(planScan(table, [{ column: 'nope', op: 'isNull' }]).fileMayMatch(fileOf('date', [600], [18262])));
});
