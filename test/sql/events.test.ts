import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { before, beforeEach, describe, test } from 'node:test';
import { type EventColumns, eventColumnsOf, KEY_HASH } from '../../lib/core/keyed.ts';
import type { KeyedMode, PartitionField } from '../../lib/core/spec.ts';
import type { Sql } from '../../lib/core/sql-text.ts';
import { type Column, parseColumnType } from '../../lib/core/types.ts';
import { renderEventHash, renderEventNumber } from '../../lib/sql/event-hash.ts';
import { renderEvents, renderKeyHash } from '../../lib/sql/events.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { createRecomputed, EVENTS, RECOMPUTED } from '../../lib/sql/keyed.ts';
import { createHashMacros } from '../../lib/sql/transform.ts';
import { duckType } from '../../lib/sql/types.ts';
import { APART } from './apart.ts';
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
before(() => db.run(createHashMacros()));
describe('events of keyed tables', () => {
  beforeEach(() => db.clear());

  function sha256(text: string): string {
    return createHash('sha256').update(text).digest('hex');
  }

  /** Rows `id, country, price, file`, the price as a model gives it: in a type that is not the column's. */
  async function map(rows: readonly string[]): Promise<void> {
    await db.table('kept', 'id INTEGER, country VARCHAR, price VARCHAR, __file VARCHAR', rows);
  }

  /** The events of what is mapped, as a relation. */
  function events(mode: KeyedMode, bucket = BY_ID): Sql {
    return renderEvents({ from: sql`kept`, mode, columns: COLUMNS, bucket, file: sql`__file` });
  }

  test('kept rows become events of their types with the store key of their file, and no hash', async () => {
    await map(["1, 'DE', '5', 'bronze/o''a.csv'", "4, 'FR', '8.1', 'bronze/b.csv'"]);
    const columns = 'id, country, CAST(price AS VARCHAR), _op, _event_hash, _source_file';
    assert.deepEqual(await db.values(`SELECT ${columns} FROM ${events(MODE)} ORDER BY id`), [
      [1, 'DE', '5.00', 'upsert', null, "bronze/o'a.csv"],
      [4, 'FR', '8.10', 'upsert', null, 'bronze/b.csv'],
    ]);
    const described = await db.values(`SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM ${events(MODE)})`);
    assert.deepEqual(described, [
      ['id', 'BIGINT'],
      ['country', 'VARCHAR'],
      ['price', 'DECIMAL(8,2)'],
      ['_op', 'VARCHAR'],
      ['_event_hash', 'VARCHAR'],
      ['_source_file', 'VARCHAR'],
      ['__bucket', 'INTEGER'],
    ]);
  });

  test('an event has null in columns that only the table has', async () => {
    await map(["1, 'DE', '5', 'a.csv'"]);
    const kept = [{ name: 'since', type: { kind: 'date' } }] as const;
    const columns = [...COLUMNS, ...kept];
    const request = { from: sql`kept`, mode: MODE, columns, kept, bucket: BY_ID, file: sql`__file` };
    assert.deepEqual(await db.values(`SELECT id, since, typeof(since) FROM ${renderEvents(request)}`), [
      [1, null, 'DATE'],
    ]);
  });

  /** The hashes of what is mapped, in the order of their files. */
  async function hashes(mode: KeyedMode, of: EventColumns): Promise<readonly unknown[]> {
    return (await db.values(`SELECT ${renderEventHash(of)} FROM ${events(mode)} ORDER BY _source_file`)).flat();
  }

  test('the event hash is of the typed columns in order, with lengths in bytes, and of what the event does', async () => {
    const of = eventColumnsOf({ columns: COLUMNS }, COLUMNS);
    await map(["1, 'ö;', '5', 'a'", "1, 'DE', NULL, 'b'", "1, 'DE', NULL, 'c'"]);
    const same = sha256('V1:1;V2:DE;N;upsert');
    assert.deepEqual(await hashes(MODE, of), [sha256('V1:1;V3:ö;;V4:5.00;upsert'), same, same]);
    assert.equal((await hashes({ ...MODE, deleteWhen: 'true' }, of))[0], sha256('V1:1;V3:ö;;V4:5.00;delete'));
  });

  test('a hash that the log has stays, and columns beyond the model count by name where they say something', async () => {
    const own = COLUMNS.slice(0, 1);
    await map(["1, 'DE', '5', 'a'", "1, NULL, '5', 'b'", "1, NULL, NULL, 'c'"]);
    for (const all of [COLUMNS, COLUMNS.toReversed()]) {
      assert.deepEqual(await hashes(MODE, eventColumnsOf({ columns: own }, all)), [
        sha256('V1:1;country=V2:DE;price=V4:5.00;upsert'),
        sha256('V1:1;price=V4:5.00;upsert'),
        sha256('V1:1;upsert'),
      ]);
    }
    const hash = renderEventHash({ own, others: [] });
    assert.deepEqual(await db.values(`SELECT ${hash} FROM (SELECT 1 AS id, 'upsert' AS _op, 'x' AS _event_hash)`), [
      ['x'],
    ]);
  });

  const WINS: KeyedMode = { ...MODE, kind: 'upsert', sequence: 'seq' };

  for (const [text, values] of Object.entries(APART)) {
    test(`values of ${text} that differ have numbers of their own, and the least hash wins in any order`, async () => {
      const type = parseColumnType(text);
      assert.ok(type);
      const own: readonly Column[] = [
        { name: 'id', type: { kind: 'int' } },
        { name: 'seq', type: { kind: 'int' } },
        { name: 'x', type },
      ];
      const of = eventColumnsOf({ columns: own }, own);
      // Of each pair of values an event is first under one key, and second under another.
      const pairs = values.flatMap((a, i) => values.slice(i + 1).flatMap((b) => [[a, b] as const, [b, a] as const]));
      const rows = pairs.flatMap((pair, id) => pair.map((x) => `${id}, 1, ${x}, 'upsert', NULL, 'a.csv', 0`));
      const columns = `id INTEGER, seq INTEGER, x ${duckType(type)}, _op VARCHAR, _event_hash VARCHAR, _source_file VARCHAR, __bucket INTEGER`;
      await db.table(EVENTS, columns, rows);
      const numbers = `SELECT count(DISTINCT ${renderEventNumber(of)}) FROM ${EVENTS} GROUP BY id ORDER BY id`;
      assert.deepEqual(
        (await db.values(numbers)).flat(),
        pairs.map(() => 2),
      );
      const hashed = await db.values(`SELECT id, ${renderEventHash(of)}, CAST(x AS VARCHAR) FROM ${EVENTS}`);
      const least = pairs.map(
        (_, id) => hashed.filter(([of]) => of === id).sort(([, a], [, b]) => (String(a) < String(b) ? -1 : 1))[0],
      );
      await db.run(createRecomputed(WINS, own, of));
      const won = await db.values(`SELECT CAST(x AS VARCHAR) FROM ${RECOMPUTED} ORDER BY id`);
      assert.deepEqual(
        won.flat(),
        least.map((event) => event?.[2]),
      );
    });
  }

  test('events that are equal have one number', async () => {
    const own = [{ name: 'x', type: { kind: 'list', element: { kind: 'double' } } }] as const;
    const number = renderEventNumber({ own, others: [] });
    const rows = "(VALUES ([0.0::DOUBLE]), ([0.0::DOUBLE])) v(x), (SELECT 'upsert' AS _op, NULL AS _event_hash)";
    assert.deepEqual(await db.values(`SELECT count(DISTINCT ${number}) FROM ${rows}`), [[1]]);
  });

  test('an event deletes where the condition holds, and not where it is null', async () => {
    await map(["1, 'DE', '0', 'a'", "2, 'DE', '1', 'a'", "3, 'DE', NULL, 'a'"]);
    const deleting = events({ ...MODE, deleteWhen: "price = '0' OR false" });
    assert.deepEqual(await db.values(`SELECT id, _op FROM ${deleting} ORDER BY id`), [
      [1, 'delete'],
      [2, 'upsert'],
      [3, 'upsert'],
    ]);
  });

  test('each event says the bucket of its key', async () => {
    // The specification's hash of 34 is 2017239379, so it is in bucket 3 of 4 and in bucket 9 of 10.
    await map([34, 1, 2, 3].map((id) => `${id}, 'DE', '1', 'a'`));
    for (const [width, bucket] of [
      [4, 3],
      [10, 9],
    ] as const) {
      const relation = events(MODE, { column: 'id', transform: { kind: 'bucket', width } });
      assert.deepEqual(await db.values(`SELECT __bucket FROM ${relation} WHERE id = 34`), [[bucket]]);
      assert.ok((await db.values(`SELECT DISTINCT __bucket FROM ${relation}`)).length > 1);
    }
  });

  /** What stands for a composite key in tables that exist already: this must never change. */
  function keyHash(text: string): string {
    return String(createHash('md5').update(text).digest().readBigUInt64LE(8) >> 1n);
  }

  test('a composite key is hashed part by part, and the bucket is of its hash', async () => {
    await map(["1, '2', '1', 'a'", "12, '', '1', 'a'", "1, '2', '9', 'a'"]);
    const mode = { ...MODE, key: ['id', 'country'] };
    const relation = events(mode, { column: KEY_HASH, transform: { kind: 'bucket', width: 4 } });
    const hashed = `SELECT id, CAST(${KEY_HASH} AS VARCHAR), typeof(${KEY_HASH}), __bucket = strata_hash_long(${KEY_HASH}) & 2147483647 & 3`;
    assert.deepEqual(await db.values(`${hashed} FROM ${relation} ORDER BY id, price`), [
      [1, keyHash('V1:1;V1:2;'), 'BIGINT', true],
      [1, keyHash('V1:1;V1:2;'), 'BIGINT', true],
      [12, keyHash('V2:12;V0:;'), 'BIGINT', true],
    ]);
  });

  test('the hash of a key depends on the order of its columns and tells null from text', async () => {
    await db.table('keys', 'a VARCHAR, b VARCHAR', ["'x', 'y'", "'y', 'x'", "NULL, 'N;'", "'N;', NULL", "'xy', ''"]);
    const found = await db.values(`SELECT CAST(${renderKeyHash(['a', 'b'])} AS VARCHAR) FROM keys`);
    const expected = ['V1:x;V1:y;', 'V1:y;V1:x;', 'N;V2:N;;', 'V2:N;;N;', 'V2:xy;V0:;'].map(keyHash);
    assert.deepEqual(found.flat(), expected);
    assert.equal(new Set(expected).size, 5);
  });

  test('a bucket column that the model lacks is refused', () => {
    const bucket: PartitionField = { column: 'other', transform: { kind: 'bucket', width: 4 } };
    assert.throws(() => events(MODE, bucket), new RangeError('key column other is not a column of the table'));
  });
});
