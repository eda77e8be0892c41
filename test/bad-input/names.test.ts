import assert from 'node:assert/strict';
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import test from 'node:test';
import type { CsvOptions } from '../../lib/define/index.ts';
import { type BadSource, runSource, runSources } from './bad-lake.ts';

/** Every name is a file name, a column name and a value at once. */
const NAMES = [
  'with space',
  "it's",
  'a "quoted" one',
  'semi;colon',
  "'; DROP TABLE x; --",
  '") AS y FROM range(9) --',
  'zoë 日本 😀',
  'star*[a-z]?{x,y}',
  'k=v',
  '%41 + \\n & #$',
  'ünïcödé"\'`',
  '--comment /* x */',
  'a.b,c',
  '~/$HOME',
  's3:bucket',
  '{}',
  '\u00e9 \u0065\u0301',
  'null',
  'select',
];
const field = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const CONTENT = `${NAMES.map(field).join(',')}\n${NAMES.map(field).join(',')}\n${NAMES.map(field).slice(1).join(',')}\n`;
const columns: CsvOptions['columns'] = Object.fromEntries(NAMES.map((name) => [name, 'string']));
const row = Object.fromEntries(NAMES.map((name) => [name, name]));
const json = `${JSON.stringify(row)}\n{${JSON.stringify(NAMES[0])}:1} x\n`;
const names: readonly string[] = NAMES.map((name) => `${name.replaceAll('/', '∕')}.csv`);
const files = (content: string): BadSource['files'] => Object.fromEntries(names.map((name) => [name, content]));

test('file names, column names and values of any characters', async () => {
  const outcomes = await runSources(
    {
      csv: { csv: { columns }, files: files(CONTENT) },
      json: { json: { columns }, files: files(json) },
      array: { json: { columns, layout: 'array' }, files: files(JSON.stringify([row])) },
    },
    // The lake's own folder may have any name too.
    { root: "my lake [1] *it's*/data=1" },
  );
  for (const [format, outcome] of Object.entries(outcomes)) {
    assert.equal(outcome.rows.length, NAMES.length, format);
    for (const one of outcome.rows) assert.deepEqual(one, row, format);
    if (format === 'array') continue;
    assert.deepEqual(outcome.quarantine.map((refused) => refused.file).sort(), [...names].sort(), format);
    for (const refused of outcome.quarantine) assert.equal(refused.line, format === 'csv' ? 3 : 2);
  }
});

test('a name that is a pattern stands for its own file only', async () => {
  const csv = { columns: { id: 'bigint' } } as const;
  const outcome = await runSource({ csv, files: { 'a*.csv': 'id\n1\n', 'ab.csv': 'id\n2\n', 'a[b].csv': 'id\n3\n' } });
  assert.deepEqual(outcome.rows.map((one) => one['id']).sort(), [1, 2, 3]);
});

test('a folder named x.csv holds files; an empty one is nothing', async () => {
  const csv = { columns: { id: 'bigint' } } as const;
  const outcome = await runSource(
    { csv, files: { 'x.csv/part-1.csv': 'id\n1\n', 'x.csv/date=2020-01-01/id=9.csv': 'id\n2\n', 'y.csv': 'id\n3\n' } },
    { landed: async (folder) => void (await mkdir(join(folder, 'rows', 'empty.csv'))) },
  );
  assert.deepEqual(outcome.rows.map((one) => one['id']).sort(), [1, 2, 3]);
});

test('a link to a file is that file; one that leads nowhere is nothing', async () => {
  const csv = { columns: { id: 'bigint' } } as const;
  const source = { csv, files: { 'y.csv': 'id\n3\n' }, ledger: ['link.csv', 'y.csv'] };
  const outcome = await runSource(source, {
    landed: async (folder) => {
      await symlink('y.csv', join(folder, 'rows', 'link.csv'));
      await symlink('nowhere.csv', join(folder, 'rows', 'dangling.csv'));
    },
  });
  assert.deepEqual(
    outcome.rows.map((one) => one['id']),
    [3, 3],
  );
});
