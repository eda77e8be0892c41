import assert from 'node:assert/strict';
import { glob } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { test } from 'node:test';
import type { Column } from '../../lib/core/types.ts';
import { countMerged, createExchanged, createMerged, writeExchange } from '../../lib/sql/exchange.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();
const COLUMNS: readonly Column[] = [
  { name: 'id', type: { kind: 'int' } },
  { name: 'note', type: { kind: 'string' } },
];

test('equal keys meet in one bucket, and the first unit and row of each is kept', async () => {
  const paths: string[] = [];
  for (const [ordinal, rows] of [
    ["2, 'd', 2", "1, 'b', 0", "2, 'c', 1"],
    ["1, 'late', 0", "3, 'e', 1", "9, 'known', 2"],
  ].entries()) {
    const folder = join(db.folder, `exchange-${ordinal}`);
    await db.table('staged', 'id VARCHAR, note VARCHAR, __rid BIGINT', rows);
    await db.run(
      writeExchange({ from: sql`staged`, columns: COLUMNS, by: ['id'], buckets: 3, ordinal, full: false, folder }),
    );
    for await (const path of glob(join(folder, '**', '*.parquet'))) paths.push(path);
  }
  const buckets = `SELECT id, count(DISTINCT parse_path(filename)[-2]) FROM read_parquet([${paths.map((p) => `'${p}'`).join(', ')}], filename = true, hive_partitioning = false) GROUP BY id`;
  assert.deepEqual(
    (await db.values(buckets)).map(([, count]) => count),
    [1, 1, 1, 1],
  );
  assert.ok(new Set(paths.map((path) => basename(dirname(path)))).size > 1, 'keys are spread over buckets');
  await db.table('known', 'id INTEGER', ['9']);
  // The later unit's files come first: what decides is the unit, not the order of the files.
  await db.run(createExchanged(paths.toReversed()), createMerged(['id'], sql`known`));
  assert.deepEqual(await db.values('SELECT id, note FROM __merged ORDER BY id'), [
    [1, 'b'],
    [2, 'c'],
    [3, 'e'],
  ]);
  assert.deepEqual(await db.rows(countMerged()), [{ staged: 6, kept: 3 }]);
  assert.deepEqual(
    await db.values("SELECT column_name, data_type FROM duckdb_columns() WHERE table_name = '__merged'"),
    [
      ['id', 'INTEGER'],
      ['note', 'VARCHAR'],
      ['__rid', 'BIGINT'],
      ['__unit', 'INTEGER'],
      ['__bronze_file', 'VARCHAR'],
    ],
  );
});

test('a key of several columns is known where all of them are equal, and may be new without a table', async () => {
  await db.clear();
  await db.table('__exchanged', 'id INTEGER, note VARCHAR, __rid BIGINT, __unit INTEGER', [
    "1, 'a', 0, 0",
    "1, 'b', 1, 0",
    "2, 'a', 2, 0",
    "2, 'a', 0, 1",
  ]);
  await db.table('known', 'id INTEGER, note VARCHAR', ["1, 'a'"]);
  const merged = 'SELECT id, note, __unit FROM __merged ORDER BY ALL';
  await db.run(createMerged(['id', 'note'], sql`known`));
  assert.deepEqual(await db.values(merged), [
    [1, 'b', 0],
    [2, 'a', 0],
  ]);
  await db.values('DROP TABLE __merged');
  await db.run(createMerged(['id', 'note'], undefined));
  assert.deepEqual(await db.values(merged), [
    [1, 'a', 0],
    [1, 'b', 0],
    [2, 'a', 0],
  ]);
});
