import assert from 'node:assert/strict';
import type { ContractColumn, ParseFormat, SourceFormat, SourceSpec } from '../../lib/core/spec.ts';
import { parseColumnType } from '../../lib/core/types.ts';
import { type Batch, countRecords, createParsed, rejectTables } from '../../lib/sql/batch.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { describeParquet, listJsonKeys } from '../../lib/sql/inspect.ts';
import type { FileLayout } from '../../lib/sql/raw-rows.ts';
import { recipeOf } from '../support/batch-recipes.ts';
import { type Step, testSteps } from './golden-steps.ts';

const COLUMNS: readonly (readonly [name: string, type: string, parse?: ParseFormat])[] = [
  ['flag', 'boolean'],
  ['small', 'int'],
  ['big', 'bigint', { kind: 'numeric' }],
  ['real', 'double'],
  ['price', 'decimal(8,2)'],
  ['day', 'date', { kind: 'strptime', formats: ['%d/%m/%Y', '%Y-%m-%d'] }],
  ['at', 'timestamp'],
  ['since', 'timestamptz', { kind: 'epoch_millis' }],
  ["na/me~'s", 'string'],
  ['raw', 'binary'],
  ['tags', 'list<int>'],
  ['who', 'struct<a: date, b: list<decimal(5,1)>>'],
];

const COLUMN_SPECS: readonly ContractColumn[] = COLUMNS.map(([name, text, parse]) => {
  const type = parseColumnType(text);
  assert.ok(type, text);
  return { source: name, name, type, parse: parse ?? { kind: 'auto' }, required: false, checks: [] };
});

function batch(format: SourceFormat, layout: FileLayout, path: string): Batch {
  const source: SourceSpec = { name: 's', format, columns: COLUMN_SPECS, key: [], drift: 'fail', ignore: [] };
  return { source, groups: [{ layout, paths: [path] }] };
}

const TEXT = {
  flag: 'true',
  small: '1',
  big: '2.0',
  real: '0.5',
  price: '12345.60',
  day: '02/01/2020',
  at: '2020-01-02T00:00:00+01:00',
  since: '1000',
  "na/me~'s": 'é',
  raw: 'ab',
  tags: '[1,2]',
  who: '{"a":"2020-01-02","b":[1.5]}',
};
const field = (text: string): string => `"${text.replaceAll('"', '""')}"`;
const CSV = `${Object.keys(TEXT).map(field).join()}\n${Object.values(TEXT).map(field).join()}\n`;
const JSON_TEXT = JSON.stringify({ ...TEXT, tags: [1, 2], who: JSON.parse(TEXT.who), small: 1, price: 12345.6 });

const lines = { maxRecordBytes: 300, maxFileBytes: 3_000_000 } as const;
const csvBatch = batch(
  { kind: 'csv', delimiter: ',', quote: '"', escape: '"', header: true, encoding: 'utf-8', nullText: [''] },
  { kind: 'csv', header: Object.keys(TEXT), ...lines },
  'in/a.csv',
);
const linesBatch = batch({ kind: 'json', layout: 'lines' }, { kind: 'lines', ...lines }, 'in/a.jsonl');
const arrayBatch = batch({ kind: 'json', layout: 'array' }, { kind: 'array', ...lines }, 'in/a.json');
const parquetBatch = batch(
  { kind: 'parquet' },
  {
    kind: 'parquet',
    columns: [
      { name: 'small', type: { kind: 'leaf', type: 'BIGINT' } },
      { name: 'price', type: { kind: 'leaf', type: 'DOUBLE' } },
      { name: 'at', type: { kind: 'leaf', type: 'VARCHAR' } },
    ],
  },
  'in/a.parquet',
);

const VALUES = {
  ...{ flag: true, small: 1, big: 2, real: 0.5, price: '12345.60', day: '2020-01-02', at: '2020-01-01 23:00:00' },
  ...{
    since: '1970-01-01 00:00:01+00',
    "na/me~'s": 'é',
    raw: 'ab',
    tags: [1, 2],
    who: { a: '2020-01-02', b: ['1.5'] },
  },
  __ok: true,
};
const NULLS = Object.fromEntries(Object.keys(VALUES).map((name) => [name, null]));

function parses(name: string, of: Batch, rows: Step['rows']): readonly Step[] {
  const [parsed] = createParsed(of, rejectTables(name), recipeOf());
  assert.ok(parsed);
  return [
    { golden: `parse-${name}`, statement: parsed },
    { golden: 'parse-rows', statement: { name: 'rows', text: sql`FROM __parsed` }, ...(rows && { rows }) },
    { golden: 'parse-drop', statement: { name: 'drop', text: sql`DROP TABLE __parsed` } },
  ];
}

const FILES = { 'a.csv': CSV, 'a.jsonl': `${JSON_TEXT}\n{"small":1.5}\n`, 'a.json': `${JSON_TEXT}\n7\n` };

testSteps(FILES, () => [
  ...parses('csv', csvBatch, [VALUES]),
  ...parses('lines', linesBatch, [VALUES, { ...NULLS, small: 2, __ok: false }]),
  ...parses('array', arrayBatch, [VALUES, { ...NULLS, __ok: false }]),
  {
    golden: 'parse-make-parquet',
    statement: {
      name: 'make',
      text: sql`COPY (SELECT 1::BIGINT AS small, 2.5::DOUBLE AS price, '2020-01-02' AS "at" UNION ALL SELECT 2, 2.555, 'x') TO 'in/a.parquet'`,
    },
  },
  ...parses('parquet', parquetBatch, [
    { ...NULLS, small: 1, price: '2.50', at: '2020-01-02 00:00:00', __ok: true },
    { ...NULLS, small: 2, price: '2.56', at: null, __ok: false },
  ]),
  {
    golden: 'batch-records',
    statement: countRecords(parquetBatch),
    rows: [{ file: 'in/a.parquet', records: 2 }],
  },
  {
    golden: 'inspect-parquet',
    statement: describeParquet('in/a.parquet'),
    check: (rows) => assert.equal(rows.length, 2),
  },
  {
    golden: 'inspect-keys-lines',
    statement: listJsonKeys({ layout: { kind: 'lines', ...lines }, paths: ['in/a.jsonl'] }),
    check: (rows) => assert.equal(rows.length, COLUMNS.length),
  },
  {
    golden: 'inspect-keys-array',
    statement: listJsonKeys({ layout: { kind: 'array', ...lines }, paths: ['in/a.json'] }),
    check: (rows) => assert.equal(rows.length, COLUMNS.length),
  },
]);
