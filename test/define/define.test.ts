import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  append,
  bucket,
  type ColumnTypeText,
  csv,
  day,
  definePipeline,
  full,
  type GoldExpectation,
  hour,
  identity,
  json,
  month,
  parquet,
  query,
  replace,
  rowCount,
  type SilverDefinition,
  scd2,
  truncate,
  unique,
  upsert,
  year,
} from '../../lib/define/index.ts';

const columns = { id: 'bigint' } as const;

/** What is left out of a keyed mode. */
const KEYED = {
  key: ['a'],
  sequence: 'b',
  track: null,
  deleteWhen: null,
  tieBreak: null,
  missing: 'keep',
  validTo: null,
  coalesce: true,
  buckets: null,
};

/** What each function gives back: plain data. */
const VALUES: readonly (readonly [name: string, value: unknown, data: unknown])[] = [
  ['append()', append(), { kind: 'append', dedupe: null, onDuplicate: 'drop' }],
  ['append row', append({ dedupe: 'row' }), { kind: 'append', dedupe: { by: 'row' }, onDuplicate: 'drop' }],
  [
    'append key',
    append({ dedupe: { key: 'a' } }),
    { kind: 'append', dedupe: { by: 'key', columns: ['a'] }, onDuplicate: 'drop' },
  ],
  [
    'append keys',
    append({ dedupe: { key: ['a', 'b'] } }),
    { kind: 'append', dedupe: { by: 'key', columns: ['a', 'b'] }, onDuplicate: 'drop' },
  ],
  [
    'append that condemns',
    append({ dedupe: { key: 'a' }, onDuplicate: 'condemn' }),
    { kind: 'append', dedupe: { by: 'key', columns: ['a'] }, onDuplicate: 'condemn' },
  ],
  ['upsert', upsert({ key: 'a', sequence: 'b' }), { ...KEYED, kind: 'upsert' }],
  [
    'upsert with all of it',
    upsert({
      key: ['a', 'c'],
      sequence: 'b',
      deleteWhen: "op = 'D'",
      buckets: 8,
      tieBreak: 'd',
      missing: 'delete',
      track: ['d'],
    }),
    {
      ...KEYED,
      kind: 'upsert',
      key: ['a', 'c'],
      deleteWhen: "op = 'D'",
      buckets: 8,
      tieBreak: 'd',
      missing: 'delete',
      track: ['d'],
    },
  ],
  ['scd2', scd2({ key: ['a'], sequence: 'b' }), { ...KEYED, kind: 'scd2' }],
  [
    'scd2 with ends of its own',
    scd2({ key: 'a', sequence: 'b', validTo: 'e', coalesce: false }),
    { ...KEYED, kind: 'scd2', validTo: 'e', coalesce: false },
  ],
  ['replace', replace(), { kind: 'replace' }],
  ['full', full(), { kind: 'full' }],
  ['identity', identity('c'), { column: 'c', transform: { kind: 'identity' } }],
  ['year', year('c'), { column: 'c', transform: { kind: 'year' } }],
  ['month', month('c'), { column: 'c', transform: { kind: 'month' } }],
  ['day', day('c'), { column: 'c', transform: { kind: 'day' } }],
  ['hour', hour('c'), { column: 'c', transform: { kind: 'hour' } }],
  ['bucket', bucket(16, 'c'), { column: 'c', transform: { kind: 'bucket', width: 16 } }],
  ['truncate', truncate(2, 'c'), { column: 'c', transform: { kind: 'truncate', width: 2 } }],
  ['csv', csv({ columns, delimiter: ';' }), { format: 'csv', columns, delimiter: ';' }],
  ['json', json({ columns, layout: 'array' }), { format: 'json', columns, layout: 'array' }],
  ['parquet', parquet({ columns }), { format: 'parquet', columns }],
  ['unique', unique('a', 'b'), { kind: 'unique', columns: ['a', 'b'] }],
  ['rowCount', rowCount({ min: 1 }), { kind: 'rowCount', min: 1 }],
  ['query', query('from this', { policy: 'warn' }), { kind: 'query', query: 'from this', policy: 'warn' }],
];

for (const [name, value, data] of VALUES) {
  test(`${name} is data`, () => {
    assert.deepEqual(value, data);
    assert.deepEqual(JSON.parse(JSON.stringify(value)), data);
  });
}

test('a definition is given back as it is', () => {
  const definition = { name: 'x', sources: { a: csv({ columns }) }, silver: { t: { from: 'a' } } } as const;
  assert.equal(definePipeline(definition), definition);
});

/** The compiler refuses each of these; `tsc` fails when one of them is accepted. */
const REFUSED = [
  // @ts-expect-error: no source is named b
  () => definePipeline({ name: 'x', sources: { a: csv({ columns }) }, silver: { t: { from: 'b' } } }),
  // @ts-expect-error: gold has SQL
  () => definePipeline({ name: 'x', sources: { a: csv({ columns }) }, gold: { t: {} } }),
  // @ts-expect-error: gold rows are not dropped
  (): GoldExpectation => ({ condition: 'a', policy: 'drop' }),
  // @ts-expect-error: SQL is in a file
  () => definePipeline({ name: 'x', sources: {}, gold: { t: { sql: 'select 1' } } }),
  // @ts-expect-error: a schedule is rate(...) or cron(...)
  () => definePipeline({ name: 'x', sources: {}, schedule: 'daily' }),
  // @ts-expect-error: no such type
  () => csv({ columns: { id: 'varchar' } }),
  // @ts-expect-error: no such property
  () => csv({ columns: { id: { type: 'int', requird: true } } }),
  // @ts-expect-error: a format has a %
  () => csv({ columns: { id: { type: 'date', parse: 'iso' } } }),
  // @ts-expect-error: no such policy for columns outside the contract
  () => csv({ columns, drift: 'add' }),
  // @ts-expect-error: at least one column
  () => unique(),
  // @ts-expect-error: whole rows have no other content
  () => append({ dedupe: 'row', onDuplicate: 'condemn' }),
  // @ts-expect-error: no key
  () => upsert({ sequence: 'b' }),
  // @ts-expect-error: one row per key has no end
  () => upsert({ key: 'a', sequence: 'b', validTo: 'e' }),
  // @ts-expect-error: no such metadata column
  (): SilverDefinition => ({ from: 'a', metadata: ['hash'] }),
  // @ts-expect-error: a span has a unit
  () => definePipeline({ name: 'x', sources: {}, breaker: { window: '60' } }),
];

/** And accepts each of these. */
const ACCEPTED: readonly ColumnTypeText[] = [
  'int',
  'decimal(12,3)',
  'decimal(12, 3)',
  'list<string>',
  'struct<a: int, b: list<date>>',
];

test('what the compiler must refuse and accept is there to be checked', () => {
  assert.equal(REFUSED.length, 15);
  assert.equal(ACCEPTED.length, 5);
});
