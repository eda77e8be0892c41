import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { before, beforeEach, test } from 'node:test';
import { KEY_HASH } from '../../lib/core/keyed.ts';
import type { KeyedMode, PartitionField } from '../../lib/core/spec.ts';
import type { Column } from '../../lib/core/types.ts';
import { createRejected } from '../../lib/sql/batch.ts';
import { MAPPED, PARSED } from '../../lib/sql/batch-tables.ts';
import { renderKeyHash, writeEvents } from '../../lib/sql/events.ts';
import { rejectMapped } from '../../lib/sql/mapped.ts';
import { FILE } from '../../lib/sql/raw-rows.ts';
import { createHashMacros } from '../../lib/sql/transform.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();

const COLUMNS: readonly Column[] = [
  { name: 'id', type: { kind: 'bigint' } },
  { name: 'country', type: { kind: 'string' } },
  { name: 'price', type: { kind: 'decimal', precision: 8, scale: 2 } },
];
const MODE: KeyedMode = {
  kind: 'scd2',
  key: ['id'],
  sequence: 'price',
  track: [],
  deleteWhen: null,
  tieBreak: null,
  missing: 'keep',
  validTo: null,
  coalesce: true,
  buckets: 4,
};
const BY_ID: PartitionField = { column: 'id', transform: { kind: 'bucket', width: 4 } };
const FILES = [
  { path: 'in/1.csv', key: "bronze/o'a.csv" },
  { path: 'in/2.csv', key: 'bronze/empty.csv' },
  { path: 'in/3.csv', key: 'bronze/b.csv' },
];

before(() => db.run(createHashMacros()));
beforeEach(() => db.clear());

function sha256(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Rows `id, country, price`, the price as a model gives it: in a type that is not the column's. */
async function map(rows: readonly string[], paths: readonly string[]): Promise<void> {
  await db.table(
    PARSED,
    `${FILE} VARCHAR`,
    paths.map((path) => `'${path}'`),
  );
  const numbered = rows.map((row, rid) => `${row}, ${rid}`);
  await db.table(MAPPED, 'id INTEGER, country VARCHAR, price VARCHAR, __rid BIGINT', numbered);
  // Rows without a country do not reach the table.
  const rejecting = rejectMapped([], { key: ['id'], sequence: ['country'] });
  assert.ok(rejecting);
  await db.run(createRejected(), rejecting);
}

let folders = 0;

/** Writes the events of what is mapped, and answers where they lie. */
async function write(mode: KeyedMode, bucket = BY_ID): Promise<string> {
  folders += 1;
  const folder = join(db.folder, `events-${folders}`);
  await db.run(writeEvents({ mode, columns: COLUMNS, bucket, files: FILES, folder }));
  return `read_parquet('${folder}/*/*.parquet', filename = true, hive_partitioning = false)`;
}

test('kept rows become events of their types with the store key of their file, dropped rows do not', async () => {
  const paths = ['in/1.csv', 'in/1.csv', 'in/3.csv', 'in/3.csv'];
  // The first row of the third file is dropped, the second file has none.
  await map(["1, 'DE', '5'", "2, NULL, '6'", "3, NULL, '7'", "4, 'FR', '8.1'"], paths);
  const events = await write(MODE);
  assert.deepEqual(
    await db.values(`SELECT id, country, CAST(price AS VARCHAR), _op, _source_file FROM ${events} ORDER BY id`),
    [
      [1, 'DE', '5.00', 'upsert', "bronze/o'a.csv"],
      [4, 'FR', '8.10', 'upsert', 'bronze/b.csv'],
    ],
  );
  const described = await db.values(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${events})`);
  assert.deepEqual(described.slice(0, -1), [
    ['id', 'BIGINT'],
    ['country', 'VARCHAR'],
    ['price', 'DECIMAL(8,2)'],
    ['_op', 'VARCHAR'],
    ['_event_hash', 'VARCHAR'],
    ['_source_file', 'VARCHAR'],
    ['__bucket', 'INTEGER'],
  ]);
});

test('the event hash is of the typed columns in order, with lengths in bytes, and of what the event does', async () => {
  await map(["1, 'ö;', '5'", "1, 'DE', NULL", "1, 'DE', NULL"], ['in/1.csv', 'in/1.csv', 'in/3.csv']);
  const upserts = await write(MODE);
  assert.deepEqual(await db.values(`SELECT _event_hash FROM ${upserts} ORDER BY price, _source_file`), [
    [sha256('V1:1;V3:ö;;V4:5.00;upsert')],
    [sha256('V1:1;V2:DE;N;upsert')],
    [sha256('V1:1;V2:DE;N;upsert')],
  ]);
  const deletes = await write({ ...MODE, deleteWhen: 'true' });
  assert.deepEqual(await db.values(`SELECT _event_hash FROM ${deletes} WHERE price IS NOT NULL`), [
    [sha256('V1:1;V3:ö;;V4:5.00;delete')],
  ]);
});

test('an event deletes where the condition holds, and not where it is null', async () => {
  await map(["1, 'DE', '0'", "2, 'DE', '1'", "3, 'DE', NULL"], ['in/1.csv', 'in/1.csv', 'in/1.csv']);
  const events = await write({ ...MODE, deleteWhen: "price = '0' OR false" });
  assert.deepEqual(await db.values(`SELECT id, _op FROM ${events} ORDER BY id`), [
    [1, 'delete'],
    [2, 'upsert'],
    [3, 'upsert'],
  ]);
});

test('each file holds one bucket of the key, which its rows say too', async () => {
  // The specification's hash of 34 is 2017239379, so it is in bucket 3 of 4 and in bucket 9 of 10.
  const ids = [34, 1, 2, 3, 4, 5, 6, 7];
  await map(
    ids.map((id) => `${id}, 'DE', '1'`),
    ids.map(() => 'in/1.csv'),
  );
  for (const [width, bucket] of [
    [4, 3],
    [10, 9],
  ] as const) {
    const events = await write(MODE, { column: 'id', transform: { kind: 'bucket', width } });
    assert.deepEqual(await db.values(`SELECT __bucket FROM ${events} WHERE id = 34`), [[bucket]]);
    const files = `SELECT min(__bucket), max(__bucket), parse_path(filename)[-2] FROM ${events} GROUP BY filename`;
    const found = await db.values(files);
    assert.ok(found.length > 1 && found.length <= width);
    for (const [least, most, folder] of found) assert.deepEqual([most, folder], [least, `__bucket=${least}`]);
  }
});

/** What stands for a composite key in tables that exist already: this must never change. */
function keyHash(text: string): string {
  return String(createHash('md5').update(text).digest().readBigUInt64LE(8) >> 1n);
}

test('a composite key is hashed part by part, and the bucket is of its hash', async () => {
  await map(["1, '2', '1'", "12, '', '1'", "1, '2', '9'"], ['in/1.csv', 'in/1.csv', 'in/1.csv']);
  const mode = { ...MODE, key: ['id', 'country'] };
  const events = await write(mode, { column: KEY_HASH, transform: { kind: 'bucket', width: 4 } });
  const hashes = `SELECT id, CAST(${KEY_HASH} AS VARCHAR), typeof(${KEY_HASH}), __bucket = strata_hash_long(${KEY_HASH}) & 2147483647 & 3`;
  assert.deepEqual(await db.values(`${hashes} FROM ${events} ORDER BY id, price`), [
    [1, keyHash('V1:1;V1:2;'), 'BIGINT', true],
    [1, keyHash('V1:1;V1:2;'), 'BIGINT', true],
    [12, keyHash('V2:12;V0:;'), 'BIGINT', true],
  ]);
});

test('the hash of a key depends on the order of its columns and tells null from text', async () => {
  await db.table('keys', 'a VARCHAR, b VARCHAR', ["'x', 'y'", "'y', 'x'", "NULL, 'N;'", "'N;', NULL", "'xy', ''"]);
  const hashes = await db.values(`SELECT CAST(${renderKeyHash(['a', 'b'])} AS VARCHAR) FROM keys`);
  const expected = ['V1:x;V1:y;', 'V1:y;V1:x;', 'N;V2:N;;', 'V2:N;;N;', 'V2:xy;V0:;'].map(keyHash);
  assert.deepEqual(hashes.flat(), expected);
  assert.equal(new Set(expected).size, 5);
});

test('a bucket column that the model lacks is refused', () => {
  const request = { mode: MODE, columns: COLUMNS, files: FILES, folder: 'out' };
  const bucket: PartitionField = { column: 'other', transform: { kind: 'bucket', width: 4 } };
  assert.throws(
    () => writeEvents({ ...request, bucket }),
    new RangeError('bucket column other is not a column of the model'),
  );
});
