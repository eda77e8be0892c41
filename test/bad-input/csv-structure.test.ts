import assert from 'node:assert/strict';
import test from 'node:test';
import type { CsvOptions } from '../../lib/define/index.ts';
import { type Outcome, runSources } from './bad-lake.ts';

const COLUMNS: CsvOptions['columns'] = {
  id: { type: 'bigint', required: true },
  name: 'string',
  amount: 'decimal(12,2)',
};
const HEADER = 'id,name,amount\n';
const GOOD = `${HEADER}901,good,1.00\n902,good,2.00\n`;

type Expected = {
  readonly rows?: readonly (readonly [id: number, name: string | null, amount: string | null])[];
  /** Line, code and a part of the detail. */
  readonly refused?: readonly (readonly [line: number, code: string, detail: RegExp])[];
  readonly rejected?: RegExp;
};

const CASES: Readonly<Record<string, readonly [content: string, expected: Expected]>> = {
  'an empty file is rejected': ['', { rejected: /^UNREADABLE_FILE: the file is empty \(0 bytes\)/ }],
  'a header with a line break is a file without rows': [HEADER, {}],
  'a header without a line break is a file without rows': [HEADER.trim(), {}],
  'a byte order mark belongs to no column': [`\ufeff${HEADER}1,a,1.50\n`, { rows: [[1, 'a', '1.50']] }],
  'a byte order mark before a quoted name': ['\ufeff"id",name,amount\n1,a,1.50\n', { rows: [[1, 'a', '1.50']] }],
  'CRLF ends records': [
    'id,name,amount\r\n1,a,1.50\r\n2,b\r\n3,c,3.00',
    {
      rows: [
        [1, 'a', '1.50'],
        [3, 'c', '3.00'],
      ],
      refused: [[3, 'SCHEMA_ERROR', /too few fields: got 2; expected 3/]],
    },
  ],
  'line breaks of several kinds': [
    'id,name,amount\r\n1,a,1.50\n2,b,2.50\r3,"c\r\nd",3.50\r\n\n4\n',
    {
      rows: [
        [1, 'a', '1.50'],
        [2, 'b', '2.50'],
        [3, 'c\r\nd', '3.50'],
      ],
      refused: [[7, 'SCHEMA_ERROR', /too few fields: got 1; expected 3/]],
    },
  ],
  'lines that end in a carriage return alone': ['id,name,amount\r1,a,1.50\r', { rows: [[1, 'a', '1.50']] }],
  'CRLF in a quoted name of the header': ['id,name,amount,"note\r\nof it"\n1,a,1.50,x\n', { rows: [[1, 'a', '1.50']] }],
  'a line break in quotes starts no record': [
    `${HEADER}1,"a\nb\nc",1.50\n2,"d ""e"", f",2.50\nx,"g\nh",3\n4,i,y\n`,
    {
      rows: [
        [1, 'a\nb\nc', '1.50'],
        [2, 'd "e", f', '2.50'],
      ],
      refused: [
        [6, 'TYPE_ERROR', /id: got 'x'; expected a bigint/],
        [8, 'TYPE_ERROR', /amount: got 'y'; expected a decimal\(12,2\) or nothing/],
      ],
    },
  ],
  'too few and too many fields': [
    `${HEADER}1,a\n2,b,2.00\n3,c,3.00,4,5\n4\n5,e,5.00\n`,
    {
      rows: [
        [2, 'b', '2.00'],
        [5, 'e', '5.00'],
      ],
      refused: [
        [2, 'SCHEMA_ERROR', /too few fields: got 2; expected 3/],
        [4, 'SCHEMA_ERROR', /too many fields: got 5; expected 3/],
        [5, 'SCHEMA_ERROR', /too few fields: got 1; expected 3/],
      ],
    },
  ],
  'one delimiter after the last field is no field': [`${HEADER}1,a,1.00,\n`, { rows: [[1, 'a', '1.00']] }],
  'blank lines are nothing, and count as lines': [
    `${HEADER}\n1,a,1.00\n\n\n2,b\n3,c,z\n\n`,
    {
      rows: [[1, 'a', '1.00']],
      refused: [
        [6, 'SCHEMA_ERROR', /too few fields/],
        [7, 'TYPE_ERROR', /amount: got 'z'/],
      ],
    },
  ],
  'text after a closing quote': [
    `${HEADER}1,"a"b,1.00\n2,c,2.00\n`,
    { rows: [[2, 'c', '2.00']], refused: [[2, 'SCHEMA_ERROR', /field 2: text after the closing quote/]] },
  ],
  'a quote inside a bare field is text': [`${HEADER}1,5" disk,1.00\n`, { rows: [[1, '5" disk', '1.00']] }],
  'a quote that is never closed takes the rest of the file': [
    `${HEADER}1,a,1.00\n2,"b,2.00\n3,c,3.00\n`,
    { rows: [[1, 'a', '1.00']], refused: [[3, 'SCHEMA_ERROR', /a quote is never closed: the record runs to the end/]] },
  ],
  'a quote that is never closed in the last line': [
    `${HEADER}1,a,1.00\n2,"b,2.00`,
    { rows: [[1, 'a', '1.00']], refused: [[3, 'SCHEMA_ERROR', /never closed/]] },
  ],
  'NUL is a character': [
    `${HEADER}1,a\0b,1.00\n2,\0,2\0\n`,
    { rows: [[1, 'a\0b', '1.00']], refused: [[3, 'TYPE_ERROR', /amount/]] },
  ],
  'a column named twice rejects the file': [
    'id,name,amount,name\n1,a,1.00,b\n',
    { rejected: /^UNREADABLE_FILE: line 1: the header names column "name" twice/ },
  ],
  'a header with text after a closing quote rejects the file': [
    '"id"x,name,amount\n1,a,1.00\n',
    { rejected: /^UNREADABLE_FILE: line 1: the header is not one CSV record/ },
  ],
  'a blank first line rejects the file': [`\n${HEADER}1,a,1.00\n`, { rejected: /line 1: the first line is blank/ }],
  'a file with another delimiter rejects the file': [
    'id;name;amount\n1;a;1.00\n',
    {
      rejected:
        /^SCHEMA_ERROR: line 1: required column "id" is missing; the file has "id;name;amount"; is its delimiter ";"\?/,
    },
  ],
  'a zip archive is not text': ['PK\x03\x04rest', { rejected: /^UNREADABLE_FILE: the file is a zip archive/ }],
};

const names = Object.keys(CASES);
const outcomes = runSources(
  Object.fromEntries(
    Object.values(CASES).map(([content], i) => [
      `case_${i}`,
      { csv: { columns: COLUMNS, drift: 'ignore' }, files: { 'bad file.csv': content, 'good.csv': GOOD } },
    ]),
  ),
);

for (const [i, name] of names.entries()) {
  test(name, async () => checkOutcome((await outcomes)[`case_${i}`], CASES[name]?.[1]));
}

/** The two rows of the good file must have arrived whatever happened to the other. */
function checkOutcome(outcome: Outcome | undefined, expected: Expected | undefined): void {
  assert.ok(outcome && expected);
  const rows = outcome.rows.map((row) => JSON.stringify([row['id'], row['name'], row['amount']]));
  const arrived = [...(expected.rows ?? []), [901, 'good', '1.00'], [902, 'good', '2.00']];
  assert.deepEqual(rows.sort(), arrived.map((row) => JSON.stringify(row)).sort());
  const refused = outcome.quarantine.map((row) => [row.file, row.line, row.codes.join()]);
  assert.deepEqual(
    refused,
    (expected.refused ?? []).map(([line, code]) => ['bad file.csv', line, code]),
  );
  for (const [at, [, , detail]] of (expected.refused ?? []).entries()) {
    assert.match(outcome.quarantine[at]?.details.join('; ') ?? '', detail);
  }
  if (expected.rejected === undefined) assert.deepEqual(outcome.rejected, {});
  else assert.match(outcome.rejected['bad file.csv'] ?? 'not rejected', expected.rejected);
}
