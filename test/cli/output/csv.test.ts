import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parse } from 'csv-parse/sync';
import fc from 'fast-check';
import { renderCsv, renderCsvRecords, SAFE_CSV } from '../../../lib/cli/output/csv.ts';
import { chooseFormat } from '../../../lib/cli/output/rows-by-page.ts';
import type { Row } from '../../../lib/ports.ts';

const CASES: readonly { readonly name: string; readonly rows: readonly Row[]; readonly text: string }[] = [
  { name: 'null is empty, an empty string is quoted', rows: [{ a: null, b: '', c: 1 }], text: 'a,b,c\r\n,"",1\r\n' },
  { name: 'commas and quotes', rows: [{ a: 'x,y', b: 'say "hi"' }], text: 'a,b\r\n"x,y","say ""hi"""\r\n' },
  { name: 'every kind of line break', rows: [{ a: '1\n2', b: '1\r2' }], text: 'a,b\r\n"1\n2","1\r2"\r\n' },
  { name: 'outer spaces', rows: [{ a: ' x', b: 'x ', c: 'x y' }], text: 'a,b,c\r\n" x","x ",x y\r\n' },
  {
    name: 'booleans and exact numbers',
    rows: [{ a: true, b: false, c: '12.30' }],
    text: 'a,b,c\r\ntrue,false,12.30\r\n',
  },
  { name: 'nested values as JSON', rows: [{ a: { k: [1, null] } }], text: 'a\r\n"{""k"":[1,null]}"\r\n' },
  { name: 'a header that needs quotes', rows: [{ 'a,b': 1 }], text: '"a,b"\r\n1\r\n' },
  { name: 'a column that only a later row has', rows: [{ a: 1 }, { b: 2 }], text: 'a,b\r\n1,\r\n,2\r\n' },
];

for (const { name, rows, text } of CASES) {
  test(name, () => assert.equal(renderCsv(rows), text));
}

test('no rows leave the header', () => {
  assert.equal(renderCsv([], [{ name: 'a' }, { name: 'b' }]), 'a,b\r\n');
});

test('columns choose and order', () => {
  assert.equal(renderCsv([{ a: 1, b: 2, c: 3 }], [{ name: 'c' }, { name: 'a' }]), 'c,a\r\n3,1\r\n');
});

test('any text and any null come back from a reader that tells "" from nothing', () => {
  const value = fc.oneof(fc.constant(null), fc.string({ unit: 'binary' }), fc.constantFrom('', '"', '\r\n', ',', ' '));
  const table = fc.array(fc.record({ a: value, b: value }), { minLength: 1 });
  fc.assert(
    fc.property(table, (rows) => {
      const back = parse(renderCsv(rows), {
        columns: true,
        record_delimiter: '\r\n',
        cast: (text, context) => (text === '' && !context.quoting ? null : text),
      });
      assert.deepEqual(
        back.map((row) => ({ ...(row as object) })),
        rows.map((row) => ({ ...row })),
      );
    }),
  );
});

test('rows that come in parts make the same text', () => {
  const rows = [
    { a: 1, b: '' },
    { a: null, b: 'x,y' },
    { a: 3, b: null },
  ];
  const columns = [{ name: 'a' }, { name: 'b' }];
  const parts = [
    renderCsv([], columns),
    ...rows.map((row) => renderCsvRecords([row], columns)),
    renderCsvRecords([], columns),
  ];
  assert.equal(parts.join(''), renderCsv(rows, columns));
});

describe('CSV for spreadsheets', () => {
  const CELLS: readonly (readonly [text: string, cell: string])[] = [
    ['=HYPERLINK("http://x","y")', `"'=HYPERLINK(""http://x"",""y"")"`],
    ['+1+cmd', "'+1+cmd"],
    ['-2+3', "'-2+3"],
    ['@SUM(A1)', "'@SUM(A1)"],
    ['\t=1', "'\t=1"],
    ['\r=1', `"'\r=1"`],
    ['\uff1d1', "'\uff1d1"],
    ['a=1', 'a=1'],
    ["'=1", "'=1"],
    ['', '""'],
  ];
  for (const [text, cell] of CELLS) {
    test(JSON.stringify(text), () => {
      assert.equal(SAFE_CSV.records([{ a: text }], [{ name: 'a', type: 'VARCHAR' }]), `${cell}\r\n`);
    });
  }

  test('numbers stay numbers where the column has some, also of Athena; names of columns are cells too', () => {
    const columns = [{ name: '=a', type: 'DECIMAL(12,2)' }, { name: 'b', type: 'bigint' }, { name: 'c' }];
    assert.equal(SAFE_CSV.header(columns), "'=a,b,c\r\n");
    assert.equal(SAFE_CSV.records([{ '=a': '-1.50', b: -2, c: '-3' }], columns), "-1.50,-2,'-3\r\n");
  });

  test('is asked for instead of a format', () => {
    assert.equal(chooseFormat(false, { safeCsv: true }), 'safe-csv');
    assert.equal(chooseFormat(false, { format: 'csv', safeCsv: true }), 'safe-csv');
    assert.throws(() => chooseFormat(true, { safeCsv: true }), /--safe-csv and --json contradict each other/);
    assert.throws(() => chooseFormat(false, { format: 'table', safeCsv: true }), /--safe-csv and --format table/);
  });
});
