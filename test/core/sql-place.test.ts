import assert from 'node:assert/strict';
import { test } from 'node:test';
import { findPlace, placeInSql, sayPlace } from '../../lib/core/sql-place.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const SQL = 'SELECT a,\n  b\nFROM t\nUNION ALL\nSELECT a,\n  b';
const LONG = `SELECT ${'1 AS one, '.repeat(20)}CAST(word AS INT) AS n${', 2 AS two'.repeat(20)}`;

const PLACES: readonly (readonly [string, string, string, string | undefined])[] = [
  ['the line of a text, and the column of its caret', SQL, 'x\n\nLINE 2:   b\n          ^', '2 3'],
  ['of equal lines the nearest', SQL, 'x\n\nLINE 9:   b\n          ^', '6 3'],
  ['a part of a line, and its caret', SQL, 'x\n\nLINE 3: ...ROM t...\n            ^', '3 3'],
  ['a caret that is missing', SQL, 'x\n\nLINE 3: FROM t', '3 null'],
  ['a caret on what is not shown', SQL, 'x\n\nLINE 3: ...ROM t...\n         ^', '3 null'],
  ['SQL around it', SQL, 'x\n\nLINE 1: COPY (\n        ^', undefined],
  ['the first line behind SQL of ours', SQL, 'x\n\nLINE 1: COPY (SELECT a,\n                     ^', '1 8'],
  ['SQL of ours before the first line', SQL, 'x\n\nLINE 1: COPY (SELECT a,\n        ^', undefined],
  ['the last line before SQL of ours', SQL, 'x\n\nLINE 6:   b)) TO...\n          ^', '6 3'],
  ['one line amid SQL of ours', 'SELECT a', 'x\n\nLINE 1: COPY (SELECT a) TO...\n                     ^', '1 8'],
  ['a text that is another by now', 'SELECT c', 'x\n\nLINE 1: COPY (SELECT a) TO...\n              ^', undefined],
  ['twice the same in a line', 'a1234a1234', 'x\n\nLINE 1: ...123...\n           ^', '1 null'],
  ['lines that end as Windows has it', 'SELECT a,\r\n  b\r\n', 'x\n\nLINE 2:   b\r\n          ^', '2 3'],
  [
    'characters that take two places',
    "SELECT '日本', b",
    "x\n\nLINE 1: SELECT '日本', b\n                       ^",
    '1 14',
  ],
  ['what a value says is no place', SQL, "'\n\nLINE 2:   b\n          ^' to INT32", undefined],
  ['a line without text', SQL, 'x\n\nLINE 1: \n        ^', undefined],
  ['no place', SQL, 'Conversion Error', undefined],
];

for (const [name, sql, error, expected] of PLACES) {
  test(`a place in the SQL of a model: ${name}`, () => {
    const found = placeInSql(sql, error);
    assert.equal(found && `${found.line} ${found.column}`, expected);
    assert.deepEqual(findPlace({ sql, sqlFile: 'm.sql' }, error), found && { file: 'm.sql', ...found });
    assert.equal(findPlace({ sql, sqlFile: null }, error), undefined);
  });
}

/** SQL whose `^^` stands before the fault. */
const FAULTS: readonly string[] = [
  "SELECT ^^CAST('x' AS INT) AS n",
  "SELECT 1 AS a,\n  ^^CAST('x' AS INT) AS n\nWHERE true",
  "SELECT '日本' AS a, '👍' AS b, ^^CAST('x' AS INT) AS n",
  `SELECT ${'1 AS one, '.repeat(30)}^^CAST('x' AS INT) AS n${', 2 AS two'.repeat(30)}`,
  "-- all of it\r\nSELECT 1 AS a,\r\n\t^^CAST('x' AS INT) AS n",
];

test('what the engine says of SQL within a statement of ours is said by its place', async () => {
  const scratch = temporaryFolder('sql-place');
  await using session = await createDuckDbEngine().open({ memoryBytes: 200_000_000, threads: 1, scratch });
  for (const marked of FAULTS) {
    const sql = marked.replace('^^', '');
    const before = marked.slice(0, marked.indexOf('^^')).split('\n');
    const model = { layer: 'gold', sql, sqlFile: 'gold/words.sql' } as const;
    const text = userSql(`SELECT "n" FROM (SELECT CAST("n" AS INTEGER) AS "n" FROM (${sql})) WHERE "n" > 0`);
    await assert.rejects(session.rows({ name: 'write gold.words', text }), (error: Error) => {
      const said = sayPlace('shop', model, error.message);
      const place = `${before.length}:${(before.at(-1) ?? '').length + 1}`;
      assert.ok(said.startsWith(`write gold.words (pipelines/shop/gold/words.sql:${place}): Conversion Error: `), said);
      // What it shows is the user's own line, in which the place is found again.
      assert.equal(said.match(/LINE/g)?.length, 1);
      const again = placeInSql(sql, said);
      assert.equal(again && `${again.line}:${again.column}`, place, said);
      return true;
    });
  }
});

const SAID: readonly (readonly [string, 'gold' | 'silver', string, string])[] = [
  [
    'no place: the file alone',
    'gold',
    'write gold.words: Invalid Input Error: too short',
    'write gold.words (pipelines/shop/m.sql): Invalid Input Error: too short',
  ],
  ['the machine', 'gold', 'write gold.words: IO Error: full', 'write gold.words: IO Error: full'],
  ['memory', 'gold', 'write gold.words: Out of Memory Error: x', 'write gold.words: Out of Memory Error: x'],
  ['SQL of ours', 'silver', 'silver_model: Invalid Input Error: x', 'silver_model: Invalid Input Error: x'],
  ['no error of the engine', 'gold', 'a worker has ended 3 times', 'a worker has ended 3 times'],
];

for (const [name, layer, error, expected] of SAID) {
  test(`what is said of an error without a place: ${name}`, () => {
    assert.equal(sayPlace('shop', { layer, sql: LONG, sqlFile: 'm.sql' }, error), expected);
    assert.equal(sayPlace('shop', { layer, sql: LONG, sqlFile: null }, error), error);
  });
}
