import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { PartitionField } from '../../lib/core/spec.ts';
import type { Column } from '../../lib/core/types.ts';
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
  const listed = await db.rows(listPartitions('t', { fields: [month, region], columns }));
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
    (await db.values(`SELECT count(*) FROM ${renderPartitions('t', { fields, columns }, partitions)}`))[0]?.[0];
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
