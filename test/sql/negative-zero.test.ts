import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import type { Column, ColumnType } from '../../lib/core/types.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { NEGATIVE_ZERO, refuseNegativeZero } from '../../lib/sql/negative-zero.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { writeTable } from '../../lib/sql/write.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();

const COLUMNS: readonly Column[] = [
  { name: 'x', type: { kind: 'double' } },
  { name: 's', type: { kind: 'struct', fields: [{ name: "it's", type: { kind: 'float' } }] } },
  { name: 't', type: { kind: 'string' } },
];

test('both ways of writing a table are what is rendered', async () => {
  const statement = writeTable({
    name: 'write',
    from: sql`t`,
    columns: COLUMNS,
    fieldIds: [],
    partitionBy: [],
    sortBy: ['x', 't'],
    folder: 'out',
    fileBytes: 1_000_000,
  });
  const text = `${statement.text}\n\n${statement.exact}`;
  const path = new URL('golden/write-floats.sql', import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(path, text);
  assert.equal(text, await readFile(path, 'utf8'));
});

const LIST: ColumnType = {
  kind: 'list',
  element: { kind: 'struct', fields: [{ name: 'z', type: { kind: 'double' } }] },
};
const CASES: readonly (readonly [string, ColumnType, boolean])[] = [
  ["'-0.0'::DOUBLE", { kind: 'double' }, true],
  ["'-0.0'::FLOAT", { kind: 'float' }, true],
  ['0.0::DOUBLE', { kind: 'double' }, false],
  ['-1e-300::DOUBLE', { kind: 'double' }, false],
  ["'-inf'::DOUBLE", { kind: 'double' }, false],
  ["'-nan'::DOUBLE", { kind: 'double' }, false],
  ['NULL::DOUBLE', { kind: 'double' }, false],
  ["[NULL, {'z': NULL}, {'z': 1.5}, {'z': '-0.0'::DOUBLE}]", LIST, true],
  ["[NULL, {'z': NULL}, {'z': 0.0::DOUBLE}]", LIST, false],
  ['NULL::STRUCT(z DOUBLE)[]', LIST, false],
  ['[]::STRUCT(z DOUBLE)[]', LIST, false],
];

for (const [value, type, refused] of CASES) {
  test(`${value} ${refused ? 'fails' : 'passes'}`, async () => {
    await db.run({ name: 'values', text: userSql(`CREATE OR REPLACE TABLE v AS SELECT ${value} AS v FROM range(3)`) });
    const read = db.values(`SELECT ${refuseNegativeZero(sql`v`, type)} IS NOT DISTINCT FROM v FROM v`);
    if (refused) await assert.rejects(read, new RegExp(NEGATIVE_ZERO));
    else assert.deepEqual(await read, [[true], [true], [true]]);
  });
}
