import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { PartitionField } from '../../lib/core/spec.ts';
import type { Column } from '../../lib/core/types.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { listPartitions, renderPartitions } from '../../lib/sql/touched.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();
const columns: readonly Column[] = [
  { name: 'day', type: { kind: 'date' } },
  { name: 'region', type: { kind: 'string' } },
];
const month: PartitionField = { column: 'day', transform: { kind: 'month' } };
const region: PartitionField = { column: 'region', transform: { kind: 'identity' } };
const ROWS = ["'2026-01-31', 'it''s'", "'2026-02-01', 'x'", "'2026-02-28', 'x'", "'2026-02-28', NULL", "NULL, 'x'"];

before(async () => db.table('t', 'day DATE, region VARCHAR', ROWS));

test('lists each partition once, nulls too', async () => {
  const listed = await db.rows(listPartitions(sql`t`, { fields: [month, region], columns }));
  assert.deepEqual(
    listed.map((row) => Object.values(row)),
    [
      ['672', "it's"],
      ['673', 'x'],
      ['673', null],
      [null, 'x'],
    ],
  );
});

test('takes the rows of some partitions', async () => {
  const count = async (
    fields: readonly PartitionField[],
    partitions: readonly (readonly (string | null)[])[],
  ): Promise<unknown> =>
    (await db.values(`SELECT count(*) FROM ${renderPartitions(sql`t`, { fields, columns }, partitions)}`))[0]?.[0];
  assert.equal(await count([month], [['673']]), 3);
  assert.equal(await count([month], [['673'], [null]]), 4);
  assert.equal(await count([region], [["it's"]]), 1);
  assert.equal(
    await count(
      [month, region],
      [
        ['673', null],
        ['672', "it's"],
      ],
    ),
    2,
  );
  assert.equal(await count([month, region], [['672', 'x']]), 0);
});

const TYPED: readonly Column[] = [
  ...columns,
  { name: 'at', type: { kind: 'timestamptz' } },
  { name: 'id', type: { kind: 'bigint' } },
];

/** Field -> the rows of each partition, in the order of the partitions, nulls last. */
const FIELDS: readonly (readonly [field: PartitionField, ids: readonly (readonly number[])[]])[] = [
  [{ column: 'day', transform: { kind: 'identity' } }, [[1], [2, 3], [4], [5]]],
  [{ column: 'day', transform: { kind: 'day' } }, [[1], [2, 3], [4], [5]]],
  [{ column: 'day', transform: { kind: 'year' } }, [[1], [2, 3, 4], [5]]],
  [{ column: 'region', transform: { kind: 'truncate', width: 2 } }, [[1, 2], [3], [4], [5]]],
  [{ column: 'id', transform: { kind: 'truncate', width: 2 } }, [[1], [2, 3], [4, 5]]],
  [{ column: 'at', transform: { kind: 'hour' } }, [[1, 2], [3, 4], [5]]],
  [{ column: 'at', transform: { kind: 'day' } }, [[1, 2, 3, 4], [5]]],
];

test('what is listed takes its rows back, whatever the transform', async () => {
  await db.table('u', 'id BIGINT, day DATE, region VARCHAR, "at" TIMESTAMPTZ', [
    "4, '2026-02-03', '', '2026-01-01T23:59:59.999999Z'",
    "3, '2026-02-01', 'DF', '2026-01-01T23:00:00Z'",
    "1, '2025-12-31', 'DE-1', '2026-01-01T22:00:00Z'",
    '5, NULL, NULL, NULL',
    "2, '2026-02-01', 'DE-2', '2026-01-01T22:59:59Z'",
  ]);
  for (const [field, ids] of FIELDS) {
    const by = { fields: [field], columns: TYPED };
    const partitions = (await db.rows(listPartitions(sql`u`, by))).map((row) => [row['p0'] as string | null]);
    const found = [];
    for (const partition of partitions) {
      const rows = await db.values(`SELECT id FROM ${renderPartitions(sql`u`, by, [partition])} ORDER BY id`);
      found.push(rows.flat().map(Number));
    }
    const name = JSON.stringify(field);
    assert.deepEqual(
      found.toSorted((a, b) => Number(a[0]) - Number(b[0])),
      ids,
      name,
    );
    assert.deepEqual(partitions.flat(), partitions.flat().toSorted(), `${name} in order`);
    assert.deepEqual(await db.values(`SELECT count(*) FROM ${renderPartitions(sql`u`, by, partitions)}`), [[5]], name);
  }
});

test('says of a part of a time from when to when it is, where all partitions have one', () => {
  const where = (
    kind: 'year' | 'month' | 'day' | 'hour',
    column: string,
    ...values: readonly (string | null)[]
  ): string =>
    renderPartitions(
      sql`u`,
      { fields: [{ column, transform: { kind } }], columns: TYPED },
      values.map((value) => [value]),
    );
  const span = (text: string): string | undefined => / AND (.*)\)$/.exec(text)?.[1];
  assert.equal(
    span(where('month', 'day', '673', '671')),
    `"day" >= CAST('2025-12-01 00:00:00' AS DATE) AND "day" < CAST('2026-03-01 00:00:00' AS DATE)`,
  );
  assert.equal(
    span(where('year', 'day', '-1')),
    `"day" >= CAST('1969-01-01 00:00:00' AS DATE) AND "day" < CAST('1970-01-01 00:00:00' AS DATE)`,
  );
  assert.equal(
    span(where('hour', 'at', '490895')),
    `"at" >= CAST('2025-12-31 23:00:00' AS TIMESTAMP WITH TIME ZONE) AND "at" < CAST('2026-01-01 00:00:00' AS TIMESTAMP WITH TIME ZONE)`,
  );
  assert.equal(
    span(where('day', 'at', '2024-02-29')),
    `"at" >= CAST('2024-02-29 00:00:00' AS TIMESTAMP WITH TIME ZONE) AND "at" < CAST('2024-03-01 00:00:00' AS TIMESTAMP WITH TIME ZONE)`,
  );
  for (const values of [['673', null], ['99999999'], ['-99999']])
    assert.equal(span(where('month', 'day', ...values)), undefined);
  assert.equal(span(where('day', 'at', 'infinity')), undefined);
});

test('a partition column that the table lacks is refused', () => {
  const by = { fields: [{ column: 'other', transform: { kind: 'identity' } }] as const, columns };
  assert.throws(() => listPartitions(sql`t`, by), RangeError);
});
