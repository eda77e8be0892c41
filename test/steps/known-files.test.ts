import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { append, csv, definePipeline, month, rowCount, unique } from '../../lib/define/index.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { isKnownUnique } from '../../lib/steps/audit/held.ts';
import { keyOf, openTestLake, type TestLake } from '../support/test-lake.ts';
import { compact, filesOf } from './compact-lake.ts';

/** What a run reads of a table that its new rows are held against. */

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

async function openShop(silver: object, unitBytes?: number): Promise<TestLake> {
  const lake = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { rows: csv({ columns: { id: 'bigint', day: 'date', note: 'string' } }) },
      silver: { items: { from: 'rows', ...silver } },
    } as Parameters<typeof definePipeline>[0]),
  });
  opened.push(lake);
  if (unitBytes === undefined) return lake;
  return lake.reopen((deps) => ({
    ...deps,
    specs: async (name) => {
      const spec = await deps.specs(name);
      return { ...spec, settings: { ...spec.settings, unitBytes } };
    },
  }));
}

/** Lands files of ids and runs; what was lent of the table's files, by the number of the file. */
async function runOver(lake: TestLake, files: Readonly<Record<string, readonly string[]>>): Promise<readonly number[]> {
  const before = await lake.metadata('shop_silver.items');
  const known = before === undefined ? [] : await filesOf(lake, 'shop_silver.items');
  // The oldest first.
  const keys = known.map(({ path }) => lake.store.key(path)).sort((a, b) => order(a) - order(b));
  for (const [name, lines] of Object.entries(files))
    await lake.land('rows', name, `id,day,note\n${lines.join('\n')}\n`);
  const lent = new Set<string>();
  const watched = lake.reopen((deps) => ({ ...deps, store: watching(deps.store, lent) }));
  const result = await watched.run();
  assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
  return keys.flatMap((key, at) => (lent.has(key) ? [at] : []));
}

/** Names of a test lake end in a number that counts. */
const order = (key: string): number => Number(/(\d+)\.parquet$/.exec(key)?.[1]);

function watching(store: ObjectStore, lent: Set<string>): ObjectStore {
  return {
    ...store,
    borrow: (objects) => {
      for (const object of objects) lent.add(keyOf(object));
      return store.borrow(objects);
    },
    borrowParts: (parts) => {
      for (const { key } of parts) lent.add(key);
      return store.borrowParts(parts);
    },
  };
}

const ids = (lake: TestLake): Promise<unknown> =>
  lake
    .rows('shop_silver.items', 'SELECT id::INT AS id, note FROM t ORDER BY ALL')
    .then((rows) => rows.map((row) => Object.values(row)));

describe('dedupe by key looks into the files whose bounds have room for a new key', () => {
  for (const [name, unitBytes] of [
    ['in one unit', undefined],
    ['in units of a file', 1],
  ] as const) {
    test(name, async () => {
      const lake = await openShop({ mode: append({ dedupe: { key: 'id' } }), partitionBy: [month('day')] }, unitBytes);
      await runOver(lake, { a: ['1,2026-01-01,a', '2,2026-01-01,a'] });
      assert.deepEqual(await runOver(lake, { b: ['11,2026-01-01,b', '12,2026-01-01,b'] }), []);
      assert.deepEqual(await runOver(lake, { c: ['21,2026-01-01,c', '29,2026-01-01,c'] }), []);
      // Between the bounds of the last file, and in none of it; one known, in another month.
      assert.deepEqual(
        await runOver(lake, { d: ['25,2026-01-01,d'], e: ['1,2026-02-02,d', '31,2026-01-01,d'] }),
        [0, 2],
      );
      assert.deepEqual(await ids(lake), [
        [1, 'a'],
        [2, 'a'],
        [11, 'b'],
        [12, 'b'],
        [21, 'c'],
        [25, 'd'],
        [29, 'c'],
        [31, 'd'],
      ]);
    });
  }
});

test('a row whose key another row has is condemned, and an equal one of an earlier run is not', async () => {
  const lake = await openShop({
    mode: append({ dedupe: { key: 'id' }, onDuplicate: 'condemn' }),
    metadata: ['row_hash'],
  });
  await runOver(lake, { a: ['1,2026-01-01,a'] });
  await runOver(lake, { b: ['5,2026-01-01,a'] });
  await lake.land('rows', 'c', 'id,day,note\n1,2026-01-01,a\n5,2026-01-01,b\n6,2026-01-01,c\n');
  const { accounting } = await lake.run();
  assert.deepEqual(accounting['rows'], { read: 3, accepted: 1, quarantined: 0, condemned: 1, duplicates: 1 });
  assert.deepEqual(await ids(lake), [
    [1, 'a'],
    [5, 'a'],
    [6, 'c'],
  ]);
});

test('rows that are told apart by their hash, and by a key of two columns', async () => {
  const whole = await openShop({ mode: append({ dedupe: 'row' }) });
  const pair = await openShop({ mode: append({ dedupe: { key: ['id', 'day'] } }) });
  for (const lake of [whole, pair]) {
    await runOver(lake, { a: ['1,2026-01-01,a'] });
    await runOver(lake, { b: ['2,2026-02-01,a'] });
  }
  assert.deepEqual(await runOver(whole, { c: ['1,2026-01-01,a', '1,2026-01-01,b'] }), [0]);
  assert.deepEqual(await ids(whole), [
    [1, 'a'],
    [1, 'b'],
    [2, 'a'],
  ]);
  // An id of one file with a day of the other is in neither, whatever the bounds of each column say alone.
  assert.deepEqual(await runOver(pair, { c: ['2,2026-02-01,b', '1,2026-02-02,b'] }), [1]);
  assert.deepEqual(await ids(pair), [
    [1, 'a'],
    [1, 'b'],
    [2, 'a'],
  ]);
});

test('of a file that may have a key, only its column is brought, and only of row groups that may', async () => {
  const lake = await openShop({ mode: append({ dedupe: { key: 'id' } }), sortBy: ['id'] });
  const rows = 300_000;
  const note = (id: number): string => `${(id * 7_919) % 1_000_003}-${(id * 104_729) % 1_000_033}`;
  const lines = Array.from({ length: rows }, (_, id) => `${2 * id},2026-01-01,${note(id)}`);
  await runOver(lake, { a: lines });
  assert.deepEqual(await runOver(lake, { b: ['599998,2026-01-01,known', '599999,2026-01-01,new'] }), [0]);
  // Between all of them, in a middle row group.
  await runOver(lake, { c: ['200001,2026-01-01,new'] });
  assert.deepEqual(await lake.rows('shop_silver.items', 'SELECT count(*)::INT AS n FROM t'), [{ n: rows + 2 }]);
  const large = Math.max(...(await filesOf(lake, 'shop_silver.items')).map(({ bytes }) => Number(bytes)));
  const read = await lake.rows(
    'shop_ops.runs',
    'SELECT bytes_brought::INT AS brought, bytes_kept::INT AS kept FROM t ORDER BY started_at',
  );
  assert.deepEqual(read[0], { brought: 0, kept: 0 });
  for (const { brought, kept } of read.slice(1)) {
    assert.equal(kept, large);
    assert.ok(Number(brought) > 0 && Number(brought) < 0.2 * Number(kept), `${brought} of ${kept}`);
  }
});

describe('expectations of a table that is added to', () => {
  test('unique asks the files whose bounds have room for a new key, also after a compaction', async () => {
    const lake = await openShop({ mode: append(), expect: { ids: unique('id', 'note') } });
    await runOver(lake, { a: ['1,2026-01-01,a', '9,2026-01-01,b'] });
    // The first state was asked as a whole, and said so.
    assert.deepEqual(await runOver(lake, { b: ['20,2026-01-01,a', '21,2026-01-01,'] }), []);
    assert.deepEqual(await runOver(lake, { c: ['2,2026-01-01,a', '9,2026-01-01,a'] }), [0]);
    // A null is equal to a null.
    await lake.land('rows', 'd', 'id,day,note\n21,2026-01-01,\n');
    const failed = await lake.run();
    assert.match(failed.error?.message ?? '', /expectation ids does not hold: 1 offending, such as .*21.*NULL.*2/);
    await lake.land('rows', 'd', 'id,day,note\n31,2026-01-01,\n');
    assert.equal((await lake.run()).status, 'SUCCEEDED');
    await compact(lake, { min_files: 2, all: true });
    assert.deepEqual(await runOver(lake, { e: ['50,2026-01-01,a'] }), []);
    assert.deepEqual(await runOver(lake, { f: ['30,2026-01-01,b'] }), [0]);
    await lake.land('rows', 'g', 'id,day,note\n9,2026-01-01,a\n');
    assert.match((await lake.run()).error?.message ?? '', /ids does not hold: 1 offending, such as .*9.*a.*2/);
  });

  test('what was found on top of another snapshot than the one that it came to lie on says nothing', async () => {
    const expectation = { kind: 'unique', name: 'ids', policy: 'fail', columns: ['id'] } as const;
    const lake = await openShop({ mode: append(), expect: { ids: unique('id') } });
    await runOver(lake, { a: ['1,2026-01-01,a'] });
    await runOver(lake, { b: ['2,2026-01-01,a'] });
    const table = (await lake.metadata('shop_silver.items')) ?? assert.fail();
    assert.ok(isKnownUnique(table, expectation));
    assert.ok(!isKnownUnique(table, { ...expectation, columns: ['id', 'note'] }));
    const snapshots = table.snapshots.map((one) => ({ ...one, 'parent-snapshot-id': 7n }));
    assert.ok(!isKnownUnique({ ...table, snapshots }, expectation));
  });

  test('what has not held is asked of all rows again', async () => {
    const lake = await openShop({ mode: append(), expect: { ids: { ...unique('id'), policy: 'warn' } } });
    await runOver(lake, { a: ['1,2026-01-01,a', '1,2026-01-01,b'] });
    await lake.land('rows', 'b', 'id,day,note\n7,2026-01-01,a\n');
    const { warnings } = await lake.run();
    assert.match(warnings.join(), /expectation ids does not hold: 1 offending, such as .*1.*2/);
  });

  test('a number of rows is known without reading one', async () => {
    const expect = { few: { ...rowCount({ min: 2, max: 3 }), policy: 'warn' } };
    const lake = await openShop({ mode: append(), expect });
    const warned: string[] = [];
    for (const n of [1, 2, 3, 4]) {
      await lake.land('rows', `${n}`, `id,day,note\n${n},2026-01-01,a\n`);
      const lent = new Set<string>();
      const watched = lake.reopen((deps) => ({ ...deps, store: watching(deps.store, lent) }));
      warned.push((await watched.run()).warnings.join());
      assert.deepEqual(
        [...lent].filter((key) => key.startsWith('silver/')),
        [],
      );
    }
    const few = (rows: number): string =>
      `silver.items: expectation few does not hold: 1 offending, such as {'rows': ${rows}}`;
    assert.deepEqual(warned, [few(1), '', '', few(4)]);
  });
});
