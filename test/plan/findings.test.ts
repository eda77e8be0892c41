import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Diagnosis, hotAmong, partitionsOf, percentOf, SMALL_FILE_BYTES } from '../../lib/core/diagnosis.ts';
import type { PipelineSpec, SilverModel, SourceSpec } from '../../lib/core/spec.ts';
import { type Finding, findingsOf, type Subject, type Topic } from '../../lib/plan/findings.ts';

const NOTHING: Diagnosis = {
  ...{ name: 'shop.orders', kind: 'source', at: '2026-01-01T00:00:00Z', rows: 0, rejected: 0, unreadable: 0, files: 0 },
  ...{ bytes: 0, schema: [], keys: [], partitions: [], days: null, sample: [] },
};
const value = (percent: number, rows = percent) => ({ value: 'x', percent, rows });
const key = (change: Partial<Diagnosis['keys'][number]>) => ({
  ...{ column: 'person', distinct: 9, top: [], hot: null, buckets: 16, skew: 1 },
  ...change,
});
const days = (...rows: number[]) => ({ column: 'made', volumes: rows.map((n, at) => ({ day: `d${at}`, rows: n })) });
const column = (name: string, nulls: number, more: { personal?: true } = {}) => {
  return { name, type: 'int', nulls, null_percent: nulls, distinct_estimate: 1, ...more };
};

const SPEC = { settings: { unitBytes: 64 * 1_048_576 } } as PipelineSpec;
const source = (drift: SourceSpec['drift']): Subject => ({
  kind: 'source',
  spec: SPEC,
  source: { drift } as SourceSpec,
});
const silver = (model: object, spec: object = {}): Subject => {
  return {
    kind: 'model',
    spec: { ...SPEC, ...spec } as PipelineSpec,
    model: { layer: 'silver', mode: { kind: 'append' }, ...model } as SilverModel,
  };
};
const APPEND = silver({ mode: { kind: 'append' } });
const UPSERT = silver({ mode: { kind: 'upsert' } });
const GOLD = silver({ layer: 'gold' });
const UNKNOWN: Subject = { kind: 'unknown' };

const CASES: readonly (readonly [Topic, string, Partial<Diagnosis>, Subject, boolean, RegExp, RegExp])[] = [
  ['keys', 'none', {}, APPEND, false, /^no key is declared$/, /no salt is needed/],
  ['keys', 'even', { keys: [key({})] }, APPEND, false, /^no value has many more/, /cut by bytes, never by key/],
  [
    'keys',
    'hot',
    { keys: [key({ hot: value(20) })] },
    source('fail'),
    true,
    /^hot: person x has 20 %$/,
    /cut by bytes/,
  ],
  ['keys', 'keyed', { keys: [key({ hot: value(20) })] }, UPSERT, true, /^hot/, /in the unit of its bucket/],
  ['keys', 'gold', { keys: [key({ hot: value(20) })] }, GOLD, true, /^hot/, /grouped in memory/],
  ['skew', 'none', {}, APPEND, false, /^no key is declared$/, /nothing is cut into buckets/],
  ['skew', 'even', { keys: [key({ skew: 1.9 })] }, APPEND, false, /^person 1.9 in 16 buckets$/, /nothing is cut/],
  ['skew', 'of no rows', { keys: [key({ skew: null })] }, APPEND, false, /^person null/, /nothing is cut/],
  [
    'skew',
    'one of two',
    { keys: [key({}), key({ column: 'shop', skew: 2 })] },
    UPSERT,
    true,
    /^shop 2 in 16 buckets$/,
    /a large one alone/,
  ],
  [
    'files',
    'large',
    { partitions: partitionsOf([{ partition: '', bytes: SMALL_FILE_BYTES }]) },
    APPEND,
    false,
    /8 MB or more/,
    /16 small ones/,
  ],
  [
    'files',
    'small',
    { partitions: partitionsOf([{ partition: 'a', bytes: SMALL_FILE_BYTES - 1 }]), kind: 'table' },
    silver({}, { maintenance: null }),
    true,
    /in 1 of 1 partitions$/,
    /nothing does so by itself/,
  ],
  [
    'files',
    'of a source',
    { partitions: partitionsOf([{ partition: 'a', bytes: 1 }]) },
    source('fail'),
    true,
    /in 1 of 1 folders$/,
    /up to 64 MiB/,
  ],
  [
    'files',
    'by its own rules',
    {},
    silver({}, { maintenance: { compactAfter: 3 } }),
    false,
    /8 MB/,
    /finds 3 small ones/,
  ],
  ['files', 'of nobody', {}, UNKNOWN, false, /8 MB/, /strata compact joins/],
  ['days', 'none', {}, APPEND, false, /no column that is shown has a date/, /nothing/],
  ['days', 'even', { days: days(100, 300, 299) }, APPEND, false, /^days have about 299 rows$/, /closeAfter would/],
  ['days', 'few', { days: days(1, 1, 49) }, APPEND, false, /^days have about 1 rows$/, /closeAfter would/],
  [
    'days',
    'one less, one more',
    { days: days(33, 100, 100, 301) },
    silver({ closeAfter: { column: 'made', days: 3 } }),
    true,
    /^days usually have 100 rows: not d0 with 33, d3 with 301$/,
    /TOO_LATE/,
  ],
  [
    'days',
    'many',
    { days: { column: 'made', volumes: [...days(100, 100, 100, 100, 100, 1, 1, 1).volumes, { day: null, rows: 1 }] } },
    UNKNOWN,
    true,
    /d5 with 1, d6 with 1, d7 with 1, and 1 more$/,
    /day of their own/,
  ],
  [
    'days',
    'no day',
    { days: { column: 'made', volumes: [...days(100, 100).volumes, { day: null, rows: 1 }] } },
    UNKNOWN,
    true,
    /not no day with 1$/,
    /day of their own/,
  ],
  ['schema', 'fail', { schema: [column('a', 0)] }, source('fail'), false, /^1 columns$/, /rejected/],
  ['schema', 'ignore', {}, source('ignore'), false, /^0 columns$/, /stay in bronze/],
  ['schema', 'evolve', {}, source('evolve'), false, /^0 columns$/, /become columns/],
  ['schema', 'of a table', {}, APPEND, false, /^0 columns$/, /follows what the pipeline declares/],
  ['sample', 'nothing personal', { sample: [{}] }, APPEND, false, /^1 rows$/, /no column is declared personal/],
  [
    'sample',
    'personal',
    { schema: [column('a', 0), column('b', 0, { personal: true })] },
    APPEND,
    false,
    /^0 rows$/,
    /masked: b$/,
  ],
  ['nulls', 'none', { schema: [column('a', 0)] }, APPEND, false, /^no column has NULL$/, /an expectation/],
  ['nulls', 'some', { schema: [column('a', 0), column('b', 3)] }, source('fail'), true, /^b 3 %$/, /NULL_VALUE_ERROR/],
];

test('each topic says what was found, whether to look at it, and what is done about it', () => {
  for (const [topic, name, change, subject, warning, found, does] of CASES) {
    const all = findingsOf({ ...NOTHING, ...change }, subject);
    assert.deepEqual(
      all.map((one) => one.topic),
      ['keys', 'skew', 'files', 'days', 'schema', 'sample', 'nulls'],
    );
    const one: Finding | undefined = all.find((finding) => finding.topic === topic);
    assert.equal(one?.warning, warning, `${topic}, ${name}`);
    assert.match(one?.found ?? '', found, `${topic}, ${name}`);
    assert.match(one?.does ?? '', does, `${topic}, ${name}`);
  }
});

test('a value is hot with a hundredth of the rows and ten times the mean', () => {
  const [tenth, thousandth] = [value(10, 100), value(0.9, 9)];
  assert.equal(hotAmong([tenth], 1000, 100), tenth);
  assert.equal(hotAmong([tenth], 1000, 99), null);
  assert.equal(hotAmong([thousandth], 1000, 1000), null);
  assert.equal(hotAmong([{ ...tenth, value: null }], 1000, 100), null);
  assert.equal(hotAmong([], 0, 0), null);
  assert.deepEqual([percentOf(1, 3), percentOf(0, 0)], [33.333, 0]);
});

test('files are put together by partition, in order', () => {
  const files = [
    { partition: 'b', bytes: 3 },
    { partition: 'a', bytes: SMALL_FILE_BYTES },
    { partition: 'b', bytes: 4 },
  ];
  assert.deepEqual(partitionsOf(files), [
    { partition: 'a', files: 1, bytes: SMALL_FILE_BYTES, mean_bytes: SMALL_FILE_BYTES, small: false },
    { partition: 'b', files: 2, bytes: 7, mean_bytes: 4, small: true },
  ]);
});
