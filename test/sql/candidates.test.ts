import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Column } from '../../lib/core/types.ts';
import { createEqual, findCandidates, type TextRange } from '../../lib/sql/candidates.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { ownName } from '../../lib/sql/quote.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();

const between = (lower: string | null, upper: string | null, mayBeNull = false): TextRange => ({
  lower,
  upper,
  mayBeNull,
  mayBeValue: true,
});
const NULLS: TextRange = { lower: null, upper: null, mayBeNull: true, mayBeValue: false };

/** New values, ranges of files, and the numbers of those that may hold one of the values. */
const CASES: readonly (readonly [
  what: string,
  type: Column['type'],
  values: readonly string[],
  files: readonly TextRange[],
  found: readonly number[],
  nulls?: boolean,
])[] = [
  [
    'bounds are within, and what lies between two new values is not looked at',
    { kind: 'bigint' },
    ['5', '100'],
    [
      between('1', '4'),
      between('1', '5'),
      between('5', '9'),
      between('6', '99'),
      between('100', '100'),
      between('101', '9999999999'),
    ],
    [1, 2, 4],
  ],
  [
    'a bound that is not known excludes nothing',
    { kind: 'int' },
    ['5'],
    [between(null, '4'), between('6', null), between(null, null)],
    [0, 1, 2],
  ],
  [
    'a bound that is no value to the engine excludes nothing',
    { kind: 'date' },
    ["'2026-01-01'"],
    [between('99999999-01-01', '99999999-01-01'), between('2026-01-02', '2026-01-03')],
    [0],
  ],
  [
    'text is ordered by its bytes',
    { kind: 'string' },
    ["'é'"],
    [between('a', 'z'), between('z', 'ê'), between('É', 'è')],
    [1],
  ],
  [
    'times with a zone are those of UTC',
    { kind: 'timestamptz' },
    ["'2026-01-01 12:00:00+00'"],
    [
      between('2026-01-01T12:00:00.000000', '2026-01-01T12:00:00.000000'),
      between('2026-01-01T13:00:00.000000', '2026-01-01T13:00:00.000000'),
    ],
    [0],
  ],
  [
    'decimals',
    { kind: 'decimal', precision: 5, scale: 2 },
    ['1.25'],
    [between('1.24', '1.25'), between('1.26', '2.00')],
    [0],
  ],
  ['nulls are equal to nothing', { kind: 'int' }, ['NULL'], [between('1', '4', true), NULLS], []],
  [
    'or to each other',
    { kind: 'int' },
    ['NULL', '3'],
    [between('7', '8', true), NULLS, between('7', '8'), between('1', '4')],
    [0, 1, 3],
    true,
  ],
  ['no new rows', { kind: 'int' }, [], [between('1', '4'), between(null, null)], [1]],
];

test('files that may hold a new value', async (t) => {
  for (const [what, type, values, files, found, nulls = false] of CASES) {
    await t.test(what, async () => {
      const column = type.kind === 'decimal' ? 'DECIMAL(5,2)' : type.kind === 'timestamptz' ? 'TIMESTAMPTZ' : type.kind;
      await db.table('fresh', `"k 1" ${column}`, values);
      const columns = [{ name: 'k 1', type }];
      const rows = await db.rows(
        findCandidates({ from: sql`fresh`, columns, files: files.map((one) => [one]), nulls }),
      );
      assert.deepEqual(
        rows.map(({ nth }) => nth),
        found,
      );
    });
  }
});

test('of several columns each has to have room for a new value', async () => {
  await db.table('fresh', 'a INTEGER, b VARCHAR', ["1, 'x'", "9, 'y'"]);
  const columns: readonly Column[] = [
    { name: 'a', type: { kind: 'int' } },
    { name: 'b', type: { kind: 'string' } },
  ];
  const files = [
    [between('1', '1'), between('x', 'x')],
    [between('1', '1'), between('z', 'z')],
    [between('2', '8'), between('x', 'x')],
    [between('2', '9'), between(null, null)],
  ];
  const rows = await db.rows(findCandidates({ from: sql`fresh`, columns, files, nulls: false }));
  assert.deepEqual(rows, [{ nth: 0 }, { nth: 3 }]);
});

test('what is kept of the table is what new rows have, once', async () => {
  await db.table('fresh', 'a INTEGER, b VARCHAR', ["1, 'x'", "1, 'x'", "2, 'y'", 'NULL, NULL']);
  await db.table('old', 'b VARCHAR, a INTEGER, h VARCHAR', [
    "'x', 1, 'h1'",
    "'x', 1, 'h1'",
    "'x', 1, 'h2'",
    "'x', 2, 'h3'",
    "NULL, NULL, 'h4'",
  ]);
  const rows = { relation: sql`old`, columns: ['a', 'b', 'h'] };
  await db.run(createEqual(ownName('__kept'), rows, { from: sql`fresh`, by: ['a', 'b'] }));
  assert.deepEqual(await db.values('FROM __kept ORDER BY ALL'), [
    [1, 'x', 'h1'],
    [1, 'x', 'h2'],
  ]);
});
