import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Column, parseColumnType } from '../../lib/core/types.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { fingerprintRows } from '../../lib/sql/rewrite.ts';
import { renderParquet } from '../../lib/sql/scan.ts';
import { duckType } from '../../lib/sql/types.ts';
import { writeTable } from '../../lib/sql/write.ts';
import { APART } from './apart.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();

for (const [text, values] of Object.entries(APART)) {
  test(`rows that differ in a ${text} alone have fingerprints of their own, in any order`, async () => {
    const type = parseColumnType(text);
    assert.ok(type);
    const columns = [
      { name: 'id', type: { kind: 'int' } },
      { name: 'x', type },
    ] as const;
    const prints = new Set<unknown>();
    for (const value of values) {
      await db.table('rows', `id INTEGER, x ${duckType(type)}`, [`1, ${value}`, `2, ${values[0]}`]);
      const [print] = await db.rows(fingerprintRows(sql`rows`, columns));
      const [turned] = await db.rows(fingerprintRows(sql`(FROM rows ORDER BY id DESC)`, columns));
      assert.deepEqual(turned, print);
      assert.equal(print?.['rows'], 2);
      prints.add(print?.['hashes']);
    }
    assert.equal(prints.size, values.length);
  });
}

test('rows with NaN of both signs have the fingerprint of the file that they are written to', async () => {
  const double = { kind: 'double' } as const;
  const columns: readonly Column[] = [
    { name: 'x', type: double },
    { name: 'xs', type: { kind: 'list', element: double } },
    { name: 's', type: { kind: 'struct', fields: [{ name: 'y', type: double }] } },
  ];
  const value = (x: string): string => `${x}::DOUBLE, [${x}::DOUBLE, NULL], {'y': ${x}::DOUBLE}`;
  await db.table('nans', 'x DOUBLE, xs DOUBLE[], s STRUCT(y DOUBLE)', ["'nan'", "'-nan'", '1.5', "'-inf'"].map(value));
  const rows = sql`(SELECT nans.* FROM nans, range(100))`;
  const folder = join(db.folder, 'nans');
  await mkdir(folder);
  const copy = {
    name: 'write',
    from: rows,
    columns,
    fieldIds: [{ name: 'x', id: 1, children: [] }],
    partitionBy: [],
    sortBy: [],
    folder,
    fileBytes: 1e6,
  };
  await db.run(writeTable(copy));
  const written = renderParquet((await readdir(folder)).map((name) => join(folder, name)));
  assert.deepEqual(await db.rows(fingerprintRows(written, columns)), await db.rows(fingerprintRows(rows, columns)));
});
