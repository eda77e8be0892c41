import assert from 'node:assert/strict';
import test from 'node:test';
import { applyChange } from '../../lib/iceberg/apply.ts';
import { addSnapshot, createTable } from '../../lib/iceberg/changes.ts';
import { FORMER_LOCATIONS, formerLocations, locator, namesOf, settleTable } from '../../lib/iceberg/locations.ts';
import type { TableMetadata } from '../../lib/iceberg/types.ts';
import { column } from './arbitraries.ts';

/** Locations as Hadoop's file systems write them stand for those of a local lake. */

const HERE = 'file:///lake/silver/shop/sales';

function tableAt(location: string, list: string, properties: Readonly<Record<string, string>> = {}): TableMetadata {
  const columns = [column('id', 'bigint')];
  const create = createTable({ uuid: 'u', location, columns, partitionBy: [], sortBy: [], properties });
  const table = applyChange(create, undefined, 1);
  const snapshot = {
    'snapshot-id': 1n,
    'sequence-number': 1n,
    'timestamp-ms': 1n,
    'manifest-list': list,
    summary: { operation: 'append', note: '/lake' },
    'schema-id': 0,
  } as const;
  return applyChange({ ...addSnapshot(table, snapshot), requirements: [] }, table, 1, `${location}/metadata/v1.json`);
}

for (const base of ['/lake', 'file:/lake', 'file:///lake']) {
  test(`a table that names its files by ${base}`, () => {
    const there = `${base}/silver/shop/sales`;
    for (const location of [there, HERE]) {
      const properties = { 'write.data.path': `${there}/data` };
      const table = settleTable(tableAt(location, `${there}/metadata/snap-1.avro`, properties), HERE);
      assert.equal(table.location, HERE);
      assert.equal(table.snapshots[0]?.['manifest-list'], `${HERE}/metadata/snap-1.avro`);
      assert.equal(table.snapshots[0]?.summary['note'], '/lake');
      assert.deepEqual(
        table['metadata-log'].map((one) => one['metadata-file']),
        [`${HERE}/metadata/v1.json`],
      );
      assert.deepEqual(formerLocations(table), []);
      assert.deepEqual(table.properties, properties);
    }
    const locate = locator({ location: HERE, properties: {} });
    assert.equal(locate(`${there}/data/x.parquet`), `${HERE}/data/x.parquet`);
  });
}

test('after a move such names are found too, and other places stay what they are', () => {
  const moved = { location: HERE, properties: { [FORMER_LOCATIONS]: '["file:///old/sales", "s3://b/sales"]' } };
  const cases = [
    ['/old/sales/data/x', `${HERE}/data/x`],
    ['file:/old/sales/data/x', `${HERE}/data/x`],
    ['file:///old/sales/data/x', `${HERE}/data/x`],
    ['s3://b/sales/data/x', `${HERE}/data/x`],
    ['s3://c/sales/data/x', 's3://c/sales/data/x'],
    ['/elsewhere/x', 'file:///elsewhere/x'],
  ];
  for (const [written = '', expected] of cases) assert.equal(locator(moved)(written), expected);
  const inBucket = { location: 's3://b/sales', properties: {} };
  assert.equal(locator(inBucket)('/x'), '/x');
  assert.deepEqual(namesOf(inBucket)('s3://b/sales/data/x'), ['s3://b/sales/data/x']);
  assert.deepEqual(namesOf(moved)(`${HERE}/data/x`), [
    `${HERE}/data/x`,
    'file:/lake/silver/shop/sales/data/x',
    '/lake/silver/shop/sales/data/x',
    'file:///old/sales/data/x',
    'file:/old/sales/data/x',
    '/old/sales/data/x',
    's3://b/sales/data/x',
  ]);
});
