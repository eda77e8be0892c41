import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { GoldModel, ModelMode, PartitionField, PipelineSpec, SilverModel, TableRef } from '../../lib/core/spec.ts';
import type { ExplainedTable, Explanation } from '../../lib/plan/explain.ts';
import { PLANNED, WHOLE } from '../../lib/plan/run-shape.ts';
import { workOf } from '../../lib/plan/run-work.ts';
import { KEYED } from '../support/keyed-mode.ts';

const COMMON = { sql: '', sqlFile: null, columns: [], partitionBy: [], sortBy: [], expect: [], description: null };
const APPEND: ModelMode = { kind: 'append', dedupe: null, onDuplicate: 'drop' };
const DEDUPE: ModelMode = { ...APPEND, dedupe: { by: 'row' } };
const UPSERT: ModelMode = KEYED;

function silver(mode: ModelMode): SilverModel {
  return {
    ...COMMON,
    id: 'silver.orders',
    name: 'orders',
    layer: 'silver',
    from: 'orders',
    mode,
    reads: [],
    metadata: [],
    joins: [],
    selectsAll: true,
  };
}

function gold(name: string, ...reads: TableRef[]): GoldModel {
  return { ...COMMON, id: `gold.${name}`, name, layer: 'gold', reads, readsLogs: [], refresh: { kind: 'full' } };
}

const ORDERS: TableRef = { layer: 'silver', name: 'orders' };

/** Units are planned for 100 MB of input, files for 32 MB. */
function outline(mode: ModelMode): Pick<PipelineSpec, 'name' | 'settings' | 'models' | 'levels'> {
  return {
    name: 'shop',
    settings: { unitBytes: 100_000_000, fileBytes: 32_000_000, condemnedRetentionDays: 1 },
    models: [silver(mode), gold('totals', ORDERS)],
    levels: [['silver.orders'], [], ['gold.totals']],
  };
}

test('what is served is all that the tables have after the run', () => {
  const tables = [
    { name: 'o', from: 'silver.orders', mode: 'replace', key: [] } as const,
    { name: 't', from: 'gold.totals', mode: 'replace', key: [] } as const,
  ];
  const spec = { ...outline(APPEND), serve: { postgres: { secret: 'S', schema: 's', tables } } };
  const sizes = new Map([
    ['shop_silver.orders', { bytes: 50_000_000, files: 5 }],
    ['shop_gold.totals', { bytes: 1_000, files: 1 }],
  ]);
  const explained = plan(table('shop_silver.orders', 1, 100_000_000));
  const plain = workOf(outline(APPEND), explained, sizes);
  const work = workOf(spec, explained, sizes);
  // 0.3 of what is parsed becomes Parquet, in a file more.
  assert.deepEqual(work.served, { kind: 'merge', units: 1, bytes: 50_000_000 + 30_000_000 + 1_000 });
  assert.deepEqual([work.reads - plain.reads, plain.served], [7, undefined]);
});

test('a run that has to be approved waits for a person unless conditions may let it through', () => {
  const promote = { maxQuarantineRate: null, forbid: [], expiresMs: 1 };
  const gates = [undefined, { ...promote, auto: null }, { ...promote, auto: [] }].map((own) => {
    return workOf({ ...outline(APPEND), ...(own && { promote: own }) }, plan(), new Map()).gate;
  });
  assert.deepEqual(gates, [undefined, 'waited', 'passed']);
});

function table(name: string, units: number, estimated_bytes: number | null): ExplainedTable {
  return { table: name, action: 'append', reason: '', units, estimated_bytes, partitions: null };
}

function plan(...orders: readonly ExplainedTable[]): Explanation {
  return {
    pipeline: 'shop',
    status: 'WORK',
    resumes: null,
    skipped: { count: 0, names: [] },
    suspended: [],
    changes: [],
    selected: null,
    vars: {},
    sources: [{ source: 'orders', files: 7, bytes: 1, estimated_bytes: 1 }],
    levels: [
      ...(orders.length === 0 ? [] : [{ level: 0, tables: orders }]),
      { level: 2, tables: [table('shop_gold.totals', 1, null)] },
    ],
  };
}

const SIZES = new Map([
  ['shop_silver.orders', { bytes: 50_000_000, files: 3 }],
  ['shop_silver.orders__log', { bytes: 70_000_000, files: 4 }],
]);

const CASES: readonly {
  readonly name: string;
  readonly mode: ModelMode;
  readonly orders: readonly ExplainedTable[];
  readonly merge: readonly { readonly kind: 'merge'; readonly units: number; readonly bytes: number }[];
  /** What gold reads: the table, and three tenths of what is parsed. */
  readonly gold: number;
  readonly tables: number;
  /** Data files: 3 of the table and 4 of its log; gold reads the table with one more for each unit. */
  readonly reads: number;
  /** What one call does of the level of the orders: all where ten units and the bytes of one are enough. */
  readonly within: readonly string[];
}[] = [
  {
    name: 'rows of one unit are not merged',
    mode: DEDUPE,
    orders: [table('shop_silver.orders', 1, 100_000_000)],
    merge: [],
    gold: 80_000_000,
    tables: 2,
    reads: 4,
    within: WHOLE,
  },
  {
    name: 'a table that is only checked is read',
    mode: UPSERT,
    orders: [{ ...table('shop_silver.orders', 0, 0), action: 'check' }],
    merge: [],
    gold: 50_000_000,
    tables: 2,
    reads: 6,
    within: WHOLE,
  },
  {
    name: 'repeated rows of several units are looked for by merges of 25 MB',
    mode: DEDUPE,
    orders: [table('shop_silver.orders', 4, 400_000_000)],
    merge: [{ kind: 'merge', units: 5, bytes: 120_000_000 }],
    gold: 170_000_000,
    tables: 2,
    reads: 7,
    within: PLANNED,
  },
  {
    name: 'large files are left as they are',
    mode: APPEND,
    orders: [table('shop_silver.orders', 4, 400_000_000)],
    merge: [],
    gold: 170_000_000,
    tables: 2,
    reads: 7,
    within: PLANNED,
  },
  {
    name: 'small files are joined',
    mode: APPEND,
    orders: [table('shop_silver.orders', 10, 400_000_000)],
    merge: [{ kind: 'merge', units: 4, bytes: 120_000_000 }],
    gold: 170_000_000,
    tables: 2,
    reads: 13,
    within: PLANNED,
  },
  {
    name: 'a keyed table is merged with itself and its log',
    mode: UPSERT,
    orders: [table('shop_silver.orders', 1, 100_000_000)],
    merge: [{ kind: 'merge', units: 6, bytes: 150_000_000 }],
    gold: 80_000_000,
    tables: 3,
    reads: 3 + 4 + 4,
    within: WHOLE,
  },
  {
    name: 'a full table is what was parsed',
    mode: { kind: 'full' },
    orders: [table('shop_silver.orders', 1, 100_000_000)],
    merge: [],
    gold: 30_000_000,
    tables: 2,
    reads: 1,
    within: WHOLE,
  },
  {
    name: 'gold alone reads what is there',
    mode: APPEND,
    orders: [],
    merge: [],
    gold: 50_000_000,
    tables: 1,
    reads: 3,
    within: WHOLE,
  },
];

for (const { name, mode, orders, merge, gold: read, tables, reads, within } of CASES) {
  test(name, () => {
    const work = workOf(outline(mode), plan(...orders), SIZES);
    assert.equal(work.levels.length, 3);
    assert.deepEqual(work.levels[0]?.merge, merge);
    assert.deepEqual(
      work.levels[0]?.stage,
      orders
        .filter(({ action }) => action !== 'check')
        .map(({ units, estimated_bytes }) => ({ kind: 'parse', units, bytes: estimated_bytes })),
    );
    assert.deepEqual(work.levels[0]?.within, within);
    assert.deepEqual(work.levels[1], { stage: [], merge: [], within: WHOLE });
    assert.deepEqual(work.levels[2]?.stage, [{ kind: 'model', units: 1, bytes: read }]);
    assert.deepEqual([work.files, work.tables, work.reads, work.writes], [7, tables, reads, 0]);
  });
}

test('checks read what a table is made of and becomes, joins are read by each unit', () => {
  const spec = outline(APPEND);
  const check = { kind: 'unique', name: 'u', policy: 'fail', columns: [] } as const;
  const models = spec.models.map((model) => ({ ...model, expect: [check] }));
  const joining = { ...silver(APPEND), id: 'silver.lines', name: 'lines', reads: [ORDERS] };
  const work = workOf(
    { ...spec, models: [...models, joining], levels: [['silver.orders'], ['silver.lines'], ['gold.totals']] },
    {
      ...plan(table('shop_silver.orders', 1, 1)),
      levels: [
        { level: 0, tables: [table('shop_silver.orders', 1, 1)] },
        { level: 1, tables: [table('shop_silver.lines', 2, 1)] },
        { level: 2, tables: [table('shop_gold.totals', 1, null)] },
      ],
    },
    SIZES,
  );
  assert.deepEqual([work.tables, work.existing], [3, 1]);
  // The 4 of the orders; them twice; them once, and once more with the one of the totals.
  assert.equal(work.reads, 4 + 8 + 4 + 5);
});

test('a new partitioned table is taken to have several files for each unit, one that exists to gain one', () => {
  const spec = outline(APPEND);
  const month = { column: 'day', transform: { kind: 'month' } } as unknown as PartitionField;
  const models = spec.models.map((model) => ({ ...model, partitionBy: [month] }));
  const tables = plan(table('shop_silver.orders', 2, 1));
  const first = workOf({ ...spec, models }, tables, new Map());
  // 8 for each of two units; of the totals, which read all 16, 8 as well.
  assert.deepEqual([first.existing, first.writes, first.reads], [0, 14 + 7, 16]);
  const later = workOf({ ...spec, models }, tables, new Map([...SIZES, ['shop_gold.totals', { bytes: 1, files: 5 }]]));
  assert.deepEqual([later.existing, later.writes, later.reads], [2, 0, 5]);
});
