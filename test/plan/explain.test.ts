import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LandedFile } from '../../lib/core/run.ts';
import type { ModelMode, TableRef } from '../../lib/core/spec.ts';
import { append, scd2 } from '../../lib/define/index.ts';
import { explainRun, type Outline, type Outlook } from '../../lib/plan/explain.ts';

type Model = Outline['models'][number];

const MODES = {
  append: append(),
  full: { kind: 'full' },
  replace: { kind: 'replace' },
  on_read: { ...scd2({ key: 'id', sequence: 'at', writeMode: 'merge-on-read' }), track: [] },
  scd2: { ...scd2({ key: 'id', sequence: 'at' }), track: [] },
} as const satisfies Readonly<Record<string, ModelMode>>;

function silver(name: string, from: string, kind: keyof typeof MODES, ...reads: TableRef[]): Model {
  return { id: `silver.${name}`, name, layer: 'silver', from, mode: MODES[kind], reads };
}

function gold(name: string, ...reads: TableRef[]): Model {
  return { id: `gold.${name}`, name, layer: 'gold', reads, refresh: { kind: 'full' } };
}

/** Follows its driver, the first table that it reads, partition by partition. */
function following(name: string, driver: TableRef, ...others: TableRef[]): Model {
  const reads = [driver, ...others];
  return { id: `gold.${name}`, name, layer: 'gold', reads, refresh: { kind: 'touched', driver, sql: '' } };
}

const SPEC: Outline = {
  name: 'shop',
  settings: { unitBytes: 1000 },
  sources: [{ name: 'orders' }, { name: 'prices' }, { name: 'days' }, { name: 'people' }],
  models: [
    silver('prices', 'prices', 'full'),
    silver('days', 'days', 'replace'),
    silver('people', 'people', 'scd2'),
    silver('orders', 'orders', 'append', { layer: 'silver', name: 'prices' }),
    gold('totals', { layer: 'silver', name: 'orders' }),
    gold('trend', { layer: 'gold', name: 'totals' }),
    gold('pricelist', { layer: 'silver', name: 'prices' }),
  ],
  levels: [
    ['silver.prices', 'silver.days', 'silver.people'],
    ['silver.orders', 'gold.pricelist'],
    ['gold.totals'],
    ['gold.trend'],
  ],
};

const ALL = new Set(SPEC.models.map((model) => model.id));

function files(...named: readonly (readonly [string, number])[]): readonly LandedFile[] {
  return named.map(([key, size]) => ({ key, size, etag: '1' }));
}

function outlook(change: Partial<Outlook>): Outlook {
  return {
    spec: SPEC,
    waiting: new Map(),
    existing: ALL,
    stale: new Map(),
    touched: new Map(),
    unfinished: null,
    skipped: { count: 0, names: [] },
    ...change,
  };
}

/** `level table action units` for each line of the explanation. */
function lines(change: Partial<Outlook>): readonly string[] {
  return explainRun(outlook(change)).levels.flatMap(({ level, tables }) =>
    tables.map(({ table, action, units }) => `${level} ${table} ${action} ${units}`),
  );
}

const CASES: readonly {
  readonly name: string;
  readonly change: Partial<Outlook>;
  readonly lines: readonly string[];
}[] = [
  { name: 'nothing new', change: {}, lines: [] },
  { name: 'an empty lake without files', change: { existing: new Set() }, lines: [] },
  {
    name: 'the first files create every table',
    change: { existing: new Set(), waiting: new Map([['orders', files(['a', 10])]]) },
    lines: [
      '0 shop_silver.prices create 0',
      '0 shop_silver.days create 0',
      '0 shop_silver.people create 0',
      '1 shop_silver.orders create 1',
      '1 shop_gold.pricelist create 1',
      '2 shop_gold.totals create 1',
      '3 shop_gold.trend create 1',
    ],
  },
  {
    name: 'new files touch what reads them, directly or not, and nothing else',
    change: { waiting: new Map([['orders', files(['a', 600], ['b', 600], ['c', 300])]]) },
    lines: ['1 shop_silver.orders append 2', '2 shop_gold.totals replace 1', '3 shop_gold.trend replace 1'],
  },
  {
    name: 'a table to which nothing is written is checked, and what reads it is left alone',
    change: {
      changes: [
        { model: 'silver.orders', kind: 'check', what: ['expectation a, new'] },
        { model: 'gold.trend', kind: 'check', what: ['expectation b'] },
      ],
    },
    lines: ['1 shop_silver.orders check 0', '3 shop_gold.trend check 0'],
  },
  {
    name: 'a table that is written is checked as it comes to be',
    change: {
      changes: [{ model: 'silver.days', kind: 'check', what: ['expectation a, new'] }],
      waiting: new Map([['days', files(['a', 10])]]),
    },
    lines: ['0 shop_silver.days replace partitions 1'],
  },
  {
    name: 'a full table is replaced',
    change: { waiting: new Map([['prices', files(['a', 10])]]) },
    lines: ['0 shop_silver.prices replace 1', '1 shop_gold.pricelist replace 1'],
  },
  {
    name: 'modes say what becomes of the rows that are there',
    change: { waiting: new Map(['days', 'people'].map((source) => [source, files(['a', 10])])) },
    lines: ['0 shop_silver.days replace partitions 1', '0 shop_silver.people merge 1'],
  },
  {
    name: 'a gold table that follows its driver is replaced by partition, unless more has changed',
    change: {
      spec: {
        ...SPEC,
        models: [
          ...SPEC.models.filter((model) => model.layer === 'silver'),
          following('of_orders', { layer: 'silver', name: 'orders' }),
          following('of_both', { layer: 'silver', name: 'orders' }, { layer: 'silver', name: 'prices' }),
          following('stale', { layer: 'silver', name: 'orders' }),
        ],
        levels: [...SPEC.levels.slice(0, 2), ['gold.of_orders', 'gold.of_both', 'gold.stale']],
      },
      existing: new Set([...ALL, 'gold.of_orders', 'gold.of_both', 'gold.stale']),
      stale: new Map([['gold.stale', 'the model has changed']]),
      waiting: new Map(['prices', 'orders'].map((source) => [source, files(['a', 10])])),
    },
    lines: [
      '0 shop_silver.prices replace 1',
      '1 shop_silver.orders append 1',
      '2 shop_gold.of_orders replace partitions 1',
      '2 shop_gold.of_both replace 1',
      '2 shop_gold.stale replace 1',
    ],
  },
  {
    name: 'a changed gold model is computed without new files, and what reads it',
    change: { stale: new Map([['gold.totals', 'the model has changed']]) },
    lines: ['2 shop_gold.totals replace 1', '3 shop_gold.trend replace 1'],
  },
];

for (const { name, change, lines: expected } of CASES) {
  test(name, () => {
    assert.deepEqual(lines(change), expected);
    assert.equal(explainRun(outlook(change)).status, expected.length === 0 ? 'NOTHING_TO_DO' : 'WORK');
  });
}

test('sources count files and bytes, compressed ones at their plain size', () => {
  const waiting = new Map([['orders', files(['a.csv', 100], ['b.csv.gz', 100])]]);
  assert.deepEqual(explainRun(outlook({ waiting })).sources, [
    { source: 'orders', files: 2, bytes: 200, estimated_bytes: 700 },
    ...['prices', 'days', 'people'].map((source) => ({ source, files: 0, bytes: 0, estimated_bytes: 0 })),
  ]);
});

test('reasons name the files, the inputs, or what made gold stale', () => {
  const change = {
    waiting: new Map([['orders', files(['a', 10])]]),
    stale: new Map([['gold.pricelist', 'the model has changed']]),
  };
  const reasons = explainRun(outlook(change)).levels.flatMap(({ tables }) => tables.map((table) => table.reason));
  assert.deepEqual(reasons, [
    'new files of orders',
    'the model has changed',
    'this run writes silver.orders',
    'this run writes gold.totals',
  ]);
});

test('an unfinished run is work, also when nothing else is', () => {
  const { status, resumes, levels } = explainRun(outlook({ unfinished: 'r1' }));
  assert.deepEqual({ status, resumes, levels }, { status: 'WORK', resumes: 'r1', levels: [] });
});

test('names what is exported and served: of tables that are written, of a branch, and what is behind', () => {
  const csv = (to: string, branch?: string) => ({ kind: 'csv', to, safe: true, ...(branch && { branch }) }) as const;
  const models = SPEC.models.map((model) => {
    if (model.id === 'gold.totals') return { ...model, exports: [csv('totals.csv'), csv('monthly.csv', 'monthly')] };
    return model.id === 'gold.pricelist'
      ? { ...model, exports: [csv('prices.csv'), csv('monthly-prices.csv', 'monthly')] }
      : model;
  });
  const table = (name: string, from: string) => ({ name, from, mode: 'replace', key: [] }) as const;
  const tables = [table('t', 'gold.totals'), table('p', 'gold.pricelist')];
  const spec = { ...SPEC, models, serve: { postgres: { secret: 'S', schema: 'web', tables } } };
  const after = (change: Partial<Outlook>) => {
    const { status, exports, serves } = explainRun(outlook({ spec, ...change }));
    return [
      status,
      exports?.map(({ model, to }) => `${model} ${to}`).join(),
      serves?.map(({ to, from }) => `${to} ${from}`).join(),
    ];
  };
  const waiting = new Map([['orders', files(['a.csv', 10])]]);
  assert.deepEqual(after({}), ['NOTHING_TO_DO', undefined, undefined]);
  assert.deepEqual(after({ waiting }), ['WORK', 'gold.totals totals.csv', 'web.t gold.totals']);
  assert.deepEqual(after({ behind: new Set(['p']) }), ['WORK', undefined, 'web.p gold.pricelist']);
  const monthly = 'gold.totals totals.csv,gold.totals monthly.csv,gold.pricelist monthly-prices.csv';
  assert.deepEqual(after({ waiting, branch: 'monthly' }), ['WORK', monthly, 'web.t gold.totals']);
  const existing = new Set([...ALL].filter((id) => !/totals|pricelist/.test(id)));
  assert.deepEqual(
    after({ waiting, existing, branch: 'yearly' })[1],
    'gold.pricelist prices.csv,gold.totals totals.csv'.split(',').reverse().join(),
  );
});
