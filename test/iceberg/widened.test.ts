import assert from 'node:assert/strict';
import test from 'node:test';
import type { Column } from '../../lib/core/types.ts';
import { applyChange } from '../../lib/iceberg/apply.ts';
import { alterSchema, createTable, setProperties } from '../../lib/iceberg/changes.ts';
import { readableWidened } from '../../lib/iceberg/widened.ts';
import { column } from './arbitraries.ts';

test('a table of which a column was int and is long has Spark read it row by row', () => {
  const columns = [column('a', 'int'), column('b', 'float'), column('c', 'list<int>')];
  const create = { uuid: 'u', location: 's3://b/t', columns, partitionBy: [], sortBy: [], properties: {} };
  const first = applyChange(createTable(create), undefined, 1);
  const widen = (...to: readonly Column[]) => {
    const altered = alterSchema(first, to);
    assert.equal(altered.kind, 'altered');
    return applyChange(altered.change, first, 2);
  };
  const slow = { 'read.parquet.vectorization.enabled': 'false' };
  assert.deepEqual(readableWidened(first), {});
  assert.deepEqual(readableWidened(widen(column('b', 'double'), column('c', 'list<bigint>'))), {});
  const wide = widen(column('a', 'bigint'));
  assert.deepEqual(readableWidened(wide), slow);
  const further = alterSchema(wide, [column('d', 'int')]);
  assert.equal(further.kind, 'altered');
  assert.deepEqual(readableWidened(applyChange(further.change, wide, 3)), slow);
  const said = applyChange(setProperties(wide, { 'read.parquet.vectorization.enabled': 'true' }), wide, 3);
  assert.deepEqual(readableWidened(said), {});
});
