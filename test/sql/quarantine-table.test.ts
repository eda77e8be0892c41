import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { sql } from '../../lib/sql/fragment.ts';
import {
  countReleasable,
  countWithdrawn,
  findExamples,
  findTripped,
  type QuarantineFilter,
  renderReleased,
  renderWithdrawn,
  selectHeldAgainst,
} from '../../lib/sql/quarantine-table.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();
const COLUMNS =
  'source VARCHAR, source_file VARCHAR, line BIGINT, raw VARCHAR, codes VARCHAR[], details VARCHAR[], row_hash VARCHAR, status VARCHAR, run_id VARCHAR, quarantined_at TIMESTAMPTZ';
/** Places of two columns. */
const [HASH, STATUS] = [6, 7];
const ROWS = [
  "'s', 'a.csv', 2, 'x', ['TYPE_ERROR'], ['id: got x'], 'h1', 'quarantined', 'r1', '2026-01-01T00:00:00Z'",
  "'s', 'a.csv', 3, 'y,9', ['TYPE_ERROR', 'RANGE_ERROR'], ['id: got y', 'n: got 9'], 'h2', 'condemned', 'r1', '2026-01-01T01:00:00Z'",
  "'t', 'b.csv', 2, ',8', ['RANGE_ERROR'], ['n: got 8'], 'h3', 'quarantined', 'r2', '2026-01-01T02:00:00Z'",
  "'t', 'b.csv', 3, NULL, ['TYPE_ERROR'], ['id: it''s'], 'h4', 'released', 'r2', '2026-01-01T02:00:00Z'",
];

before(async () => db.table('q', COLUMNS, ROWS));

const FILTERS: readonly (readonly [filter: QuarantineFilter, released: readonly string[]])[] = [
  [{}, ['h1', 'h2', 'h3']],
  [{ source: 's' }, ['h1', 'h2']],
  [{ code: 'RANGE_ERROR' }, ['h2', 'h3']],
  [{ runId: 'r2' }, ['h3']],
  [{ status: 'condemned' }, ['h2']],
  [{ files: ['a.csv'] }, ['h1', 'h2']],
  [{ files: ['a.csv'], code: 'RANGE_ERROR' }, ['h2']],
  [{ hashes: ['h3', 'h4'] }, ['h3']],
  [{ source: "s' OR true --" }, []],
];

for (const [filter, hashes] of FILTERS) {
  test(`releases what matches ${JSON.stringify(filter)}, and keeps every row`, async () => {
    const after = renderReleased(sql`q`, filter);
    const before = await db.values('SELECT * FROM q ORDER BY row_hash');
    const expected = before.map((row) =>
      row.map((v, i) => (i === STATUS && hashes.includes(String(row[HASH])) ? 'released' : v)),
    );
    assert.deepEqual(await db.values(`SELECT * FROM ${after} ORDER BY row_hash`), expected);
    assert.deepEqual(await db.rows(countReleasable(sql`q`, filter)), [{ rows: hashes.length }]);
  });
}

test('what is withdrawn from some tables is released for these, and kept for the others', async () => {
  await db.table('w', 'source VARCHAR, row_hash VARCHAR, source_file VARCHAR, status VARCHAR, table_name VARCHAR', [
    "'s', 'h1', 'a.csv', 'quarantined', NULL",
    "'s', 'h2', 'a.csv', 'condemned', 'x'",
    "'s', 'h3', 'a.csv', 'quarantined', 'y'",
    "'s', 'h4', 'a.csv', 'released', NULL",
    "'s', 'h5', 'b.csv', 'quarantined', NULL",
    "'t', 'h6', 'a.csv', 'quarantined', NULL",
    "'u', 'h7', 'a.csv', 'quarantined', NULL",
  ]);
  const parted = [
    { source: 's', table: 'x', withdrawn: true },
    { source: 's', table: 'y', withdrawn: false },
  ];
  const withdrawal = { files: ['a.csv'], tables: ['x', 'new'], whole: ['t'], parted };
  assert.deepEqual(
    await db.values(`SELECT row_hash, status, table_name FROM ${renderWithdrawn(sql`w`, withdrawal)} ORDER BY ALL`),
    [
      ['h1', 'quarantined', 'y'],
      ['h1', 'released', 'x'],
      ['h2', 'released', 'x'],
      ['h3', 'quarantined', 'y'],
      ['h4', 'released', null],
      ['h5', 'quarantined', null],
      ['h6', 'released', null],
      ['h7', 'quarantined', null],
    ],
  );
  assert.deepEqual(await db.rows(countWithdrawn(sql`w`, withdrawal)), [{ rows: 3 }]);
  assert.deepEqual(await db.rows(countWithdrawn(sql`w`, { ...withdrawal, tables: ['new'], whole: [], parted: [] })), [
    { rows: 0 },
  ]);
});

test('what is held against a table is of all tables or its own, and of no withdrawn file', async () => {
  await db.table('held', 'row_hash VARCHAR, source_file VARCHAR, table_name VARCHAR', [
    "'h1', 'a.csv', NULL",
    "'h2', 'a.csv', 't'",
    "'h3', 'a.csv', 'other'",
    "'h4', 'b.csv', 't'",
  ]);
  const held = (without: readonly string[]) =>
    db.values(`SELECT row_hash FROM ${selectHeldAgainst(sql`held`, 't', without)} ORDER BY ALL`);
  assert.deepEqual(await held([]), [['h1'], ['h2'], ['h4']]);
  assert.deepEqual(await held(['a.csv']), [['h4']]);
});

test('the breaker counts staged rows that are new, and those within the window that are not released, once for all tables', async () => {
  const again = ROWS.slice(0, 1);
  const other = [
    "'s', 'a.csv', 2, 'z', ['TYPE_ERROR'], ['id: got z'], 'h5', 'quarantined', 'r3', '2026-01-01T03:00:00Z'",
  ];
  const graver = ["'s', 'a.csv', 3, 'y,9', ['TYPE_ERROR', 'NULL_VALUE_ERROR'], [], 'h2', 'quarantined', 'r3', NULL"];
  await db.table('staged', COLUMNS, [...again, ...other, ...other, ...graver]);
  const both = { table: sql`q`, staged: sql`staged` };
  assert.deepEqual(await db.rows(findTripped(both, '2026-01-01T00:00:00Z', 1)), [
    { code: 'TYPE_ERROR', rows: 3 },
    { code: 'RANGE_ERROR', rows: 2 },
  ]);
  assert.deepEqual(await db.rows(findTripped(both, '2026-01-01T00:30:00Z', 1)), [
    { code: 'RANGE_ERROR', rows: 2 },
    { code: 'TYPE_ERROR', rows: 2 },
  ]);
  assert.deepEqual(await db.rows(findTripped(both, '2026-01-01T02:30:00Z', 0)), [
    { code: 'NULL_VALUE_ERROR', rows: 1 },
    { code: 'TYPE_ERROR', rows: 1 },
  ]);
  assert.deepEqual(await db.rows(findTripped({ table: undefined, staged: sql`staged` }, '2026-01-01T00:00:00Z', 1)), [
    { code: 'TYPE_ERROR', rows: 3 },
  ]);
  assert.deepEqual(await db.rows(findTripped({ table: sql`q`, staged: undefined }, '2026-01-01T00:30:00Z', 0)), [
    { code: 'RANGE_ERROR', rows: 2 },
    { code: 'TYPE_ERROR', rows: 1 },
  ]);
});

test('examples name file, line and reasons, the first three', async () => {
  await db.table('many', COLUMNS, ROWS.toReversed());
  assert.deepEqual(
    (await db.rows(findExamples(sql`many`, 'TYPE_ERROR'))).map((row) => row['example']),
    ['a.csv:2: id: got x', 'a.csv:3: id: got y, n: got 9', "b.csv:3: id: it's"],
  );
  await db.values(`INSERT INTO many SELECT * REPLACE (9 AS line) FROM many WHERE row_hash = 'h1'`);
  assert.deepEqual(
    (await db.rows(findExamples(sql`many`, 'TYPE_ERROR'))).map((row) => row['example']),
    ['a.csv:2: id: got x', 'a.csv:3: id: got y, n: got 9', 'a.csv:9: id: got x'],
  );
  assert.deepEqual(await db.rows(findExamples(sql`q`, 'RANGE_ERROR')), [
    { place: 'a.csv:3', example: 'a.csv:3: id: got y, n: got 9' },
    { place: 'b.csv:2', example: 'b.csv:2: n: got 8' },
  ]);
});
