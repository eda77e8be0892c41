import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ColumnDefinition } from '../../lib/define/index.ts';
import type { JsonValue } from '../../lib/ports.ts';
import { type BadSource, type Outcome, runSources } from './bad-lake.ts';

type Rule = Pick<ColumnDefinition, 'type' | 'parse'>;
const TYPE = 'TYPE_ERROR';
const TIME = 'TIMESTAMP_ERROR';

/** What a text becomes under a type: a value, or the code for which its row goes to quarantine. */
const CASES: readonly (readonly [rule: Rule, texts: Readonly<Record<string, JsonValue>>])[] = [
  [
    { type: 'int' },
    {
      '7': 7,
      ' -7 ': -7,
      '+7': 7,
      '007': 7,
      '2147483647': 2147483647,
      '2147483648': TYPE,
      '-2147483649': TYPE,
      '1.0': TYPE,
      '1.7': TYPE,
      '1e3': TYPE,
      '0x1F': TYPE,
      '1_000': TYPE,
      '1,000': TYPE,
      NaN: TYPE,
      '': null,
      ' ': TYPE,
      null: TYPE,
    },
  ],
  [
    { type: 'bigint' },
    {
      '9223372036854775807': '9223372036854775807',
      '9223372036854775808': TYPE,
      '-9223372036854775808': '-9223372036854775808',
      '99999999999999999999': TYPE,
    },
  ],
  [
    { type: 'bigint', parse: 'numeric' },
    {
      '17850.0': 17850,
      '1e3': 1000,
      '-2.50': TYPE,
      '9007199254740993.00': '9007199254740993',
      '9223372036854775808.0': TYPE,
      x: TYPE,
    },
  ],
  [
    { type: 'decimal(12,2)' },
    {
      '1': '1.00',
      '1.5': '1.50',
      '1.50': '1.50',
      '1.500': '1.50',
      '1.505': TYPE,
      '.5': '0.50',
      '5.': '5.00',
      '-0.01': '-0.01',
      '9999999999.99': '9999999999.99',
      '10000000000.00': TYPE,
      '1e2': TYPE,
      '1_0.0': TYPE,
      $5: TYPE,
    },
  ],
  [
    { type: 'decimal(38,10)' },
    {
      '9999999999999999999999999999.9999999999': '9999999999999999999999999999.9999999999',
      '99999999999999999999999999999': TYPE,
      '0.00000000001': TYPE,
    },
  ],
  [{ type: 'decimal(5,0)' }, { '99999': '99999', '12.0': '12', '12.1': TYPE, '.0': '0' }],
  [
    { type: 'decimal(12,2)', parse: 'numeric' },
    { '1e2': '100.00', '1.005': TYPE, '12': '12.00' },
  ],
  [
    { type: 'double' },
    {
      '1.5': 1.5,
      '1e308': 1e308,
      '1e309': TYPE,
      '-inf': '-Infinity',
      nan: 'NaN',
      '0x10': TYPE,
      '1_0': TYPE,
      '1,5': TYPE,
    },
  ],
  [{ type: 'float' }, { '0.5': 0.5, '1e39': TYPE }],
  [{ type: 'boolean' }, { true: true, FALSE: false, t: true, '1': true, '0': false, yes: true, on: TYPE, '2': TYPE }],
  [
    { type: 'date' },
    {
      '2020-02-29': '2020-02-29',
      '2021-02-29': TIME,
      '2020-13-01': TIME,
      '2020-2-9': '2020-02-09',
      '0001-01-01': '0001-01-01',
      '1969-12-31': '1969-12-31',
      '2020-01-01 10:00:00': TIME,
      '01/02/2020': TIME,
      infinity: TIME,
      epoch: TIME,
      '20200101': TIME,
    },
  ],
  [
    { type: 'date', parse: ['%d/%m/%Y', '%Y%m%d'] },
    { '29/02/2020': '2020-02-29', '20200229': '2020-02-29', '30/02/2020': TIME, '2020-02-29': TIME },
  ],
  [
    { type: 'timestamp' },
    {
      '2020-01-02 03:04:05': '2020-01-02 03:04:05',
      '2020-01-02T03:04:05.123456': '2020-01-02 03:04:05.123456',
      '2020-01-02': '2020-01-02 00:00:00',
      '2020-01-02 03:04': '2020-01-02 03:04:00',
      '2020-01-02 03:04:05+02:00': '2020-01-02 01:04:05',
      '2020-01-02T03:04:05Z': '2020-01-02 03:04:05',
      '2020-01-02 03:04:05-0530': '2020-01-02 08:34:05',
      '2020-01-02 25:00:00': TIME,
      '2020-02-30 00:00:00': TIME,
      '1969-12-31 23:59:59.999999': '1969-12-31 23:59:59.999999',
      infinity: TIME,
      now: TIME,
      epoch: TIME,
      '2020-01-02 03:04:05.1234560': '2020-01-02 03:04:05.123456',
      '2020-01-02 03:04:05.123456+02:00': '2020-01-02 01:04:05.123456',
      '2020-01-02 03:04:05.1234567': TIME,
    },
  ],
  [
    { type: 'timestamptz' },
    {
      '2020-01-02 03:04:05': '2020-01-02 03:04:05+00',
      '2020-01-02 03:04:05+02': '2020-01-02 01:04:05+00',
      '2020-01-02T03:04:05Z': '2020-01-02 03:04:05+00',
      '2020-01-32': TIME,
    },
  ],
  [
    { type: 'timestamp', parse: 'epoch_seconds' },
    {
      '0': '1970-01-01 00:00:00',
      '-1': '1969-12-31 23:59:59',
      '1577934245': '2020-01-02 03:04:05',
      '1.5': TIME,
      '99999999999999999': TIME,
      x: TIME,
    },
  ],
  [
    { type: 'timestamptz', parse: 'epoch_millis' },
    { '1577934245123': '2020-01-02 03:04:05.123+00', '1.0': '1970-01-01 00:00:00.001+00' },
  ],
  [
    { type: 'date', parse: 'epoch_seconds' },
    { '1577923200': '2020-01-02', '1577934245': '2020-01-02', '-86400': '1969-12-31' },
  ],
  [
    { type: 'list<int>' },
    {
      '[1,2,null]': [1, 2, null],
      '[]': [],
      ' [ 1 ] ': [1],
      '[1,"x"]': TYPE,
      '[2147483648]': TYPE,
      '["3"]': [3],
      '[1.5]': TYPE,
      '1': TYPE,
      '[1': TYPE,
    },
  ],
  [
    { type: 'struct<a: int, b: string>' },
    {
      '{"a":1,"b":"x"}': { a: 1, b: 'x' },
      '{"a":null,"b":null}': { a: null, b: null },
      '{"a":1}': { a: 1, b: null },
      '{"b":null}': { a: null, b: null },
      '{}': { a: null, b: null },
      '{"a":{},"b":"x"}': TYPE,
      '{"a":"x","b":"y"}': TYPE,
      '{"a":1.5,"b":"y"}': TYPE,
      '[]': TYPE,
    },
  ],
  [
    { type: 'list<struct<at: timestamp, x: list<decimal(5,2)>>>' },
    {
      '[{"at":"2020-01-02T03:04:05+01:00","x":[1,2.5,"3.25"]},null]': [
        { at: '2020-01-02 02:04:05', x: ['1.00', '2.50', '3.25'] },
        null,
      ],
      '[{},{"x":null},{"x":[null]}]': [
        { at: null, x: null },
        { at: null, x: null },
        { at: null, x: [null] },
      ],
      '[[]]': TYPE,
      '[7]': TYPE,
      '[{"x":{}}]': TYPE,
      '[{"at":"2020-01-02","x":[2.555]}]': TYPE,
      '[{"at":"2020-13-02","x":[]}]': TYPE,
    },
  ],
];

function ruleText({ type, parse }: Rule): string {
  return parse === undefined ? type : `${type} by ${parse}`;
}

const sources: Record<string, BadSource> = {};
for (const [i, [rule, texts]] of CASES.entries()) {
  const columns = { n: 'int', v: rule } as const;
  const values = Object.keys(texts);
  const quoted = values.map((text) => (text === '' ? '' : `"${text.replaceAll('"', '""')}"`));
  sources[`csv_${i}`] = {
    csv: { columns },
    files: { 'a.csv': `n,v\n${quoted.map((text, n) => `${n},${text}\n`).join('')}` },
  };
  const objects = values.map((text, n) => ({ n, v: text === '' ? null : text }));
  sources[`lines_${i}`] = {
    json: { columns },
    files: { 'a.json': objects.map((o) => `${JSON.stringify(o)}\n`).join('') },
  };
  sources[`array_${i}`] = { json: { columns, layout: 'array' }, files: { 'a.json': JSON.stringify(objects, null, 1) } };
}
const outcomes = runSources(sources);

for (const [i, [rule, texts]] of CASES.entries()) {
  for (const format of ['csv', 'lines', 'array']) {
    test(`${ruleText(rule)} from text in ${format}`, async () => {
      const outcome = (await outcomes)[`${format}_${i}`];
      assert.ok(outcome);
      checkValues(outcome, texts, format === 'csv' ? 2 : 1);
    });
  }
}

/** Every text became its value or was refused on its line. */
function checkValues(outcome: Outcome, texts: Readonly<Record<string, JsonValue>>, firstLine: number): void {
  const got: Record<string, JsonValue> = {};
  const names = Object.keys(texts);
  for (const row of outcome.rows) got[names[Number(row['n'])] ?? ''] = row['v'] ?? null;
  for (const row of outcome.quarantine) {
    const name = names[row.line - firstLine] ?? '';
    got[name] = row.codes.join();
    assert.match(row.details[0] ?? '', /^v[^:]*: got '.*'; expected /);
    if (!/^[[{]/.test(name)) assert.ok(row.details[0]?.startsWith(`v: got '${name}'; expected `), row.details[0]);
  }
  assert.deepEqual(got, texts);
}
