import assert from 'node:assert/strict';
import test from 'node:test';
import type { CsvOptions } from '../../lib/define/index.ts';
import { type BadSource, runSources } from './bad-lake.ts';

const columns: CsvOptions['columns'] = { id: { type: 'bigint', required: true }, name: 'string', note: 'string' };
const TEXT = 'id,name,note\n1,Zoë 😀,"a\nb"\n2,日本,\n';
const ROWS = [
  { id: 1, name: 'Zoë 😀', note: 'a\nb' },
  { id: 2, name: '日本', note: null },
];
const bytes = (...parts: readonly (string | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));
const utf16be = (text: string): Buffer => Buffer.from(text, 'utf16le').swap16();
const csv = (files: BadSource['files'], options: Partial<CsvOptions> = {}): BadSource => ({
  csv: { columns, drift: 'ignore', ...options },
  files,
});

const outcomes = runSources({
  utf16: csv(
    {
      'le.csv': Buffer.from(TEXT, 'utf16le'),
      'le-bom.csv': Buffer.from(`\ufeff${TEXT}`, 'utf16le'),
      'be-bom.csv': utf16be(`\ufeff${TEXT}`),
      'half.csv': Buffer.from(TEXT, 'utf16le').subarray(0, -1),
    },
    { encoding: 'utf-16' },
  ),
  latin: csv({ 'a.csv': bytes('id,name,note\n1,Zo', [0xeb], ',', [0x80], '\n') }, { encoding: 'latin-1' }),
  undeclared: csv({
    'utf16.csv': Buffer.from(`\ufeff${TEXT}`, 'utf16le'),
    'utf16-without-bom.csv': Buffer.from(TEXT, 'utf16le'),
    'latin-header.csv': bytes('id,name,Gr', [0xf6], 'sse\n1,a,b\n'),
    'latin-rows.csv': bytes('id,name,note\n1,a,b\n2,Zo', [0xeb], ',"x\ny"\n3,c,\n4,d,', [0xff], '\nx,e,\n'),
  }),
  // Only the first row is broken in a field that nothing reads.
  unread: csv({ 'a.csv': bytes('id,extra,name,note\n1,', [0xff], ',a,b\nx,y,c,d\n3,z,e,f\n') }),
  separators: csv({ 'a.csv': 'id¦name¦note\n1¦«a¦b»¦c\n2¦d\n' }, { delimiter: '¦', quote: '' }),
  quotes: csv(
    { 'a.csv': "id\tname\tnote\n1\t'it\\'s\n'\t'a\tb'\n2\t''\tNA\n" },
    { delimiter: '\t', quote: "'", escape: '\\', nullText: ['', 'NA'] },
  ),
  headless: csv({ 'a.csv': '\n1,a,b\n\n2,c\nx,d,e\n' }, { header: false }),
});

test('UTF-16 with and without a byte order mark, in either order', async () => {
  const { utf16 } = await outcomes;
  assert.deepEqual(
    utf16.rows,
    ROWS.flatMap((row) => [row, row, row]),
  );
  assert.match(utf16.rejected['half.csv'] ?? '', /^UNREADABLE_FILE: the file is not utf-16/);
});

test('latin-1 is read as windows-1252', async () => {
  assert.deepEqual((await outcomes).latin.rows, [{ id: 1, name: 'Zoë', note: '€' }]);
});

test('files in another encoding than declared', async () => {
  const { rejected, quarantine, rows } = (await outcomes).undeclared;
  assert.match(rejected['utf16.csv'] ?? '', /begins with the byte order mark of utf-16le; expected utf-8/);
  assert.match(rejected['utf16-without-bom.csv'] ?? '', /line 1: the header holds NUL bytes/);
  assert.match(rejected['latin-header.csv'] ?? '', /line 1: the header is not utf-8/);
  assert.deepEqual(
    quarantine.map((row) => [row.file, row.line, row.codes.join(), row.details.join()]),
    [
      ['latin-rows.csv', 3, 'SCHEMA_ERROR', 'field 2: bytes that are not UTF-8'],
      ['latin-rows.csv', 6, 'SCHEMA_ERROR', 'field 3: bytes that are not UTF-8'],
      ['latin-rows.csv', 7, 'TYPE_ERROR', "id: got 'x'; expected a bigint"],
    ],
  );
  assert.deepEqual(
    rows.map((row) => row['id']),
    [1, 3],
  );
});

test('bytes that are not UTF-8 in a column that the contract does not name', async () => {
  const { quarantine, rows } = (await outcomes).unread;
  assert.deepEqual(
    quarantine.map((row) => [row.line, row.codes.join()]),
    [
      [2, 'SCHEMA_ERROR'],
      [3, 'TYPE_ERROR'],
    ],
  );
  assert.deepEqual(rows, [{ id: 3, name: 'e', note: 'f' }]);
});

test('other delimiters, quotes, escapes and null texts', async () => {
  const { separators, quotes } = await outcomes;
  assert.equal(separators.quarantine[0]?.line, 2);
  assert.equal(separators.quarantine[1]?.line, 3);
  assert.deepEqual(quotes.rows, [
    { id: 1, name: "it's\n", note: 'a\tb' },
    { id: 2, name: '', note: null },
  ]);
});

test('a file without a header begins at line 1', async () => {
  const { quarantine, rows } = (await outcomes).headless;
  assert.deepEqual(rows, [{ id: 1, name: 'a', note: 'b' }]);
  assert.deepEqual(
    quarantine.map((row) => [row.line, row.codes.join()]),
    [
      [4, 'SCHEMA_ERROR'],
      [5, 'TYPE_ERROR'],
    ],
  );
});
