import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { sql } from '../../lib/sql/fragment.ts';
import { countShared, createShared, selectShared } from '../../lib/sql/shared-quarantine.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();
const COLUMNS =
  'source_file VARCHAR, line BIGINT, codes VARCHAR[], details VARCHAR[], row_hash VARCHAR, business_key VARCHAR, attempt INTEGER, status VARCHAR, table_name VARCHAR';
const SHARED = "'f', 1, ['TYPE_ERROR'], ['d'], 'h1', 'k', 1, 'quarantined', NULL";
const LATER = "'f', 1, ['TYPE_ERROR'], ['d'], 'h1', 'k', 2, 'quarantined', NULL";
const SECOND = "'f', 2, ['TYPE_ERROR'], ['d'], 'h2', NULL, 1, 'quarantined', NULL";
const CONDEMNED = "'f', 3, ['DUPLICATE_FAILURE'], ['d'], 'h3', NULL, 1, 'condemned', NULL";

before(async () => {
  // Table a read line 1 twice, as of two uploads of the file.
  await db.table('a', COLUMNS, [SHARED, SHARED, SECOND, CONDEMNED]);
  await db.table('b', COLUMNS, [LATER, "'f', 4, ['NULL_KEY'], ['d'], 'h4', NULL, 1, 'quarantined', 'b'", CONDEMNED]);
  await db.run(
    createShared([
      { table: 'a', rows: sql`a` },
      { table: 'b', rows: sql`b` },
    ]),
  );
});

test('what all tables reject is one row, with the most that any says of attempts; the rest is named', async () => {
  const select = selectShared(2);
  assert.deepEqual(await db.values(`SELECT line, attempt, table_name FROM ${select} ORDER BY ALL`), [
    [1, 1, 'a'],
    [1, 2, null],
    [2, 1, 'a'],
    [3, 1, null],
    [4, 1, 'b'],
  ]);
});

test('where the source has other tables every row is named', async () => {
  const select = selectShared(undefined);
  assert.deepEqual(await db.values(`SELECT table_name, count(*) FROM ${select} GROUP BY ALL ORDER BY ALL`), [
    ['a', 4],
    ['b', 3],
  ]);
});

test('counts what the contract rejected, each record once', async () => {
  assert.deepEqual(await db.rows(countShared()), [{ quarantined: 3, condemned: 1 }]);
});
