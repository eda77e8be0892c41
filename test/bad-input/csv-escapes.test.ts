import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { CsvOptions } from '../../lib/define/index.ts';
import { runSources } from './bad-lake.ts';

const columns: CsvOptions['columns'] = { n: 'int', a: 'string', b: 'string' };
const lines = (...texts: readonly string[]): string => `${texts.join('\n')}\n`;

const QUOTED = lines(
  '\ufeff"n","a","b"',
  '1,"say \\"hi\\"",\\N',
  '2,"C:\\\\","\\\\N"',
  '3,\\N,"two',
  'lines \\" , here"',
  '4,"",plain',
  '5,"short"',
  'x,"\\"",y',
  '6,"é\\\\é", \\N',
);
const BARE = lines(
  'n\ta\tb',
  '1\ttab\\\there\t\\N',
  '2\tC:\\\\\t\\\\N',
  '3\ttwo\\',
  'lines\t"quoted"',
  '4\t\ta\\nb',
  '5\tshort',
  'x\t\\\\\ty',
  '6\té\\\\\\\té\t\u001f',
);

const outcomes = runSources({
  quoted: { csv: { columns, escape: '\\', nullText: '\\N' }, files: { 'a.csv': QUOTED } },
  bare: { csv: { columns, delimiter: '\t', quote: '', escape: '\\', nullText: '\\N' }, files: { 'a.tsv': BARE } },
  crlf: {
    csv: { columns, escape: '\\', nullText: ['', '\\N'] },
    files: { 'a.csv': QUOTED.replaceAll('\n', '\r\n') },
  },
  wide: {
    csv: { columns, delimiter: '€', quote: '', escape: '\\', nullText: ['\\N', '-'] },
    files: { 'a.csv': lines('n€a€b', '1€x\\€y€\\N', '2€-€\\-', '3€\\\\€z') },
  },
});

test('escape \\ and null \\N beside quotes', async () => {
  const { quoted } = await outcomes;
  assert.deepEqual(quoted.rows, [
    { n: 1, a: 'say "hi"', b: null },
    { n: 2, a: 'C:\\', b: '\\N' },
    { n: 3, a: null, b: 'two\nlines " , here' },
    { n: 4, a: '', b: 'plain' },
    { n: 6, a: 'é\\é', b: ' \\N' },
  ]);
  assert.deepEqual(
    quoted.quarantine.map(({ line, raw, codes }) => [line, raw, codes.join()]),
    [
      [7, '5,"short"', 'SCHEMA_ERROR'],
      [8, '{"n":"x","a":"\\"","b":"y"}', 'TYPE_ERROR'],
    ],
  );
});

test('the same with CRLF, where an empty field is null too', async () => {
  const { crlf, quoted } = await outcomes;
  const withBreaks = quoted.rows.map((row) => ({ ...row, b: String(row['b'] ?? '').replace('\n', '\r\n') || null }));
  assert.deepEqual(crlf.rows, withBreaks);
  assert.deepEqual(
    crlf.quarantine.map((row) => row.line),
    [7, 8],
  );
});

test('escapes in files without quotes, as LOAD DATA takes them', async () => {
  const { bare } = await outcomes;
  assert.deepEqual(bare.rows, [
    { n: 1, a: 'tab\there', b: null },
    { n: 2, a: 'C:\\', b: '\\N' },
    { n: 3, a: 'two\nlines', b: '"quoted"' },
    { n: 4, a: '', b: 'a\\nb' },
    { n: 6, a: 'é\\\té', b: '\u001f' },
  ]);
  assert.deepEqual(
    bare.quarantine.map(({ line, codes }) => [line, codes.join()]),
    [
      [7, 'SCHEMA_ERROR'],
      [8, 'TYPE_ERROR'],
    ],
  );
});

test('a delimiter of several bytes can be escaped', async () => {
  const { wide } = await outcomes;
  assert.deepEqual(wide.rows, [
    { n: 1, a: 'x€y', b: null },
    { n: 2, a: null, b: '\\-' },
    { n: 3, a: '\\', b: 'z' },
  ]);
});
