import assert from 'node:assert/strict';
import { test } from 'node:test';
import { KEY_HASH } from '../../lib/core/keyed.ts';
import type { KeyedMode } from '../../lib/core/spec.ts';
import type { Sql } from '../../lib/core/sql-text.ts';
import type { Column } from '../../lib/core/types.ts';
import { addMissingDeletes, createRecomputed, EVENTS } from '../../lib/sql/keyed.ts';
import { userTerm } from '../../lib/sql/user-sql.ts';
import { openHandmade } from './handmade.ts';
import { COLUMNS, keyedMerges, type Rows, SCD2, TOLD_APART, type Values } from './keyed-merges.ts';

const db = openHandmade();
const { stage, toEvents } = keyedMerges(db);
const MODE: KeyedMode = { ...SCD2, missing: 'delete' };

/** Files with their sequences, as a relation. */
function extracts(...files: readonly string[]): Sql {
  return userTerm(`SELECT * FROM (VALUES ${files.map((f) => `(${f})`).join(', ')}) x(file, sequence)`);
}

/** The versions that staged events and the extracts make together. */
async function versions(staged: Rows, files: readonly string[]): Promise<Values> {
  await stage([], [], staged);
  await toEvents(MODE, { all: true, withdrawn: [] });
  await db.run(addMissingDeletes(MODE, COLUMNS, extracts(...files)), createRecomputed(MODE, COLUMNS, TOLD_APART));
  return db.values('SELECT id, valid_from, valid_to FROM __recomputed ORDER BY ALL');
}

/** The deletes that the last extracts led to. */
function deletes(): Promise<Values> {
  return db.values(`SELECT id, seq, price, _source_file, __bucket FROM ${EVENTS} WHERE _op = 'delete' ORDER BY ALL`);
}

test('a key that a full extract lacks is deleted at the sequence of the extract, with its bucket', async () => {
  const staged = [
    "5, 10, 5, NULL, 'upsert', 'a', 'a.csv'",
    "6, 10, 5, NULL, 'upsert', 'b', 'a.csv'",
    "6, 20, 5, NULL, 'upsert', 'c', 'b.csv'",
  ];
  assert.deepEqual(await versions(staged, ["'a.csv', 10", "'b.csv', 20"]), [
    [5, 10, 20],
    [6, 10, null],
  ]);
  assert.deepEqual(await deletes(), [[5, 20, null, 'b.csv', 1]]);
});

test('a key that is missing from one extract and back in the next has a gap', async () => {
  const staged = ["1, 10, 5, NULL, 'upsert', 'a', 'a.csv'", "1, 30, 5, NULL, 'upsert', 'c', 'c.csv'"];
  assert.deepEqual(await versions(staged, ["'a.csv', 10", "'b.csv', 20", "'c.csv', 30"]), [
    [1, 10, 20],
    [1, 30, null],
  ]);
});

test('an extract says nothing of keys that began later; of one that began with its sequence the delete wins', async () => {
  const staged = ["1, 20, 5, NULL, 'upsert', 'a', 'b.csv'", "2, 30, 5, NULL, 'upsert', 'b', 'c.csv'"];
  assert.deepEqual(await versions(staged, ["'a.csv', 10", "'z.csv', 20"]), [[2, 30, null]]);
  assert.deepEqual(await deletes(), [[1, 20, null, 'z.csv', 1]]);
});

test('a key with a row of any sequence in the extract is not missing from it', async () => {
  const staged = ["1, 10, 5, NULL, 'upsert', 'a', 'a.csv'", "1, 15, 6, NULL, 'upsert', 'b', 'b.csv'"];
  assert.deepEqual(await versions(staged, ["'a.csv', 10", "'b.csv', 20"]), [
    [1, 10, 15],
    [1, 15, null],
  ]);
});

test('a composite key is missing as a whole, and its delete has the hash of the key', async () => {
  const columns: readonly Column[] = [
    ...COLUMNS.slice(0, 1),
    { name: 'country', type: { kind: 'string' } },
    ...COLUMNS.slice(1, 3),
  ];
  await db.clear();
  await db.table(
    EVENTS,
    `id INTEGER, country VARCHAR, seq INTEGER, price INTEGER, ${KEY_HASH} BIGINT, _op VARCHAR, _event_hash VARCHAR, _source_file VARCHAR, __bucket INTEGER`,
    [
      "1, 'DE', 10, 5, 71, 'upsert', 'a', 'a.csv', 2",
      "1, 'FR', 10, 5, 72, 'upsert', 'b', 'a.csv', 3",
      "1, 'FR', 20, 5, 72, 'upsert', 'c', 'b.csv', 3",
    ],
  );
  await db.run(addMissingDeletes({ ...MODE, key: ['id', 'country'] }, columns, extracts("'b.csv', 20")));
  const found = `SELECT id, country, seq, price, ${KEY_HASH}, _source_file, __bucket FROM ${EVENTS} WHERE _op = 'delete'`;
  assert.deepEqual(await db.values(found), [[1, 'DE', 20, null, 71, 'b.csv', 2]]);
});
