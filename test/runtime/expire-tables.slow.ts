import assert from 'node:assert/strict';
import { renameSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { InvalidInput, LockHeld } from '../../lib/core/errors.ts';
import { parseTableName } from '../../lib/core/tables.ts';
import { takeLock } from '../../lib/lake/run/lock.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { queryRows, withQuery } from '../../lib/query/select.ts';
import { expireTables } from '../../lib/runtime/maintain.ts';
import { changeTable } from '../../lib/table/change.ts';
import { findUnneeded, unneededFiles } from '../../lib/table/reachable.ts';
import { Crash } from '../ports/faults.ts';
import { dying, successor } from '../support/dying.ts';
import * as moved from '../support/moved-lake.ts';
import type { TestLake } from '../support/test-lake.ts';
import { contents, expire, keys, openShop, RUNS, readAll, runIds } from './maintained-shop.ts';

let made: TestLake;
before(async () => {
  made = await openShop();
});
after(() => made.close());

test('old snapshots go, with the files that only they had, and what is there stays as it was', async () => {
  const lake = await made.copy();
  const [was, dry] = [await contents(lake), await expire(lake, { dryRun: true })];
  const there = await keys(lake);
  const answer = await expire(lake);
  assert.deepEqual(answer.failed, []);
  assert.deepEqual(dry.tables, answer.tables, 'a dry run says what is done');
  const items = answer.tables.find(({ table }) => table === 'shop_silver.items');
  assert.deepEqual(
    [items?.snapshots, items?.snapshots_left, items?.data_files],
    [RUNS - 1, 1, 0],
    'an append keeps all of its files',
  );
  const totals = answer.tables.find(({ table }) => table === 'shop_gold.totals');
  assert.equal(totals?.data_files, RUNS - 1, 'gold that was computed anew has one');
  assert.deepEqual(await contents(lake), was);
  await readAll(lake);
  const left = new Set(await keys(lake));
  const gone = there.filter((key) => !left.has(key) && !key.includes('.metadata.json'));
  const records = await keys(lake, `${answer.record}/removed/`);
  const written = await Promise.all(
    records.map(async (key) => JSON.parse(new TextDecoder().decode((await lake.store.read(key)).bytes)).keys),
  );
  assert.deepEqual(written.flat().sort(), [...gone].sort(), 'the record names what was removed');
  assert.ok(gone.length > 40, String(gone.length));
  assert.deepEqual(
    (await expire(lake)).tables.filter(({ snapshots, table }) => snapshots > 0 && table !== 'shop_ops.runs'),
    [],
    'and that was all, but for the run that it is itself',
  );
});

test('a lake goes on after an expiry as it would have without: runs, keyed tables, gold that follows what changed', async () => {
  const [lake, other] = [await made.copy(), await made.copy()];
  await expire(lake);
  const plan = await planRun(lake.deps, 'shop');
  assert.deepEqual(plan.levels, [], 'nothing is due by it');
  for (const one of [lake, other]) {
    await one.land('rows', 'more.csv', 'id,amount\n1,5\n9,90\n');
    await one.land('events', 'more.csv', 'id,amount\n1,3\n2,99\n');
    assert.equal((await one.run({ runId: 'more' })).status, 'SUCCEEDED');
  }
  assert.deepEqual(await contents(lake), await contents(other));
  assert.deepEqual(await lake.rows('shop_gold.by_id'), await other.rows('shop_gold.by_id'));
  await readAll(lake);
});

test('gold that follows what changed is computed whole where the snapshot that it knew has gone', async () => {
  const lake = await made.copy();
  await lake.land('rows', 'a.csv', 'id,amount\n1,5\n');
  await lake.run({ runId: 'a', exclude: ['gold.by_id'] });
  await expire(lake);
  const due = (await planRun(lake.deps, 'shop')).levels.flatMap(({ tables }) => tables);
  assert.deepEqual(
    due.map(({ table, reason }) => [table, reason]),
    [
      [
        'shop_gold.by_id',
        'silver.items changed; all of it, since the snapshot of silver.items that it was computed from has expired',
      ],
    ],
  );
  assert.equal((await lake.run({ runId: 'b' })).status, 'SUCCEEDED');
  assert.deepEqual(await lake.rows('shop_gold.by_id', 'SELECT id, amount::int AS amount FROM t WHERE id = 1'), [
    { id: 1, amount: 15 },
  ]);
});

test('moments that can no longer be read are told with the oldest that can', async () => {
  const lake = await made.copy();
  await expire(lake, { target: 'shop_silver.items', keep: 2 });
  await expire(lake, { target: 'shop_gold.totals' });
  const asOf = (moment: string, table = 'shop_silver.items') =>
    withQuery(lake.deps, { sql: `SELECT count(*)::int AS n FROM ${table}`, asOf: moment }, async (result) => {
      for await (const page of result.pages()) return page;
    });
  assert.deepEqual(await asOf('run-5'), [{ n: 5 }]);
  assert.deepEqual(await asOf('run-6'), [{ n: 6 }]);
  await assert.rejects(
    asOf('run-4'),
    /shop_silver\.items cannot be read as of run-4: .* \(strata expire, last on 2026-.*\); the oldest moment is 2026-/,
  );
  assert.deepEqual(await asOf('run-4', 'shop_silver.latest'), [{ n: 2 }]);
  await expire(lake);
  await assert.rejects(asOf('run-4'), /run run-4 ended on 2026-.*has expired/);
  assert.deepEqual(await asOf('run-6', 'shop_silver.latest'), [{ n: 2 }]);
  assert.deepEqual(
    await queryRows(
      lake.deps,
      "SELECT kind, count(*)::int AS n FROM shop_ops.runs WHERE status = 'SUCCEEDED' GROUP BY kind ORDER BY kind",
    ),
    [
      { kind: 'expire', n: 3 },
      { kind: 'run', n: RUNS },
    ],
  );
});

test('a run that is known by one table alone keeps its place among the others', async () => {
  const lake = await made.copy();
  await changeTable(lake.deps, parseTableName('shop_silver.items'), ({ metadata }) => ({
    requirements: [],
    updates: [
      {
        action: 'set-snapshot-ref',
        'ref-name': 'june',
        type: 'tag',
        'snapshot-id': metadata.snapshots[2]?.['snapshot-id'] ?? assert.fail(),
      },
    ],
  }));
  await expire(lake);
  assert.deepEqual(await runIds(lake, 'shop_silver.items'), ['run-3', 'run-6']);
  const [third, last, own] = await runIds(lake, 'shop_ops.runs');
  assert.deepEqual([third, last], ['run-3', 'run-6']);
  assert.match(own ?? '', /-expire-/, 'and the expiry itself');
  const read = (moment: string) =>
    withQuery(lake.deps, { sql: 'SELECT count(*)::int AS n FROM shop_silver.items', asOf: moment }, async (result) => {
      for await (const page of result.pages()) return page;
    });
  assert.deepEqual(await read('run-3'), [{ n: 3 }]);
  await assert.rejects(read('run-4'), /has expired/);
  await readAll(lake);
});

test('what an unfinished run of another pipeline has pinned stays', async () => {
  const lake = await made.copy();
  const reader = lake.of('reader');
  const pinned = (await lake.metadata('shop_silver.items'))?.['current-snapshot-id'];
  const counted = dying(reader, 12);
  await counted.lake.answer({ runId: 'reads' }).catch((cause: unknown) => assert.ok(cause instanceof Crash));
  await lake.land('rows', 'x.csv', 'id,amount\n7,70\n');
  await lake.run({ runId: 'later' });
  await expire(lake);
  const kept = (await lake.metadata('shop_silver.items'))?.snapshots.map((one) => one['snapshot-id']);
  assert.ok(kept?.includes(pinned ?? 0n), 'the snapshot that the reader began with');
  await successor(reader).answer({ runId: 'reads' });
  assert.equal((await lake.rows('reader_gold.copy')).length, RUNS);
  await expire(lake);
  assert.equal((await lake.metadata('shop_silver.items'))?.snapshots.length, 1);
});

test('in a lake that was moved, files are found where they are', async () => {
  const { lake, root, close } = await moved.openShop();
  await lake.land('rows', 'more.csv', 'id,amount\n7,70\n');
  await lake.run({ runId: 'more' });
  const tables = async (one: TestLake) => ((await moved.contents(one)) as [string, unknown][]).slice(0, -1);
  const was = await tables(lake);
  const place = join(lake.scratch, 'elsewhere');
  renameSync(root, place);
  const there = moved.openAt(lake, place);
  const answer = await expire(there);
  assert.deepEqual(answer.failed, []);
  assert.ok(answer.tables.some(({ data_files }) => data_files > 0));
  assert.deepEqual(await tables(there), was, 'all but the table of runs, which has the expiry');
  await readAll(there);
  close();
});

test('an expiry that another commit overtakes is planned anew', async () => {
  const lake = await made.copy();
  let left = 1;
  const meanwhile = lake.reopen((deps) => ({
    ...deps,
    catalog: {
      ...deps.catalog,
      async commit(id, base, next) {
        if (left > 0 && id.name === 'items') {
          left -= 1;
          await changeTable(lake.deps, id, () => ({
            requirements: [],
            updates: [{ action: 'set-properties', updates: { theirs: 'yes' } }],
          }));
        }
        return deps.catalog.commit(id, base, next);
      },
    },
  }));
  const answer = await expire(meanwhile, { target: 'shop_silver.items' });
  assert.deepEqual([answer.failed, answer.tables[0]?.snapshots], [[], RUNS - 1]);
  const metadata = await lake.metadata('shop_silver.items');
  assert.equal(metadata?.properties['theirs'], 'yes');
  await readAll(lake);
});

test('one table that cannot be dealt with is named, and the others are', async () => {
  const lake = await made.copy();
  const [first] = (await lake.metadata('shop_silver.items'))?.snapshots ?? [];
  await lake.store.remove(lake.store.key(first?.['manifest-list'] ?? ''));
  await changeTable(lake.deps, parseTableName('shop_gold.totals'), () => ({
    requirements: [],
    updates: [{ action: 'set-properties', updates: { 'gc.enabled': 'false' } }],
  }));
  const { failed, tables } = await expire(lake);
  assert.deepEqual(
    failed.map(({ table }) => table),
    ['shop_silver.items', 'shop_gold.totals'],
  );
  assert.match(failed[1]?.error ?? '', /gc\.enabled is false/);
  assert.equal((await lake.metadata('shop_silver.items'))?.snapshots.length, RUNS, 'nothing was forgotten');
  assert.ok(tables.filter(({ snapshots }) => snapshots > 0).length > 4);
});

describe('an expiry is refused', () => {
  const CASES = [
    [
      'less than a week',
      { olderThanMs: 3_600_000, forceRetention: false },
      /got 1h; expected 168h or more[\s\S]*strata expire --force-retention/,
    ],
    ['an unknown table', { target: 'shop_silver.itms' }, /did you mean shop_silver\.items/],
    ['an unknown pipeline', { target: 'shp' }, /got "shp"; expected a pipeline that has run \(shop\)/],
  ] as const;
  for (const [what, request, words] of CASES) {
    test(what, async () => {
      await assert.rejects(expire(made, request), (cause: unknown) => {
        assert.ok(cause instanceof InvalidInput);
        assert.match(cause.message, words);
        return true;
      });
    });
  }

  test('while a run works, where it is less than a week; a week leaves the run alone', async () => {
    const lake = await made.copy();
    const other = { ...lake.deps, settings: { ...lake.deps.settings, holder: () => 'another' } };
    await takeLock(other, { pipeline: 'shop', run_id: 'at-work' });
    await assert.rejects(expire(lake), LockHeld);
    const { tables } = await expireTables(lake.deps, { target: 'shop' });
    assert.deepEqual(new Set(tables.map(({ snapshots }) => snapshots)), new Set([0]));
  });
});

test('data files are looked for in batches, each once', async () => {
  const lake = await made.copy();
  const metadata = (await lake.metadata('shop_gold.totals')) ?? assert.fail();
  const unneeded = await findUnneeded(lake.store, metadata, metadata.snapshots.slice(0, -1));
  const found = async (most: number): Promise<readonly (readonly string[])[]> => {
    const batches: string[][] = [];
    for await (const batch of unneededFiles(lake.store, unneeded, most)) batches.push(batch.map(({ path }) => path));
    return batches;
  };
  const [whole, small] = [await found(1e6), await found(1)];
  assert.equal(whole.length, 2);
  assert.ok(small.length > RUNS);
  assert.deepEqual(new Set(small.flat()), new Set(whole.flat()));
});
