import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { UnreadableTable } from '../../lib/core/errors.ts';
import { parseTableName } from '../../lib/core/tables.ts';
import { dropTable } from '../../lib/runtime/drop-table.ts';
import { type MaintainRequest, vacuumTables } from '../../lib/runtime/maintain.ts';
import { changeTable } from '../../lib/table/change.ts';
import { Crash } from '../ports/faults.ts';
import { dying, successor } from '../support/dying.ts';
import type { TestLake } from '../support/test-lake.ts';
import { contents, expire, keys, openShop, readAll } from './maintained-shop.ts';

const DAY = 24 * 3_600_000;

let made: TestLake;
before(async () => {
  made = await openShop();
});
after(() => made.close());

/** The lake so many days after its objects were written, which the store has counted from the epoch on. */
function later(lake: TestLake, days: number): TestLake {
  return lake.reopen((deps) => ({ ...deps, clock: { now: () => new Date(days * DAY) } }));
}

const vacuum = (lake: TestLake, request: Partial<MaintainRequest> = {}, days = 8) =>
  vacuumTables(later(lake, days).deps, { target: 'shop', ...request });

const put = (lake: TestLake, key: string) => lake.store.write(key, new Uint8Array(10), { kind: 'any' });

const isMetadata = (key: string): boolean => key.endsWith('.metadata.json');
const isOfTables = (key: string): boolean => !key.startsWith('ops/shop/_');

test('of a lake that works nothing is removed but old metadata files and what ended runs needed', async () => {
  const lake = await made.copy();
  const [was, there] = [await contents(lake), await keys(lake)];
  const answer = await vacuum(lake);
  assert.deepEqual([answer.failed, answer.unknown], [[], []]);
  const left = new Set(await keys(lake));
  const gone = there.filter((key) => !left.has(key));
  assert.deepEqual(
    gone.filter((key) => isOfTables(key) && !isMetadata(key)),
    [],
  );
  assert.deepEqual(await contents(lake), was);
  await readAll(lake);
  assert.ok(there.some((key) => key.includes('/_runs/run-1/level-0/')));
  const ofRun = [...left].filter((key) => key.startsWith('ops/shop/_runs/run-1/'));
  assert.deepEqual(
    ofRun.map((key) => key.split('/').at(-1)),
    ['commit.json', 'plan.json', 'result.json'],
  );
  assert.deepEqual(await lake.answer({ runId: 'run-1' }), await made.answer({ runId: 'run-1' }), 'its id is known');
  await lake.land('rows', 'more.csv', 'id,amount\n7,70\n');
  await lake.land('events', 'more.csv', 'id,amount\n7,70\n');
  assert.equal((await lake.run({ runId: 'more' })).status, 'SUCCEEDED');
});

const ORPHANS = [
  'silver/shop/items/data/orphan.parquet',
  'silver/shop/items/metadata/99-orphan-m0.avro',
  'silver/shop/items/metadata/snap-99-1-orphan.avro',
  'gold/shop/by_id/data/id=99/orphan.parquet',
  'gold/shop/by_id/data/_id=99/orphan.parquet',
  'ops/shop/files/data/orphan.parquet',
  'ops/shop/_events/0123.json',
  'ops/shop/_dry_runs/dead/plan.json',
];
const STAYING = [
  'silver/shop/items/_delta_log/0.json',
  'silver/shop/items/.hidden',
  'silver/shop/itemsx/data/x.parquet',
];

test('what no snapshot names goes once it is old, and is written down; dropped tables go whole', async () => {
  const lake = await made.copy();
  for (const key of [...ORPHANS, ...STAYING]) await put(lake, key);
  await dropTable(lake.deps, { table: 'shop_silver.latest', force: true });
  const was = [await lake.rows('shop_silver.items'), await lake.rows('shop_gold.by_id')];
  const young = await vacuum(lake, {}, 6);
  assert.deepEqual(new Set(young.tables.map(({ files }) => files)), new Set([0]), 'six days are too young');
  const there = await keys(lake);
  const dry = await vacuum(lake, { dryRun: true });
  assert.deepEqual(await keys(lake), there);
  const answer = await vacuum(lake);
  assert.deepEqual(answer.tables, dry.tables);
  assert.deepEqual(answer.unknown, ['shop_silver.itemsx'], 'nothing says that it was dropped');
  const left = await keys(lake);
  for (const key of ORPHANS) assert.ok(!left.includes(key), key);
  for (const key of STAYING) assert.ok(left.includes(key), key);
  for (const table of ['latest', 'latest__log']) {
    const [tombstone, ...others] = left.filter((key) => key.startsWith(`silver/shop/${table}/`));
    assert.match(tombstone ?? '', /v\d+\.metadata\.json$/);
    assert.deepEqual(others, []);
  }
  assert.deepEqual([await lake.rows('shop_silver.items'), await lake.rows('shop_gold.by_id')], was);
  await readAll(lake);
  const records = left.filter((key) => key.startsWith(`${answer.record}/removed/`));
  const written = await Promise.all(
    records.map(async (key) => JSON.parse(new TextDecoder().decode((await lake.store.read(key)).bytes)).keys),
  );
  const gone = there.filter((key) => !left.includes(key));
  assert.deepEqual(written.flat().sort(), [...gone].sort());
  const alone = await vacuum(lake, { target: 'shop_silver.latest' });
  assert.deepEqual(
    alone.tables.map(({ table, kind, files }) => [table, kind, files]),
    [['shop_silver.latest', 'dropped', 0]],
  );
});

test('what an expiry that was killed has left goes', async () => {
  const lake = await made.copy();
  const counted = dying(await lake.copy(), Number.POSITIVE_INFINITY);
  await expire(counted.lake, { target: 'shop_gold.totals' });
  const whole = (await keys(counted.lake, 'gold/shop/totals/')).filter((key) => !isMetadata(key));
  for (let at = 1; at <= counted.changes(); at += 1) {
    const one = await lake.copy();
    await assert.rejects(expire(dying(one, at).lake, { target: 'shop_gold.totals' }), Crash);
    const next = successor(one);
    await expire(next, { target: 'shop_gold.totals' });
    await vacuum(next, { target: 'shop_gold.totals' });
    assert.deepEqual(
      (await keys(next, 'gold/shop/totals/')).filter((key) => !isMetadata(key)),
      whole,
      `died before change ${at}`,
    );
    await readAll(next);
  }
});

test('what an unfinished run may publish stays, and goes once it has ended', async () => {
  const whole = await made.copy();
  await whole.land('rows', 'x.csv', 'id,amount\n7,70\n');
  const counted = dying(await whole.copy(), Number.POSITIVE_INFINITY);
  await counted.lake.answer({ runId: 'dies' });
  await whole.run({ runId: 'dies' });
  for (const share of [0.5, 0.8, 0.95]) {
    const lake = await made.copy();
    await put(lake, 'silver/shop/items/data/before.parquet');
    await lake.land('rows', 'x.csv', 'id,amount\n7,70\n');
    await dying(lake, Math.floor(counted.changes() * share))
      .lake.answer({ runId: 'dies' })
      .catch((cause: unknown) => assert.ok(cause instanceof Crash));
    await put(lake, 'silver/shop/items/data/since.parquet');
    const next = successor(lake);
    assert.deepEqual((await vacuum(next, { olderThanMs: 0, forceRetention: true })).failed, []);
    const found = (await keys(lake, 'silver/shop/items/data/')).map((key) => key.split('/').at(-1));
    assert.deepEqual([found.includes('before.parquet'), found.includes('since.parquet')], [false, true]);
    await next.answer({ runId: 'dies' });
    assert.deepEqual(await contents(next), await contents(whole), String(share));
    await vacuum(next, { olderThanMs: 0, forceRetention: true });
    assert.ok(!(await keys(lake)).includes('silver/shop/items/data/since.parquet'));
    await readAll(next);
  }
});

test('a table that names its files otherwise than the store does is left as it is', async () => {
  const lake = await made.copy();
  await put(lake, 'silver/shop/items/data/orphan.parquet');
  const strange = lake.reopen((deps) => {
    const other = { ...deps.store, location: (key: string) => deps.store.location(key).replace('memory:', 'memory3:') };
    return { ...deps, store: { ...other, key: (at: string) => deps.store.key(at.replace('memory3:', 'memory:')) } };
  });
  const { failed, tables } = await vacuum(strange, { target: 'shop_silver.items' });
  assert.deepEqual(tables, []);
  assert.match(
    failed[0]?.error ?? '',
    new RegExp(`^${UnreadableTable.name}: .*got a file named .*Nothing was removed`),
  );
  assert.ok((await keys(lake)).includes('silver/shop/items/data/orphan.parquet'));
});

test('a table that shares its files is left as it is, and the others are dealt with', async () => {
  const lake = await made.copy();
  for (const key of ORPHANS) await put(lake, key);
  await changeTable(lake.deps, parseTableName('shop_silver.items'), () => ({
    requirements: [],
    updates: [{ action: 'set-properties', updates: { 'gc.enabled': 'false' } }],
  }));
  const { failed } = await vacuum(lake);
  assert.deepEqual(
    failed.map(({ table }) => table),
    ['shop_silver.items'],
  );
  const left = await keys(lake);
  assert.ok(left.includes('silver/shop/items/data/orphan.parquet'));
  assert.ok(!left.includes('ops/shop/files/data/orphan.parquet'));
});

test('less than a week is refused', async () => {
  await assert.rejects(
    vacuum(made, { olderThanMs: DAY }),
    /got 24h; expected 168h or more[\s\S]*strata vacuum --force-retention/,
  );
});
