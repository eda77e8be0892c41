import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { findHistory, findNewFiles } from '../../lib/lake/ops/find-new.ts';
import type { ObjectInfo, ObjectStore } from '../../lib/ports.ts';
import { keyOf, openTestLake, type TestLake } from '../support/test-lake.ts';

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

/** A lake that has taken a file of each of four days, a run for each. */
const days = (async () => {
  const columns = { id: 'int' } as const;
  const lake = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns }), returns: csv({ columns }) },
      silver: { orders: { from: 'orders', mode: append() }, returns: { from: 'returns', mode: append() } },
    }),
  });
  opened.push(lake);
  for (const day of [1, 2, 3, 4]) {
    await lake.land('orders', nameOf(day), `id\n${day}\n`);
    assert.equal((await lake.run({ runId: `day-${day}` })).status, 'SUCCEEDED');
  }
  return lake;
})();

function nameOf(day: number): string {
  return `year=2026/month=01/day=0${day}/orders.csv`;
}

/** A lake of which it is known which data files of the ledger were lent, by the run that wrote them. */
async function watchLedger(): Promise<{
  readonly lake: TestLake;
  readonly deps: StepDeps;
  readonly lent: Set<string>;
}> {
  const lake = await days;
  const lent = new Set<string>();
  const store: ObjectStore = {
    ...lake.store,
    borrow(objects) {
      for (const key of objects.map(keyOf)) lent.add(/files\/data\/(.*)-\d+\.parquet$/.exec(key)?.[1] ?? key);
      return lake.store.borrow(objects);
    },
  };
  return { lake, deps: { ...lake.deps, store }, lent };
}

async function named(lake: TestLake, ...names: readonly string[]): Promise<readonly ObjectInfo[]> {
  const found = await Promise.all(names.map((name) => lake.store.head(`bronze/shop/orders/${name}`)));
  return found.flatMap((info) => info ?? []);
}

test('of named files those that are new are found in what the ledger may have of them, and in no more', async () => {
  const { lake, deps, lent } = await watchLedger();
  const spec = await deps.specs('shop');
  await using session = await deps.engine.open(deps.settings);
  await lake.land('orders', 'year=2026/month=01/day=02/late.csv', 'id\n9\n');
  const files = await named(lake, nameOf(2), 'year=2026/month=01/day=02/late.csv', nameOf(3));
  const { waiting } = await findNewFiles(deps, session, spec, { named: files.slice(0, 2) });
  assert.deepEqual(
    waiting.get('silver.orders')?.map(({ key }) => key),
    ['bronze/shop/orders/year=2026/month=01/day=02/late.csv'],
  );
  assert.deepEqual([...lent], ['day-2']);
  const known = await findNewFiles(deps, session, spec, { named: files.slice(2) });
  assert.deepEqual(known.waiting.get('silver.orders'), []);
  assert.deepEqual([...lent], ['day-2', 'day-3']);
  await lake.store.remove('bronze/shop/orders/year=2026/month=01/day=02/late.csv');
});

test('a name that no run has seen is new without any of the ledger, and files of no source are none', async () => {
  const { lake, deps, lent } = await watchLedger();
  const spec = await deps.specs('shop');
  await using session = await deps.engine.open(deps.settings);
  const info = { size: 1, etag: 'e', modified: 0 };
  const files = ['bronze/shop/orders/year=2026/month=02/x.csv', 'bronze/shop/other/x.csv', 'bronze/shop2/orders/x.csv'];
  const found = await findNewFiles(deps, session, spec, { named: files.map((key) => ({ key, ...info })) });
  assert.deepEqual(
    [...found.waiting].map(([model, list]) => [model, list.map(({ key }) => key)]),
    [
      ['silver.orders', ['bronze/shop/orders/year=2026/month=02/x.csv']],
      ['silver.returns', []],
    ],
  );
  assert.deepEqual([...lent], []);
  assert.deepEqual((await findNewFiles(lake.deps, session, spec)).waiting.get('silver.orders'), []);
});

test('which sources have been taken from is known of those that are asked about', async () => {
  const { deps, lent } = await watchLedger();
  const spec = await deps.specs('shop');
  await using session = await deps.engine.open(deps.settings);
  assert.deepEqual([...(await findHistory(deps, session, 'shop', []))], []);
  assert.deepEqual([...(await findHistory(deps, session, 'shop', spec.sources.slice(1)))], []);
  assert.deepEqual([...lent], []);
  assert.deepEqual([...(await findHistory(deps, session, 'shop', spec.sources))], ['orders']);
});
