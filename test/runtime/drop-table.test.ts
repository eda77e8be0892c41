import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvalidInput, LockHeld } from '../../lib/core/errors.ts';
import { parseTableName } from '../../lib/core/tables.ts';
import { append, csv, definePipeline, upsert } from '../../lib/define/index.ts';
import { releaseLock, takeLock } from '../../lib/lake/run/lock.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { type DropRequest, dropTable } from '../../lib/runtime/drop-table.ts';
import { Crash } from '../ports/faults.ts';
import { dyingStore } from '../support/dying-store.ts';
import { onStore } from '../support/folder-lake.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const COLUMNS = { id: 'int', amount: 'int' } as const;
const ITEMS = { items: { from: 'rows', mode: append() } };
const LATEST = { latest: { from: 'events', mode: upsert({ key: 'id', sequence: 'amount' }) } };

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

const WHOLE = shop({ ...ITEMS, ...LATEST }, ['totals']);
const REDUCED = shop(ITEMS);

async function openShop(now: TestPipeline = WHOLE): Promise<TestLake> {
  const lake = await openTestLake(WHOLE);
  await lake.land('rows', 'a.csv', 'id,amount\n1,10\n2,20\n');
  await lake.land('events', 'a.csv', 'id,amount\n1,10\n2,20\n');
  assert.equal((await lake.run({ runId: 'first' })).status, 'SUCCEEDED');
  return become(lake, now);
}

async function become(lake: TestLake, pipeline: TestPipeline): Promise<TestLake> {
  const spec = await compileTest(pipeline, lake.scratch);
  return lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
}

async function keys(lake: TestLake, prefix: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { key } of lake.store.list(prefix)) found.push(key);
  return found;
}

async function readAll(lake: TestLake, prefix: string): Promise<ReadonlyMap<string, Uint8Array>> {
  const found = new Map<string, Uint8Array>();
  for (const key of await keys(lake, prefix)) found.set(key, (await lake.store.read(key)).bytes);
  return found;
}

async function removeAll(lake: TestLake, prefix: string): Promise<void> {
  for (const key of await keys(lake, prefix)) await lake.store.remove(key);
}

const names = async ({ deps }: TestLake): Promise<readonly string[]> =>
  (await deps.catalog.list())
    .filter(({ layer }) => layer !== 'ops')
    .map(({ layer, name }) => `${layer}.${name}`)
    .sort();

describe('a table that no model makes', () => {
  test('leaves the catalog with its log, and its files when asked; again finishes', async () => {
    const lake = await openShop(REDUCED);
    const drop = (request: Omit<DropRequest, 'table'>) =>
      dropTable(lake.deps, { table: 'shop_silver.latest', ...request });
    const before = await keys(lake, 'silver/shop/latest');
    const shown = await drop({ data: true, dryRun: true });
    assert.deepEqual(
      shown.tables.map(({ table, dropped, rows, files, files_removed }) => [
        table,
        dropped,
        rows,
        files === files_removed,
      ]),
      [
        ['shop_silver.latest', true, 2, true],
        ['shop_silver.latest__log', true, 2, true],
      ],
    );
    assert.equal(
      shown.tables.reduce((sum, { files }) => sum + files, 0),
      before.length,
    );
    assert.deepEqual(await keys(lake, 'silver/shop/latest'), before);
    const first = await drop({});
    assert.deepEqual(
      first.tables.map(({ dropped, files_removed }) => [dropped, files_removed]),
      [
        [true, 0],
        [true, 0],
      ],
    );
    assert.deepEqual(await names(lake), ['gold.totals', 'silver.items']);
    const second = await drop({ data: true });
    assert.deepEqual(
      second.tables.map(({ dropped, rows }) => [dropped, rows]),
      [
        [false, null],
        [false, null],
      ],
    );
    const left = await keys(lake, 'silver/shop/latest');
    assert.deepEqual(
      left.map((key) => key.replace(/v\d+/, 'vN')),
      ['silver/shop/latest/metadata/vN.metadata.json', 'silver/shop/latest__log/metadata/vN.metadata.json'],
    );
    await assert.rejects(drop({ data: true }), /no table "shop_silver\.latest"/);
    assert.deepEqual(
      (await planRun(lake.deps, 'shop')).changes.map(({ table }) => table),
      ['shop_gold.totals'],
    );
    lake.close();
  });

  for (const data of [false, true]) {
    test(`comes back from all that landed when its model does, dropped ${data ? 'with' : 'without'} its files`, async () => {
      const reduced = await openShop(REDUCED);
      await dropTable(reduced.deps, { table: 'shop_silver.latest', data });
      await dropTable(reduced.deps, { table: 'shop_gold.totals', data });
      const lake = await become(reduced, WHOLE);
      await lake.land('events', 'b.csv', 'id,amount\n2,25\n3,30\n');
      assert.equal((await lake.run({ runId: 'back' })).status, 'SUCCEEDED');
      const rows = [
        { id: 1, amount: 10 },
        { id: 2, amount: 25 },
        { id: 3, amount: 30 },
      ];
      assert.deepEqual(await lake.rows('shop_silver.latest', 'SELECT id, amount FROM t ORDER BY id'), rows);
      assert.equal((await lake.rows('shop_silver.latest__log')).length, 4);
      assert.deepEqual(await lake.rows('shop_gold.totals'), [{ amount: '30' }]);
      assert.equal((await lake.metadata('shop_silver.latest'))?.snapshots.length, 1);
      lake.close();
    });
  }

  test('killed before any change is there whole or not at all, and dropped by the next', async () => {
    const lake = await openShop(REDUCED);
    const prefix = 'silver/shop/latest';
    const before = await readAll(lake, prefix);
    const request = { table: 'shop_silver.latest', data: true };
    const counted = dyingStore(lake.store, Number.POSITIVE_INFINITY);
    await dropTable(onStore(lake.deps, counted.store), request);
    assert.ok(counted.changes() > 10, String(counted.changes()));
    for (let last = 0; last < counted.changes(); last += 1) {
      await removeAll(lake, prefix);
      for (const [key, bytes] of before) await lake.store.write(key, bytes, { kind: 'any' });
      await assert.rejects(dropTable(onStore(lake.deps, dyingStore(lake.store, last).store), request), Crash);
      for (const name of (await names(lake)).filter((one) => one.startsWith('silver.latest')))
        assert.equal((await lake.rows(`shop_${name}`)).length, 2);
      await dropTable(lake.deps, request).catch((error: unknown) => {
        if (!(error instanceof InvalidInput && error.message.startsWith('no table'))) throw error;
      });
      assert.deepEqual(await names(lake), ['gold.totals', 'silver.items']);
      assert.equal((await keys(lake, prefix)).length, 2, `died after ${last} changes`);
    }
    lake.close();
  });
});

describe('a drop is refused', () => {
  test('of what is made, of books, and of unknown names', async () => {
    const lake = await openShop();
    for (const [what, table, words] of [
      [
        'a table that a model makes',
        'shop_silver.items',
        /model silver\.items of shop makes[\s\S]*strata backfill shop --select items[\s\S]*--force/,
      ],
      ['gold that a model makes', 'shop_gold.totals', /model gold\.totals of shop makes/],
      ['the log of a keyed table', 'shop_silver.latest__log', /the table itself, shop_silver\.latest/],
      ['the books', 'shop_ops.files', /a table of the books of shop/],
      ['an unknown name', 'shop_silver.itms', /did you mean shop_silver\.items\?/],
      ['no name', 'items', /did you mean shop_silver\.items\?/],
    ] as const) {
      await assert.rejects(dropTable(lake.deps, { table }), (error: unknown) => {
        assert.ok(error instanceof InvalidInput, what);
        assert.match(error.message, words, what);
        return true;
      });
    }
    assert.equal((await names(lake)).length, 4);
    lake.close();
  });

  test('where the pipeline cannot be asked, unless it is forced', async () => {
    const lake = (await openShop()).reopen((deps) => ({
      ...deps,
      specs: async () => {
        throw new InvalidInput('no pipeline "shop"');
      },
    }));
    await assert.rejects(dropTable(lake.deps, { table: 'shop_gold.totals' }), /--force[\s\S]*no pipeline "shop"/);
    await dropTable(lake.deps, { table: 'shop_gold.totals', force: true });
    assert.equal(await lake.deps.catalog.load(parseTableName('shop_gold.totals')), undefined);
    lake.close();
  });

  test('while a run works, and while one is unfinished', async () => {
    const lake = await openShop(REDUCED);
    const table = 'shop_gold.totals';
    const other = { ...lake.deps, settings: { ...lake.deps.settings, holder: () => 'another' } };
    const epoch = await takeLock(other, { pipeline: 'shop', run_id: 'at-work' });
    await assert.rejects(dropTable(lake.deps, { table }), LockHeld);
    await releaseLock(other, { pipeline: 'shop', run_id: 'at-work', epoch });
    await lake.land('rows', 'b.csv', 'id,amount\n3,30\n');
    const dies = lake.reopen((deps) => ({
      ...deps,
      catalog: {
        ...deps.catalog,
        commit: async () => {
          throw new Crash('the process ended');
        },
      },
    }));
    await dies.answer({ runId: 'dies' }).catch(() => undefined);
    await assert.rejects(dropTable(lake.deps, { table }), /run dies of shop is unfinished[\s\S]*strata run shop/);
    assert.ok(await lake.deps.catalog.load(parseTableName(table)));
    lake.close();
  });
});

test('a forced drop of what models make is undone by the next run', async () => {
  const lake = await openShop();
  for (const table of ['shop_silver.latest', 'shop_silver.items', 'shop_gold.totals'])
    await dropTable(lake.deps, { table, force: true, data: table === 'shop_silver.items' });
  assert.deepEqual(await names(lake), []);
  assert.equal((await lake.run({ runId: 'anew' })).status, 'SUCCEEDED');
  assert.deepEqual(await names(lake), ['gold.totals', 'silver.items', 'silver.latest', 'silver.latest__log']);
  assert.deepEqual(await lake.rows('shop_gold.totals'), [{ amount: '30' }]);
  assert.equal((await lake.rows('shop_silver.latest')).length, 2);
  lake.close();
});
