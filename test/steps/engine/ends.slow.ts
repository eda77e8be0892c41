import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { Unavailable } from '../../../lib/core/errors.ts';
import type { VacuumAnswer } from '../../../lib/core/maintenance.ts';
import { append, csv, definePipeline } from '../../../lib/define/index.ts';
import { engineRun, namesOf } from '../../../lib/lake/engines/staging.ts';
import { stopStatements } from '../../../lib/lake/engines/stop-statements.ts';
import { decideToUndo } from '../../../lib/lake/run/decision.ts';
import { runFolder, writeOnce } from '../../../lib/lake/run/run-folder.ts';
import { vacuumTables } from '../../../lib/runtime/maintain.ts';
import { createFakeEngine, type FakeEngine, type Faults } from '../../support/fake-engine.ts';
import { openTestLake, type TestLake } from '../../support/test-lake.ts';

const one = (name: string) => ({ engine: 'athena', sql: { duckdb: `${name}.sql`, athena: `${name}.sql` } }) as const;
const SHOP = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { rows: csv({ columns: { id: 'int' } }) },
    silver: { orders: { from: 'rows', mode: append() } },
    gold: { first: one('first'), second: one('second') },
  }),
  sql: {
    'first.sql': 'SELECT count(*) AS n FROM silver.orders o',
    'second.sql': 'SELECT max(id) AS n FROM silver.orders o',
  },
};

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

async function openShop(faults: Faults, change: Partial<FakeEngine> = {}) {
  const shop = await openTestLake(SHOP);
  opened.push(shop);
  await shop.land('rows', 'a.csv', 'id\n1\n2\n');
  const engine = createFakeEngine(shop.deps, faults);
  const given = { ...engine, ...change };
  return { engine, lake: shop.reopen((deps) => ({ ...deps, sqlEngine: () => given, remainingMs: () => 0 })) };
}

async function keysOf({ store }: TestLake, prefix: string): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list(prefix)) keys.push(key);
  return keys;
}

/** The first model's statement has been done; the second's goes on and on. */
const endless: Faults = { look: (text) => (/"second__/.test(text) ? { kind: 'working' } : undefined) };

test('a run that fails stops the statements that it waits for, and no others', async () => {
  const { lake, engine } = await openShop(endless);
  const { status, error } = await lake.run({ runId: 'a' });
  assert.equal(status, 'FAILED');
  assert.match(error?.message ?? '', /gold.second: .* is still at work/);
  const tokens = [...engine.begun].flatMap(([token, text]) => (/"second__/.test(text) ? [token] : []));
  assert.deepEqual([engine.begun.size, engine.stopped], [2, tokens]);
  assert.deepEqual(await keysOf(lake, 'gold/shop/second/staged/'), []);
});

test('a comparison that a run waits for is stopped with the run, too', async () => {
  const sql = { duckdb: 'second.sql', athena: 'second.sql' };
  const definition = { ...SHOP.definition, gold: { second: { sql } } };
  const shop = await openTestLake({ ...SHOP, definition });
  opened.push(shop);
  await shop.land('rows', 'a.csv', 'id\n1\n2\n');
  const engine = createFakeEngine(shop.deps, { look: () => ({ kind: 'working' }) });
  const stopping = { ...engine, look: async () => Promise.reject(new RangeError('a mistake of ours')) };
  const lake = shop.reopen((deps) => ({ ...deps, sqlEngine: () => stopping }));
  const { status } = await lake.run({ runId: 'a', shadow: true, select: ['silver.orders', 'gold.second'] });
  assert.deepEqual([status, engine.stopped], ['FAILED', [...engine.begun.keys()]]);
  assert.equal(engine.stopped.length, 1);
});

test('what cannot be stopped keeps no run from being undone', async () => {
  let asked = 0;
  const cancel = async (): Promise<never> => {
    asked += 1;
    throw new Unavailable('nobody is there');
  };
  const { lake } = await openShop(endless, { cancel });
  assert.equal((await lake.run({ runId: 'a' })).status, 'FAILED');
  assert.equal(asked, 1);
  assert.deepEqual(await keysOf(lake, 'ops/shop/_runs/a/level-'), []);
  const again = lake.reopen((deps) => ({ ...deps, sqlEngine: () => createFakeEngine(lake.deps) }));
  assert.equal((await again.run({ runId: 'b' })).status, 'SUCCEEDED');
});

test('an engine is asked for what attempts that have not ended have begun, until it has refused three times', async () => {
  const store = createMemoryStore();
  const run = { pipeline: 'shop', run_id: 'a', dry_run: false };
  const records = {
    ...{
      '1-list': 'u1',
      '1-insert-0': 'u2',
      '1-failed': null,
      '2-insert-0': 'u3',
      '2-insert-1': 'u4',
      '2-insert-2': 'u5',
    },
    ...{ '2-insert-3': 'u6', 'call-1': null },
  };
  const write = (level: number, unit: string, name: string, id: string | null): Promise<unknown> =>
    writeOnce(store, runFolder.engineRecord(run, level, unit, name), id === null ? {} : { id, engine: 'athena' });
  for (const [name, id] of Object.entries(records)) await write(1, 'gold.a-00000', name, id);
  await write(0, 'gold.a-00001', '1-insert-0', 'u0');
  await write(0, 'gold.a-00001', '1-done', null);
  await write(2, 'shadow-gold.a-x', '1-list', 'u7');
  const asked: string[] = [];
  const stop = async (refusals: number): Promise<readonly string[]> => {
    asked.length = 0;
    const cancel = async (id: string): Promise<void> => {
      asked.push(id);
      if (asked.length <= refusals) throw new Unavailable('nobody is there');
    };
    const log = { info: () => {}, warn: () => {} };
    await stopStatements({ store, log, sqlEngine: () => ({ cancel }) }, { run, spec: { levels: [[], []] } });
    return asked;
  };
  assert.deepEqual(await stop(0), ['u3', 'u4', 'u5', 'u6', 'u7']);
  assert.deepEqual(await stop(2), ['u3', 'u4', 'u5', 'u6', 'u7']);
  assert.deepEqual(await stop(3), ['u3', 'u4', 'u5']);
});

test('a unit whose statement was stopped with its run begins no other', async () => {
  const run = { pipeline: 'shop', run_id: 'a', dry_run: false };
  const undo = { name: 'EngineError', message: 'another unit' };
  const { lake, engine } = await openShop({});
  const look: FakeEngine['look'] = async () => {
    await decideToUndo(lake.store, run, { at: '2026-01-01T00:00:00Z', undo });
    return { kind: 'failed', reason: 'it was stopped' };
  };
  const stopped = lake.reopen((deps) => ({ ...deps, sqlEngine: () => ({ ...engine, look }) }));
  const { status } = await stopped.run({ runId: 'a', select: ['silver.orders', 'gold.first'] });
  assert.deepEqual([status, engine.begun.size], ['FAILED', 1]);
});

test('a vacuum has engines forget what they were shown for runs of the pipeline, and of no other lake', async () => {
  const { lake, engine } = await openShop({});
  assert.equal((await lake.run({ runId: 'a' })).status, 'SUCCEEDED');
  const metadata = (await lake.metadata('shop_gold.first')) ?? assert.fail();
  const [file] = await keysOf(lake, 'gold/shop/first/metadata/');
  const named = (pipeline: string, name: string): string =>
    `${namesOf(engineRun({ run: { pipeline, run_id: 'x', dry_run: false }, created_at: '' }, lake.store), { name })}0_1_out`;
  const [gone, there, others] = [named('shop', 'was_removed'), named('shop', 'first'), named('other', 'first')];
  for (const name of [gone, there, others, 'first'])
    await engine.show({
      name,
      metadata,
      metadataLocation: lake.store.location(name === there ? (file ?? '') : 'gold/x'),
    });
  const vacuum = (olderThanMs: number, more: object = {}): Promise<VacuumAnswer> =>
    vacuumTables(lake.deps, { target: 'shop', olderThanMs, ...more });
  const namesIn = ({ tables }: VacuumAnswer) =>
    tables.filter(({ kind }) => kind === 'names').map(({ table, names }) => [table, names]);
  const [young, old] = [100 * 365 * 86_400_000, 7 * 86_400_000];
  assert.deepEqual(namesIn(await vacuum(old, { dryRun: true })), [['shop_gold', 2]]);
  assert.deepEqual([...engine.known.keys()], [gone, there, others, 'first'], 'a dry run only counts');
  assert.deepEqual(namesIn(await vacuum(young, { runId: 'v1' })), [['shop_gold', 1]]);
  assert.deepEqual([...engine.known.keys()], [there, others, 'first']);
  assert.deepEqual(namesIn(await vacuum(old, { runId: 'v2' })), [['shop_gold', 1]]);
  assert.deepEqual([...engine.known.keys()], [others, 'first']);
  const without = lake.reopen(({ sqlEngine: _engine, ...deps }) => deps);
  assert.deepEqual(namesIn(await vacuumTables(without.deps, { target: 'shop', runId: 'v3' })), []);
});
