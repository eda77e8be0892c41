import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { append, csv, definePipeline, identity, month } from '../../../lib/define/index.ts';
import { knownPartitions } from '../../../lib/lake/engines/known-partitions.ts';
import { createFakeEngine, type FakeEngine, type Faults } from '../../support/fake-engine.ts';
import { openTestLake, type TestLake } from '../../support/test-lake.ts';

const texts = (name: string) => ({ engine: 'athena', sql: { duckdb: `${name}.sql`, athena: `${name}.sql` } }) as const;
const SQL = {
  // Of a day that no table has before.
  'days.sql': 'SELECT day, count(*) AS n FROM silver.orders o GROUP BY day UNION ALL SELECT NULL::DATE, 7',
  'later.sql': 'SELECT day + 1 AS day, count(*) AS n FROM silver.orders o GROUP BY 1',
};
const SHOP = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { rows: csv({ columns: { id: 'int', day: 'date' } }) },
    silver: { orders: { from: 'rows', mode: append(), partitionBy: [identity('day')] } },
    gold: {
      days: { ...texts('days'), partitionBy: [identity('day')] },
      later: { ...texts('later'), partitionBy: [identity('day')] },
    },
  }),
  sql: SQL,
};

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

async function openShop(days: number): Promise<TestLake> {
  const lake = await openTestLake(SHOP);
  opened.push(lake);
  await lake.land('rows', 'a.csv', `id,day\n${Array.from({ length: days }, (_, n) => row(n)).join('\n')}\n`);
  return lake;
}

function row(n: number): string {
  return `${n},${new Date(Date.UTC(2026, 0, 1 + n)).toISOString().slice(0, 10)}`;
}

function withEngine(lake: TestLake, faults: Faults = {}): { readonly lake: TestLake; readonly engine: FakeEngine } {
  const engine = createFakeEngine(lake.deps, faults);
  return { lake: lake.reopen((deps) => ({ ...deps, sqlEngine: () => engine })), engine };
}

/** What was asked of an engine for a model, as unit and attempt, and how many partitions of it. */
function askedOf(engine: FakeEngine, model: string): readonly string[] {
  return [...engine.begun.values()].flatMap((text) => {
    const [, name, unit, what] = /^INSERT INTO "fake"\."(\w+?)__strata_[0-9a-f]+_(\d+_\d+)_(\w+)"/.exec(text) ?? [];
    return name === model ? [`${unit} ${what} ${text.includes('DISTINCT') ? 'all' : text.split(' OR ').length}`] : [];
  });
}

async function assertRows(lake: TestLake): Promise<void> {
  const expected = {
    days: 'SELECT day, count(*) AS n FROM t GROUP BY day UNION ALL SELECT NULL, 7 ORDER BY ALL',
    later: 'SELECT day + 1 AS day, count(*) AS n FROM t GROUP BY 1 ORDER BY ALL',
  };
  for (const [name, select] of Object.entries(expected)) {
    const got = await lake.rows(`shop_gold.${name}`, 'SELECT day, n FROM t ORDER BY ALL');
    assert.deepEqual(got, await lake.rows('shop_silver.orders', select), name);
  }
}

test('an engine is asked for each hundred partitions that the plan knows, and for the others apart', async () => {
  const { lake, engine } = withEngine(await openShop(150));
  const first = await lake.run({ runId: 'first' });
  assert.equal(first.status, 'SUCCEEDED', first.error?.message);
  await assertRows(lake);
  for (const model of ['days', 'later'])
    assert.deepEqual(
      askedOf(engine, model).toSorted(),
      ['0_1 out 100', '1_1 out 50', '2_1 list all', '2_1 out 1'],
      model,
    );
  assert.equal(new Set(engine.begun.keys()).size, 8, 'each statement has a token of its own');

  // Another model, another day: what the table has is known as well.
  await lake.land('rows', 'b.csv', `id,day\n${row(3)}\n${row(400)}\n`);
  const killed: Faults = {
    look: (text, looks) =>
      /_1_1_out"/.test(text) && looks === 1 ? { kind: 'failed', reason: 'the query was killed' } : undefined,
  };
  const again = withEngine(lake, killed);
  const second = await again.lake.run({ runId: 'second' });
  assert.equal(second.status, 'SUCCEEDED', second.error?.message);
  await assertRows(lake);
  const asked = { days: askedOf(again.engine, 'days'), later: askedOf(again.engine, 'later') };
  // Days: 151 of orders and none; later: 150 of the table, and two of orders that it has not.
  assert.deepEqual(asked.days.toSorted(), ['0_1 out 100', '1_1 out 52', '1_2 out 52', '2_1 list all']);
  assert.deepEqual(asked.later.toSorted(), ['0_1 out 100', '1_1 out 52', '1_2 out 52', '2_1 list all', '2_1 out 1']);
  assert.deepEqual([...again.engine.known.keys()], []);
});

test('what lies in a partition of another unit is not adopted', async () => {
  // The unit of those that nobody knows writes all that there are.
  const does = (text: string): string => (text.includes('_2_1_out"') ? text.replace(/ AND \(\([^\n]*$/, '') : text);
  const { lake } = withEngine(await openShop(101), { does });
  const { status, error } = await lake.run({ runId: 'first', select: ['silver.orders', 'gold.days'] });
  assert.equal(status, 'FAILED');
  assert.match(error?.message ?? '', /it is of a partition that the engine was not asked for/);
});

test('partitions are known of the table, and of an input that is partitioned by the column that the table has from there', async () => {
  const sql = {
    'copy.sql': 'SELECT day, count(*) AS n FROM silver.orders o GROUP BY day',
    'both.sql': 'SELECT coalesce(o.day, r.day) AS day, o.id FROM silver.orders o JOIN silver.returns r ON r.id = o.id',
  };
  const rows = csv({ columns: { id: 'int', day: 'date' } });
  const definition = definePipeline({
    name: 'shop',
    sources: { rows, returns: rows },
    silver: {
      orders: { from: 'rows', mode: append(), partitionBy: [identity('day')] },
      returns: { from: 'returns', mode: append(), partitionBy: [identity('day')] },
    },
    gold: {
      copy: { sql: 'copy.sql', partitionBy: [identity('day')] },
      months: { sql: 'copy.sql', partitionBy: [month('day')] },
      both: { sql: 'both.sql', partitionBy: [identity('day')] },
      plain: { sql: 'copy.sql' },
    },
  });
  const lake = await openTestLake({ name: 'shop', definition, sql });
  opened.push(lake);
  await lake.land('rows', 'a.csv', 'id,day\n1,2026-03-02\n2,2026-01-05\n3,\n4,2026-01-05\n');
  await lake.land('returns', 'a.csv', 'id,day\n1,2026-03-02\n2,2026-01-06\n');
  await lake.run();
  const { models } = await lake.deps.specs('shop');
  const state = async (layer: string, name: string) => lake.metadata(`shop_${layer}.${name}`);
  const inputs = new Map([
    ['silver.orders', await state('silver', 'orders')],
    ['silver.returns', await state('silver', 'returns')],
  ]);
  const known = async (name: string, more: typeof inputs = new Map()): Promise<unknown> => {
    const model = models.find((one) => one.layer === 'gold' && one.name === name);
    assert.ok(model?.layer === 'gold');
    return knownPartitions(lake.store, model, new Map([...inputs, ...more]));
  };
  const days = [['2026-01-05'], ['2026-03-02'], [null]];
  assert.deepEqual(await known('copy'), days);
  assert.deepEqual(await known('months'), [], 'days say nothing of months');
  assert.deepEqual(await known('both'), [], 'which of the two it is nobody knows');
  assert.deepEqual(await known('plain'), []);
  const months = await state('gold', 'months');
  // Months since 1970.
  assert.deepEqual(await known('months', new Map([['gold.months', months]])), [['672'], ['674'], [null]]);
  assert.ok(months);
  const [spec] = months['partition-specs'];
  assert.ok(spec);
  const respecified = {
    ...months,
    'partition-specs': [...months['partition-specs'], { ...spec, 'spec-id': 9 }],
    'default-spec-id': 9,
  };
  assert.deepEqual(await known('months', new Map([['gold.months', respecified]])), [], 'of files of another spec');
});
