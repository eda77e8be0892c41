import assert from 'node:assert/strict';
import { glob } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Column } from '../../lib/core/types.ts';
import { countMerged, createExchanged, createMerged, writeExchange } from '../../lib/sql/exchange.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();
const COLUMNS: readonly Column[] = [
  { name: 'id', type: { kind: 'int' } },
  { name: 'note', type: { kind: 'string' } },
];

test('equal keys meet in one bucket, and the first unit and row of each is kept', async () => {
  const paths: string[] = [];
  for (const [ordinal, rows] of [
    ["1, 'b', 0", "2, 'c', 1", "2, 'd', 2"],
    ["1, 'late', 0", "3, 'e', 1", "9, 'known', 2"],
  ].entries()) {
    const folder = join(db.folder, `exchange-${ordinal}`);
    await db.table('staged', 'id INTEGER, note VARCHAR, __rid BIGINT', rows);
    await db.run(writeExchange({ from: 'staged', columns: COLUMNS, by: ['id'], buckets: 3, ordinal, folder }));
    for await (const path of glob(join(folder, '**', '*.parquet'))) paths.push(path);
  }
  const buckets = `SELECT id, count(DISTINCT parse_path(filename)[-2]) FROM read_parquet([${paths.map((p) => `'${p}'`).join(', ')}], filename = true, hive_partitioning = false) GROUP BY id`;
  assert.ok((await db.values(buckets)).every(([, count]) => count === 1));
  await db.table('known', 'id INTEGER', ['9']);
  // The later unit's files come first: what decides is the unit, not the order of the files.
  await db.run(createExchanged(paths.toReversed()), createMerged(['id'], 'known'));
  assert.deepEqual(await db.values('SELECT id, note FROM __merged ORDER BY id'), [
    [1, 'b'],
    [2, 'c'],
    [3, 'e'],
  ]);
  assert.deepEqual(await db.rows(countMerged()), [{ staged: 6, kept: 3 }]);
});
