import assert from 'node:assert/strict';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { sql } from '../../lib/sql/fragment.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { type WriteRequest, writeTable } from '../../lib/sql/write.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();

/** Of 30,000 rows in one row group: how many different values each column has. */
const VALUES = { few: 100, some: 5_500, all: 30_000 };

/** The columns that a file has a dictionary for. */
async function withDictionary(folder: string, how: Pick<WriteRequest, 'full' | 'packed'>): Promise<readonly unknown[]> {
  const names = Object.keys(VALUES) as (keyof typeof VALUES)[];
  const columns = names.map((name) => ({ name, type: { kind: 'bigint' } }) as const);
  const made = names.map((name) => `(i * 7919) % ${VALUES[name]} AS ${name}`).join(', ');
  const rows = sql`(${userSql(`SELECT ${made} FROM range(30000) t(i)`)})`;
  const path = join(db.folder, folder);
  await mkdir(path);
  const request = {
    name: 'write',
    columns,
    fieldIds: names.map((name, at) => ({ name, id: at + 1, children: [] })),
    partitionBy: [],
    sortBy: [],
    folder: path,
    fileBytes: 1e8,
  };
  await db.run(writeTable({ ...request, from: rows, ...how }));
  const [file] = await readdir(path);
  const found = `SELECT path_in_schema FROM parquet_metadata('${join(path, file ?? '')}') WHERE encodings LIKE '%DICTIONARY%' ORDER BY column_id`;
  return (await db.values(found)).flat();
}

test('many rows have dictionaries of few values alone', async () => {
  assert.deepEqual(await withDictionary('full', { full: true }), ['few']);
});

test('so have not many rows, where nothing is given up late, and those that are packed to stay', async () => {
  assert.deepEqual(await withDictionary('usual', {}), ['few', 'some']);
  assert.deepEqual(await withDictionary('stay', { full: true, packed: 'small' }), ['few', 'some']);
});
