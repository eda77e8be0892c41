import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import type { FileValue } from '../../lib/core/file-values.ts';
import type { Column } from '../../lib/core/types.ts';
import { describeParquet, type NamedFile, renderNamedFiles } from '../../lib/sql/named-files.ts';
import { renderBucketed, renderScan } from '../../lib/sql/scan.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { openHandmade } from './handmade.ts';

const db = openHandmade();

const COLUMNS: readonly Column[] = [
  { name: 'i"d', type: { kind: 'bigint' } },
  { name: 'p', type: { kind: 'string' } },
  { name: 'gone', type: { kind: 'date' } },
  {
    name: 'l',
    type: {
      kind: 'list',
      element: { kind: 'list', element: { kind: 'struct', fields: [{ name: 'k', type: { kind: 'string' } }] } },
    },
  },
];
const struct: FileValue = {
  kind: 'struct',
  name: 'element',
  fields: [{ name: 'k', value: { kind: 'whole', name: 'K.1' } }],
};
const VALUES: ReadonlyMap<string, FileValue> = new Map<string, FileValue>([
  ['i"d', { kind: 'whole', name: 'ID' }],
  ['p', { kind: 'constant', text: "it's" }],
  ['gone', { kind: 'absent' }],
  ['l', { kind: 'list', name: 'L', element: { kind: 'list', name: 'element', element: struct } }],
]);
const file = (path: string, values = VALUES): NamedFile => ({ path, values });

test('files by name are what is rendered, one SELECT for those that are alike', async () => {
  const other = file('c.parquet', new Map([...VALUES, ['p', { kind: 'whole', name: 'p' }]]));
  const parts = renderNamedFiles(COLUMNS, [file('a.parquet'), other, file('b.parquet')]);
  const text = [...parts, describeParquet(['a.parquet']).text].join('\n\n');
  const path = new URL('golden/named-files.sql', import.meta.url);
  if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(path, text);
  assert.equal(text, await readFile(path, 'utf8'));
});

test('and are read, beside each other and with their buckets', async () => {
  const write = (name: string, select: string) =>
    db.run({ name: 'write', text: userSql(`COPY (${select}) TO '${join(db.folder, name)}' (FORMAT parquet)`) });
  await write('a.parquet', "SELECT 1::TINYINT AS ID, [[{'K.1': 5}], NULL, [NULL]] AS L, 1 AS more");
  await write('b.parquet', 'SELECT 9000000000 AS ID, NULL::STRUCT("K.1" VARCHAR)[][] AS L');
  const files = ['a.parquet', 'b.parquet'].map((name) => file(join(db.folder, name)));
  const columns = COLUMNS.map((column, at) => ({ ...column, id: at + 1 }));
  const relation = renderBucketed(
    columns,
    files.map((one, at) => ({ file: one, bucket: at + 3 })),
  );
  assert.deepEqual(await db.values(`SELECT * FROM ${relation} ORDER BY ALL`), [
    [1, "it's", null, [[{ k: '5' }], null, [null]], 3],
    [9_000_000_000, "it's", null, null, 4],
  ]);
  const deletes = join(db.folder, 'd.parquet');
  await write('d.parquet', "SELECT 'b' AS file_path, 0::BIGINT AS pos");
  const deleted = { names: ['b'], sequence: 1n, by: [{ path: deletes, sequence: 1n }] };
  const left = files.map((one, at) => (at === 0 ? one : { ...one, deleted }));
  assert.deepEqual(await db.values(`SELECT "i""d" FROM ${renderScan(columns, left)}`), [[1]]);
  const [first] = await db.rows(describeParquet([join(db.folder, 'a.parquet')]));
  assert.deepEqual(Object.keys(first ?? {}), ['path', 'name', 'children', 'repeated', 'list', 'field_id']);
});
