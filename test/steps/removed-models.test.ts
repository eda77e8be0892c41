import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { parseTableName } from '../../lib/core/tables.ts';
import { append, csv, definePipeline, upsert } from '../../lib/define/index.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const KEYED = { from: 'events', mode: upsert({ key: 'id', sequence: 'amount' }) };
const LOOSE = { from: 'events', mode: append() };
const ITEMS = { from: 'rows', mode: append() };

const COLUMNS = { id: 'int', amount: 'int' } as const;

function shop(silver: Readonly<Record<string, { readonly from: string }>>, gold: readonly string[] = []): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: Object.fromEntries(Object.values(silver).map(({ from }) => [from, csv({ columns: COLUMNS })])),
      silver,
      gold: Object.fromEntries(gold.map((name) => [name, { sql: 'totals.sql' }])),
    } as Parameters<typeof definePipeline>[0]),
    sql: { 'totals.sql': 'SELECT sum(amount) AS amount FROM silver.items' },
  };
}

async function openShop(): Promise<TestLake> {
  const lake = await openTestLake(shop({ items: ITEMS, latest: KEYED }, ['totals']));
  await lake.land('rows', 'a.csv', 'id,amount\n1,10\n2,20\n');
  await lake.land('events', 'a.csv', 'id,amount\n1,10\n2,20\n');
  assert.equal((await lake.run({ runId: 'first' })).removed_tables?.length, 0);
  return lake;
}

async function become(lake: TestLake, pipeline: TestPipeline): Promise<TestLake> {
  const spec = await compileTest(pipeline, lake.scratch);
  return lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
}

describe('tables of models that are gone', () => {
  test('are named by a plan and by every run, with what they hold, and stay', async () => {
    const lake = await become(await openShop(), shop({ items: ITEMS }));
    const names = ['shop_silver.latest', 'shop_silver.latest__log', 'shop_gold.totals'];
    const { changes, status } = await planRun(lake.deps, 'shop');
    assert.equal(status, 'NOTHING_TO_DO');
    assert.deepEqual(
      changes.map(({ table, kind, refused, rows }) => ({ table, kind, refused, rows })),
      names.map((table) => ({ table, kind: 'removed', refused: false, rows: table.includes('gold') ? 1 : 2 })),
    );
    for (const { table, does, bytes } of changes) {
      assert.ok(does.includes(`strata drop ${table}`), does);
      assert.ok(Number(bytes) > 0, String(bytes));
    }
    const answer = await lake.answer({ runId: 'idle' });
    assert.ok(answer.kind === 'nothing');
    assert.deepEqual(
      answer.skipped.names.map(({ name }) => name),
      ['bronze/shop/events/'],
    );
    assert.deepEqual(
      answer.removed.map(({ table, rows }) => [table, rows]),
      [
        [names[0], 2],
        [names[1], 2],
        [names[2], 1],
      ],
    );
    await lake.land('rows', 'b.csv', 'id,amount\n3,30\n');
    const result = await lake.run({ runId: 'second' });
    assert.equal(result.status, 'SUCCEEDED');
    assert.deepEqual(result.removed_tables, answer.removed);
    assert.deepEqual(await lake.rows('shop_gold.totals'), [{ amount: '30' }]);
    assert.equal((await lake.rows('shop_silver.items')).length, 3);
    lake.close();
  });

  test('are named beside the new one where a model was renamed', async () => {
    const lake = await become(await openShop(), shop({ items: ITEMS, newest: KEYED }, ['totals']));
    const { changes } = await planRun(lake.deps, 'shop');
    assert.deepEqual(
      changes.map(({ table, kind }) => [table, kind]),
      [
        ['shop_silver.newest', 'backfill'],
        ['shop_silver.latest', 'removed'],
        ['shop_silver.latest__log', 'removed'],
      ],
    );
    const { removed_tables } = await lake.run({ runId: 'renamed' });
    assert.deepEqual(
      removed_tables?.map(({ table }) => table),
      ['shop_silver.latest', 'shop_silver.latest__log'],
    );
    assert.equal((await lake.rows('shop_silver.newest')).length, 2);
    lake.close();
  });

  test('leave the log of a table that has no key any more', async () => {
    const lake = await become(await openShop(), shop({ items: ITEMS, latest: LOOSE }, ['totals']));
    const { changes } = await planRun(lake.deps, 'shop', { backfill: {} });
    assert.deepEqual(
      changes.filter(({ kind }) => kind === 'removed').map(({ table }) => table),
      ['shop_silver.latest__log'],
    );
    lake.close();
  });

  test('are never those that others wrote or copied, nor those of another pipeline', async () => {
    const lake = await openShop();
    const { catalog, store } = lake.deps;
    const made = await catalog.load(parseTableName('shop_silver.items'));
    assert.ok(made);
    const { 'strata.model': _ours, ...theirs } = made.metadata.properties;
    for (const [name, properties] of [
      ['shop_silver.foreign', theirs],
      ['shop_silver.copied', made.metadata.properties],
      ['shop_gold.items', made.metadata.properties],
      ['other_silver.items', made.metadata.properties],
    ] as const) {
      const id = parseTableName(name);
      const location = store.location(`${id.layer}/${id.pipeline}/${id.name}`);
      await catalog.commit(id, undefined, { ...made.metadata, location, properties });
    }
    assert.deepEqual((await planRun(lake.deps, 'shop')).changes, []);
    const answer = await lake.answer({ runId: 'idle' });
    assert.ok(answer.kind === 'nothing');
    assert.deepEqual(answer.removed, []);
    lake.close();
  });
});
