import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { JsonOptions } from '../../lib/define/index.ts';
import { type BadSource, runSources } from './bad-lake.ts';

const columns: JsonOptions['columns'] = { id: { type: 'bigint', required: true }, name: 'string' };
const GOOD = '{"id":901,"name":"good"}\n';
const bytes = (...parts: readonly (string | readonly number[])[]): Buffer =>
  Buffer.concat(parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))));

const LINES = [
  '{"id":1,"name":"a"}',
  '{"id":2',
  '',
  '[1,2]',
  '"text"',
  'null',
  '{"id":3} {"id":4}',
  "{'id':5}",
  '{"name":"no id"}',
  '{"id":null,"name":"null id"}',
  '{"id":6,"name":{"b":[1,2.50]}}',
  '  {"id":7,"name":"sp\\u00e9\\n"}  ',
  '   ',
  '{"id":8,"name":"a\u0001b"}',
];

const one = (options: Partial<JsonOptions>, files: BadSource['files']): BadSource => ({
  json: { columns, drift: 'ignore', ...options },
  files,
});
const array = (...texts: readonly string[]): BadSource =>
  one(
    { layout: 'array' },
    { 'good.json': `[${GOOD}]`, ...Object.fromEntries(texts.map((text, i) => [`${i}.json`, text])) },
  );

const outcomes = runSources({
  lines: one({}, { 'a.json': `\ufeff${LINES.join('\r\n')}`, 'good.json': GOOD, 'empty.json': '' }),
  encoding: one({}, { 'a.json': bytes('{"id":1,"name":"', [0xff], '"}\n', GOOD) }),
  broken_arrays: array(
    '{"id":1}',
    '[{"id":1}',
    '[{"id":1}{"id":2}]',
    '[{"id":1},]',
    '[{"id":1}] x',
    'text',
    '[{"id":1}][{"id":2}]',
  ),
  elements: array('[]', ' [ ] ', '[{"id":1},2,null,"x",[{"id":2}],{"id":"y"},{"id":3,"name":"c"}]', '\ufeff[{"id":4}]'),
  numbers: {
    json: {
      columns: {
        n: 'int',
        big: 'bigint',
        exact: 'decimal(38,20)',
        money: 'decimal(12,2)',
        text: 'string',
        real: 'double',
      },
      drift: 'ignore',
    },
    files: {
      'a.json': [
        '{"n":1,"big":9007199254740993,"exact":12345678901234567.12345678901234567890,"money":1.10,"text":1.10,"real":1e3}',
        '{"n":2,"big":-9223372036854775808,"exact":0.00000000000000000001,"money":100,"text":12345678901234567890123,"real":0.1}',
        '{"n":3,"exact":{"x":1}}',
        '{"n":4,"money":1.005}',
        '{"n":5,"big":9223372036854775808}',
        '{"n":6,"meta":{"exact":9.12345678901234567890},"exact":1.5}',
        '{"n":7,"big":1.0}',
        '{"n":8,"real":1e400}',
        '{"n":9,"exact":-0.1000000000000000000055}',
        '{"n":10,"text":true,"money":"7.25"}',
      ].join('\n'),
    },
  },
});

test('lines that are no objects, on their lines', async () => {
  const { lines } = await outcomes;
  assert.deepEqual(
    lines.rows.map((row) => [row['id'], row['name']]),
    [
      [1, 'a'],
      [6, '{"b":[1,2.5]}'],
      [7, 'spé\n'],
      [901, 'good'],
    ],
  );
  assert.deepEqual(
    lines.quarantine.map((row) => [row.line, row.codes.join(), row.raw]),
    [2, 4, 5, 6, 7, 8, 9, 10, 13, 14].map((line) => [
      line,
      line === 9 || line === 10 ? 'NULL_VALUE_ERROR' : 'SCHEMA_ERROR',
      line === 14 ? '{"id":8,"name":"a\u0001b"}' : LINES[line - 1],
    ]),
  );
  assert.deepEqual(lines.rejected, { 'empty.json': 'UNREADABLE_FILE: the file is empty (0 bytes)' });
});

test('a line that is not UTF-8', async () => {
  const { quarantine, rows } = (await outcomes).encoding;
  assert.deepEqual(rows, [{ id: 901, name: 'good' }]);
  assert.equal(quarantine[0]?.line, 1);
  assert.match(quarantine[0]?.details.join() ?? '', /bytes that are not UTF-8/);
});

test('a file that is not one JSON array is rejected', async () => {
  const { broken_arrays } = await outcomes;
  assert.deepEqual(
    Object.keys(broken_arrays.rejected).sort(),
    ['0', '1', '2', '3', '4', '5', '6'].map((n) => `${n}.json`),
  );
  for (const reason of Object.values(broken_arrays.rejected)) assert.match(reason, /^UNREADABLE_FILE: .*JSON/);
  assert.deepEqual(broken_arrays.rows, [{ id: 901, name: 'good' }]);
});

test('elements of an array that are no objects, by their number', async () => {
  const { elements } = await outcomes;
  assert.deepEqual(
    elements.quarantine.map((row) => [row.file, row.line, row.codes.join()]),
    [
      ['2.json', 2, 'SCHEMA_ERROR'],
      ['2.json', 3, 'SCHEMA_ERROR'],
      ['2.json', 4, 'SCHEMA_ERROR'],
      ['2.json', 5, 'SCHEMA_ERROR'],
      ['2.json', 6, 'TYPE_ERROR'],
    ],
  );
  assert.deepEqual(elements.rows.map((row) => row['id']).sort(), [1, 3, 4, 901]);
});

test('numbers keep every digit that JSON gives them', async () => {
  const { numbers } = await outcomes;
  const empty = { big: null, exact: null, money: null, text: null, real: null };
  assert.deepEqual(numbers.rows, [
    {
      n: 1,
      big: '9007199254740993',
      exact: '12345678901234567.12345678901234567890',
      money: '1.10',
      text: '1.1',
      real: 1000,
    },
    {
      n: 2,
      big: '-9223372036854775808',
      exact: '0.00000000000000000001',
      money: '100.00',
      text: '12345678901234567890123',
      real: 0.1,
    },
    { ...empty, n: 6, exact: '1.50000000000000000000' },
    { ...empty, n: 10, text: 'true', money: '7.25' },
  ]);
  assert.deepEqual(
    numbers.quarantine.map((row) => [row.line, row.codes.join(), row.details[0]?.split(':')[0]]),
    [
      [3, 'TYPE_ERROR', 'exact'],
      [4, 'TYPE_ERROR', 'money'],
      [5, 'TYPE_ERROR', 'big'],
      [7, 'TYPE_ERROR', 'big'],
      [8, 'TYPE_ERROR', 'real'],
      [9, 'TYPE_ERROR', 'exact'],
    ],
  );
});
