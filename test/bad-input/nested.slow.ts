import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import { scd2 } from '../../lib/define/index.ts';
import { smallParquet } from '../landing/parquet/small-file.ts';
import { type BadSource, type Outcome, runSources } from './bad-lake.ts';
import { openParquetMaker } from './parquet-maker.ts';

const columns = {
  id: 'int',
  who: 'struct<name: string, age: int, home: struct<city: string>>',
  items: 'list<struct<sku: string, qty: int>>',
} as const;

const RECORDS: readonly Readonly<Record<string, unknown>>[] = [
  { id: 1, who: { name: 'A', age: 7, home: { city: 'X' } }, items: [{ sku: 's', qty: 1 }] },
  { id: 2, who: { name: 'B' }, items: [{ qty: 2 }, null, {}] },
  { id: 3, who: {}, items: [] },
  { id: 4, who: null },
  { id: 5, who: { name: 'E', age: 'x' } },
  { id: 6, items: [{ sku: 's', qty: 1 }, { qty: 1.5 }] },
  { id: 7, who: { home: 'X' } },
  { id: 8, items: { sku: 's' } },
  { id: 9, who: [1] },
];
const STRANGE: readonly Readonly<Record<string, unknown>>[] = [
  { id: 10, who: { Name: 'J', name: 'j' } },
  { id: 11, who: { home: { city: 'Y', zip: 1 } }, items: [{}, { SKU: 's' }] },
];

const asLines = (records: readonly unknown[]): string => records.map((r) => `${JSON.stringify(r)}\n`).join('');
const cell = (value: unknown): string =>
  value === undefined || value === null ? '' : `"${JSON.stringify(value).replaceAll('"', '""')}"`;
const asCsv = (records: readonly Readonly<Record<string, unknown>>[]): string =>
  `id,who,items\n${records.map((r) => `${r['id']},${cell(r['who'])},${cell(r['items'])}\n`).join('')}`;

const everything = [...RECORDS, ...STRANGE];
const sources: Record<string, BadSource> = {};
for (const drift of ['fail', 'ignore', 'evolve'] as const) {
  sources[`lines_${drift}`] = { json: { columns, drift }, files: { 'a.json': asLines(everything) } };
  sources[`array_${drift}`] = {
    json: { columns, drift, layout: 'array' },
    files: { 'a.json': JSON.stringify(everything) },
  };
  sources[`text_${drift}`] = { csv: { columns, drift }, files: { 'a.csv': asCsv(everything) } };
}

let outcomes: Readonly<Record<string, Outcome>>;
const warnings: string[] = [];

before(async () => {
  const maker = await openParquetMaker();
  const names = ['ID', 'id', 'id_1', '__file', 'rowid', 'filename', 'a.b', '__r0'];
  const named = smallParquet(
    names.map((name, i) => ({ name, physical: 1, plain: Buffer.from(Int32Array.of(i + 1).buffer) })),
    1,
  );
  const everySource: Record<string, BadSource> = {
    ...sources,
    parquet_evolve: {
      parquet: { columns: { id: 'int', s: 'list<struct<a: int>>' }, drift: 'evolve' },
      files: { 'a.parquet': await maker.make(`SELECT 1 AS id, [{'a': 1, 'b': 2}] AS s, 3 AS more`) },
    },
    names: {
      parquet: {
        columns: {
          id_1: 'int',
          id: 'int',
          ID: { type: 'int', as: 'upper' },
          rowid: 'int',
          filename: 'int',
          'a.b': 'int',
          __file: { type: 'int', as: 'file' },
          __r0: { type: 'int', as: 'r0' },
        },
      },
      files: { 'a.parquet': named, 'b.parquet': named },
    },
    other_case: {
      parquet: { columns: { k: 'int', id: 'int', s: 'struct<name: int>' }, drift: 'ignore' },
      files: { 'a.parquet': await maker.make(`SELECT 1 AS k, 2 AS "ID", {'NAME': 3} AS s`) },
    },
    wide: {
      csv: { columns: Object.fromEntries(Array.from({ length: 1_100 }, (_, i) => [`c${i}`, 'string'])) },
      silver: { mode: scd2({ key: 'c0', sequence: 'c1' }) },
      files: {
        'a.csv': [
          Array.from({ length: 1_100 }, (_, i) => `c${i}`),
          Array.from({ length: 1_100 }, (_, i) => `v${i}`),
        ].join('\n'),
      },
    },
  };
  outcomes = await runSources(everySource, {
    warned: (event, fields) => warnings.push(`${String(fields?.['source'])}: ${event}: ${String(fields?.['fields'])}`),
  });
  await maker.close();
});

const nobody = { name: null, age: null, home: null };
const ROWS = [
  { id: 1, who: { name: 'A', age: 7, home: { city: 'X' } }, items: [{ sku: 's', qty: 1 }] },
  { id: 2, who: { ...nobody, name: 'B' }, items: [{ sku: null, qty: 2 }, null, { sku: null, qty: null }] },
  { id: 3, who: nobody, items: [] },
  { id: 4, who: null, items: null },
];
const STRANGE_ROWS = [
  { id: 10, who: { ...nobody, name: 'j' }, items: null },
  {
    id: 11,
    who: { ...nobody, home: { city: 'Y' } },
    items: [
      { sku: null, qty: null },
      { sku: null, qty: null },
    ],
  },
];
const REASONS = [
  "who.age: got 'x'; expected int",
  "items[2].qty: got '1.5'; expected int",
  'who.home: got \'"X"\'; expected struct<"city": string>',
  'items: got \'{"sku":"s"}\'; expected list<struct<"sku": string, "qty": int>>',
  'who: got \'[1]\'; expected struct<"name": string, "age": int, "home": struct<"city": string>>',
];
const STRANGE_REASONS = [
  "not in the contract, and drift is 'fail': key who.Name",
  "not in the contract, and drift is 'fail': key who.home.zip; not in the contract, and drift is 'fail': key items[2].SKU",
];

for (const format of ['lines', 'array', 'text']) {
  test(`a key that an object lacks is null in ${format}; another shape or value is named by its path`, () => {
    const { rows, quarantine } = outcomes[`${format}_fail`] ?? assert.fail();
    assert.deepEqual(rows, ROWS);
    assert.deepEqual(
      quarantine.map((row) => row.details.join('; ')),
      [...REASONS, ...STRANGE_REASONS],
    );
    for (const row of quarantine.slice(0, REASONS.length)) assert.deepEqual(row.codes, ['TYPE_ERROR']);
    for (const row of quarantine.slice(REASONS.length)) assert.ok(row.codes.every((code) => code === 'SCHEMA_ERROR'));
  });

  for (const drift of ['ignore', 'evolve']) {
    test(`with drift '${drift}' a key that the type does not name is left out in ${format}`, () => {
      const { rows, quarantine } = outcomes[`${format}_${drift}`] ?? assert.fail();
      assert.deepEqual(rows, [...ROWS, ...STRANGE_ROWS]);
      assert.equal(quarantine.length, REASONS.length);
    });
  }
}

test("with drift 'evolve' what is left out is said", () => {
  const left = 'fields that the contract does not name are left out';
  assert.deepEqual(warnings.filter((line) => line.includes(left)).sort(), [
    `array_evolve: ${left}: items[].SKU, who.Name, who.home.zip`,
    `lines_evolve: ${left}: items[].SKU, who.Name, who.home.zip`,
    `parquet_evolve: ${left}: s[].b`,
  ]);
  assert.deepEqual(outcomes['parquet_evolve']?.rows, [{ id: 1, s: [{ a: 1 }], more: 3 }]);
});

test('columns of a Parquet file are found by their exact names, whatever these are', () => {
  const row = { id_1: 3, id: 2, upper: 1, rowid: 5, filename: 6, 'a.b': 7, file: 4, r0: 8 };
  assert.deepEqual(outcomes['names']?.rows, [row, row]);
  assert.deepEqual(outcomes['other_case']?.rows, [{ k: 1, id: null, s: { name: null } }]);
});

test('a keyed table may have more columns than a statement may be deep', () => {
  assert.equal(outcomes['wide']?.rows.length, 1);
});
