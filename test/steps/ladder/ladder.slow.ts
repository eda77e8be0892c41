import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { renderRungs } from '../../../lib/cli/output/ladder/rungs.ts';
import { EngineError } from '../../../lib/core/errors.ts';
import type { RunFacts } from '../../../lib/core/facts.ts';
import type { MergeUnit } from '../../../lib/core/merge-unit.ts';
import type { LevelPlan, StageUnit } from '../../../lib/core/run.ts';
import { append, definePipeline, json } from '../../../lib/define/index.ts';
import type { StepDeps } from '../../../lib/lake/deps.ts';
import { listWaiting } from '../../../lib/lake/facts/facts-folder.ts';
import type { Explanation } from '../../../lib/plan/explain.ts';
import { planRun } from '../../../lib/query/plan-run.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../../support/test-lake.ts';

const LINES = {
  line: 'bigint',
  order: 'bigint',
  flag: 'string',
  quantity: 'decimal(15,2)',
  price: 'decimal(15,2)',
  note: 'string',
} as const;
const ORDERS = { order: 'bigint', customer: 'string' } as const;
const FLAGS = { flag: 'string', label: 'string' } as const;

const PIPELINE: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: {
      lines: json({ layout: 'lines', columns: LINES }),
      flags: json({ layout: 'lines', columns: FLAGS }),
      orders: json({ layout: 'lines', columns: ORDERS }),
    },
    silver: {
      lines: { from: 'lines', mode: append({ dedupe: 'row' }) },
      flags: { from: 'flags', mode: append() },
      orders: { from: 'orders', mode: append() },
    },
    gold: {
      totals: { sql: 'totals.sql', sortBy: ['label'] },
      everything: { sql: 'everything.sql' },
      orders: { sql: 'orders.sql' },
      spread: { sql: 'spread.sql' },
      latest: { sql: 'latest.sql' },
    },
  }),
  sql: {
    'totals.sql': `SELECT f.label AS label, l.flag, sum(quantity) AS quantity, avg(price) AS price, count(*) AS n,
  count(note) AS notes, min(line) AS first, max(note) AS last, sum(price) / sum(quantity) AS ratio
FROM silver.lines l JOIN silver.flags f ON l.flag = f.flag WHERE line % 7 <> 3 GROUP BY ALL HAVING count(*) > 3 ORDER BY label`,
    'orders.sql': `SELECT o."order", o.customer, count(DISTINCT l.flag) AS flags, median(l.price) AS price, min(f.label) AS label
FROM silver.orders o JOIN silver.lines l ON o."order" = l."order" LEFT JOIN silver.flags f ON l.flag = f.flag
WHERE o."order" IN (SELECT "order" FROM silver.lines GROUP BY "order" HAVING sum(quantity) > 4000) GROUP BY ALL`,
    'latest.sql': 'SELECT * FROM silver.lines QUALIFY row_number() OVER (PARTITION BY "order" ORDER BY line DESC) <= 2',
    'spread.sql':
      'SELECT stddev_pop(quantity) AS spread, count(DISTINCT note) AS notes, max(line) AS line, max(price) AS price FROM silver.lines',
    'everything.sql':
      'SELECT count(*) AS n, sum(line)::BIGINT AS lines, max(price) AS price FROM silver.lines WHERE flag IS NULL',
  },
};

function lines(from: number, count: number): string {
  const rows = Array.from({ length: count }, (_, at) => {
    const line = from + at;
    return JSON.stringify({
      line,
      order: (line * 7) % 500,
      flag: line % 5 === 0 ? null : `f${line % 4}`,
      quantity: `${(line * 37) % 1000}.${10 + (line % 90)}`,
      price: line % 11 === 0 ? null : `${((line * 7919) % 100_000) - 5_000}.${10 + (line % 90)}`,
      note: line % 3 === 0 ? null : `note ${line}`,
    });
  });
  return `${rows.join('\n')}\n`;
}

/** Bytes that a worker has: four files of lines have more. */
const WORKER = 15_000;

const withSmallWorkers = (deps: StepDeps): StepDeps => ({
  ...deps,
  settings: { ...deps.settings, unitBytes: WORKER },
});

let whole: TestLake;
let small: TestLake;
let kept: TestLake;
let planned: Explanation;
const warned: string[] = [];

before(async () => {
  whole = await openTestLake(PIPELINE);
  const flags = ['f0', 'f1', 'f2', 'f3'].map((flag) => `${JSON.stringify({ flag, label: `L${flag}` })}\n`);
  await whole.land('flags', 'a.json', flags.join(''));
  const orders = Array.from(
    { length: 600 },
    (_, order) => `${JSON.stringify({ order, customer: `customer ${order * 7}` })}\n`,
  );
  await whole.land('orders', 'a.json', orders.join(''));
  for (let file = 0; file < 4; file += 1) {
    await whole.land('lines', `${file}.json`, lines(file * 1_000, 1_000));
    await whole.run({ runId: `run-${file}` });
  }
  const copy = await whole.copy();
  kept = copy;
  small = copy.reopen((deps) => ({
    ...withSmallWorkers(deps),
    log: { ...deps.log, warn: (event, fields) => warned.push(`${event} ${fields?.['model']}`) },
  }));
  for (const lake of [whole, small]) await lake.land('lines', 'more.json', lines(4_000, 500));
  await whole.run({ runId: 'last' });
  planned = await planRun(small.deps, 'shop');
  await small.run({ runId: 'last' });
});
after(() => {
  whole.close();
  kept.close();
});

async function read<T>(key: string): Promise<T> {
  return JSON.parse(
    new TextDecoder().decode((await small.store.read(`ops/shop/_runs/last/level-1/${key}`)).bytes),
  ) as T;
}

test('what several units aggregate equals the answer of one', async () => {
  const expected = await whole.rows('shop_gold.totals');
  assert.equal(expected.length, 4);
  assert.deepEqual(await small.rows('shop_gold.totals'), expected);
  // Every fifth line has no flag, and every eleventh no price.
  assert.deepEqual(await small.rows('shop_gold.everything'), [{ n: 900, lines: 2_022_750, price: '94955.45' }]);
  assert.deepEqual(await whole.rows('shop_gold.everything'), await small.rows('shop_gold.everything'));
  assert.deepEqual(warned, ['one worker computes more than it has room for gold.spread']);
});

test('each unit reads other files of the large table, and what they write is grouped by units of the merge', async () => {
  const { models } = await read<LevelPlan>('plan.json');
  const totals = models.find(({ model }) => model === 'gold.totals') ?? assert.fail();
  assert.equal(totals.output, 'exchange');
  assert.equal(totals.ladder?.rung, 2);
  const units = await Promise.all(totals.units.map((unit) => read<StageUnit>(`units/${unit}.json`)));
  const files = units.flatMap(({ share }) => share?.files ?? []);
  assert.ok(units.length > 1 && units.every(({ share }) => share?.table === 'silver.lines'), String(units.length));
  assert.equal(files.length, 5);
  assert.equal(new Set(files).size, 5);
  assert.equal(
    units.reduce((sum, { share }) => sum + (share?.rows ?? 0), 0),
    4_500,
  );
  const merges = (await read<{ unit: string }[]>('merge-units.json')).map(({ unit }) => unit);
  const unit = await read<MergeUnit>(`units/${merges.find((name) => name.includes('totals'))}.json`);
  assert.equal(unit.kind, 'combine');
  // What units exchange is gone with the run, as its other work files are.
  assert.equal((await small.store.names('ops/shop/_runs/last/level-1/')).includes('exchange/'), false);
});

test('what needs rows of a key together is exchanged by its hash, and equals the answer of one worker', async () => {
  const { models } = await read<LevelPlan>('plan.json');
  const orders = models.find(({ model }) => model === 'gold.orders') ?? assert.fail();
  assert.deepEqual(orders.ladder?.rung === 3 ? orders.ladder.tables : orders.ladder, [
    { table: 'silver.orders', key: 'order', columns: ['order', 'customer'] },
    { table: 'silver.lines', key: 'order', columns: ['order', 'flag', 'quantity', 'price'] },
  ]);
  const expected = await whole.rows('shop_gold.orders');
  assert.ok(expected.length > 50 && expected.length < 450, String(expected.length));
  assert.deepEqual(await small.rows('shop_gold.orders'), expected);
  // A star is all that models see: not what tells rows apart.
  const latest = await whole.rows('shop_gold.latest', 'SELECT * FROM t ORDER BY line');
  assert.equal(latest.length, 1_000);
  assert.deepEqual(await small.rows('shop_gold.latest', 'SELECT * FROM t ORDER BY line'), latest);
  const merges = (await read<{ unit: string }[]>('merge-units.json')).filter(({ unit }) => unit.includes('orders'));
  assert.ok(merges.length > 1, String(merges.length));
});

test('what units have read of each table is in the facts of the run, however many of them did', async () => {
  const readBy = async ({ store }: TestLake, model: string): Promise<ReadonlyMap<unknown, number>> => {
    const key = (await listWaiting(store, 'shop')).find((one) => one.endsWith('-last.json')) ?? assert.fail();
    const { lineage } = JSON.parse(new TextDecoder().decode((await store.read(key)).bytes)) as RunFacts;
    const own = lineage.filter((row) => row['model'] === model && row['action'] === 'read');
    return new Map(own.map((row) => [row['table_or_source'], Number(row['bytes'])]));
  };
  const { models } = await read<LevelPlan>('plan.json');
  const merges = await read<{ unit: string }[]>('merge-units.json');
  for (const [model, units] of [
    ['gold.totals', models.find((one) => one.model === 'gold.totals')?.units.length ?? 0],
    ['gold.orders', merges.filter(({ unit }) => unit.includes('gold.orders')).length],
  ] as const) {
    const [one, several] = [await readBy(whole, model), await readBy(small, model)];
    assert.ok(units > 1 && one.size > 1 && [...one.values()].every((bytes) => bytes > 500), JSON.stringify([...one]));
    // Each file of a large table is read by one of them, and the small one by all that need it.
    const expected = [...one].map(([table, bytes]) => [table, table === 'shop_silver.flags' ? units * bytes : bytes]);
    assert.deepEqual([...several], expected, model);
  }
});

test('a plan says for each gold table which rung it is on, why, and what it takes', () => {
  const tables = planned.levels.flatMap((level) => level.tables);
  const rungs = new Map(
    tables.map(({ table, units, rung }) => [table, rung && { units, rung: rung.rung, merges: rung.merge_units }]),
  );
  assert.deepEqual(
    [...rungs],
    [
      ['shop_silver.lines', undefined],
      ['shop_gold.totals', { units: 2, rung: 2, merges: 1 }],
      ['shop_gold.everything', { units: 2, rung: 2, merges: 1 }],
      ['shop_gold.orders', { units: 3, rung: 3, merges: 8 }],
      ['shop_gold.spread', { units: 1, rung: null, merges: 0 }],
      ['shop_gold.latest', { units: 4, rung: 3, merges: 9 }],
    ],
  );
  const text = renderRungs(tables);
  const lines = text.trimEnd().split('\n');
  assert.match(
    lines[0] ?? '',
    /^shop_gold\.totals is on rung 2: \d+ kB of input for a worker of 15 kB: silver\.lines is aggregated in 2 parts, which are combined; on AWS about .* and \$0\.\d+$/,
  );
  assert.match(
    lines[2] ?? '',
    /^shop_gold\.orders is on rung 3: .*: silver\.orders by order and silver\.lines by order in \d+ buckets;/,
  );
  assert.match(
    lines[3] ?? '',
    /^shop_gold\.spread is on no rung, and one worker tries: .*; rung 2: the aggregate stddev_pop; rung 3: no column that is grouped by, .*refresh: 'touched'/,
  );
});

test('a run whose combine fails publishes nothing, and the next one computes the same', async () => {
  const copy = await kept.copy();
  const before = await copy.rows('shop_gold.totals');
  let fails = true;
  const failing = copy.reopen((deps) => ({
    ...withSmallWorkers(deps),
    engine: {
      open: async (options) => {
        const session = await deps.engine.open(options);
        const copied: typeof session.copy = (statement) => {
          if (fails && statement.name === 'write gold.totals')
            return Promise.reject(new EngineError('write gold.totals: IO Error: the disk is full'));
          return session.copy(statement);
        };
        return { ...session, copy: copied };
      },
    },
  }));
  for (const lake of [copy, whole]) await lake.land('lines', 'again.json', lines(5_000, 300));
  const { status, error } = await failing.run({ runId: 'broken' });
  assert.equal(status, 'FAILED');
  assert.match(error?.message ?? '', /the disk is full/);
  assert.deepEqual(await copy.rows('shop_gold.totals'), before);
  fails = false;
  await failing.run({ runId: 'after' });
  await whole.run({ runId: 'after' });
  assert.deepEqual(await copy.rows('shop_gold.totals'), await whole.rows('shop_gold.totals'));
  copy.close();
});
