import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { csv, definePipeline, identity, scd2, upsert } from '../../lib/define/index.ts';
import { currentSpec } from '../../lib/iceberg/partition.ts';
import { currentSnapshot } from '../../lib/iceberg/snapshot.ts';
import { lookForDue } from '../../lib/lake/maintain/due.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import type { RunRequest } from '../../lib/remote/run-request.ts';
import { expireTables, vacuumTables } from '../../lib/runtime/maintain.ts';
import { rollbackTable } from '../../lib/runtime/rollback-table.ts';
import { planDeletes, planFiles } from '../../lib/table/read.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';
import { compact } from './compact-lake.ts';

/**
 * Tables that are merged on read beside tables of the same events that are written anew, through all that happens to tables: their
 * rows are equal each time, and no file is left that no table names.
 */

const ON_READ = { writeMode: 'merge-on-read' } as const;
const RULES = { key: 'id', sequence: 'at', deleteWhen: "op = 'D'", buckets: 2 } as const;
const COLUMNS = { id: 'bigint', at: 'int', price: 'double', op: 'string', till: 'int' } as const;

function shop(versions: object, anew: object = RULES, more: object = {}): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { items: csv({ columns: COLUMNS }) },
      silver: {
        versions: { from: 'items', mode: scd2({ ...RULES, ...versions }) },
        anew: { from: 'items', mode: scd2({ ...RULES, ...anew }) },
      },
      gold: {
        open: { sql: 'open.sql', partitionBy: [identity('id')], refresh: 'touched' },
      },
      ...more,
    } as unknown as Parameters<typeof definePipeline>[0]),
    sql: { 'open.sql': 'SELECT id, sum(price) AS price FROM silver.versions WHERE is_current GROUP BY id' },
  };
}

const lakes: TestLake[] = [];
after(() => {
  for (const lake of lakes) lake.close();
});

function kept(lake: TestLake): TestLake {
  lakes.push(lake);
  return lake;
}

const open = async (pipeline: TestPipeline): Promise<TestLake> => kept(await openTestLake(pipeline));

async function withPipeline(lake: TestLake, pipeline: TestPipeline): Promise<TestLake> {
  const spec = await compileTest(pipeline, tmpdir());
  return lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
}

let landed = 0;
/** Each line is `id,at,price,op`. */
async function land(lake: TestLake, lines: readonly string[]): Promise<string> {
  landed += 1;
  await lake.land('items', `${landed}.csv`, `id,at,price,op,till\n${lines.map((line) => `${line},`).join('\n')}\n`);
  return `${landed}.csv`;
}

async function run(lake: TestLake, request: Partial<RunRequest> = {}): Promise<void> {
  const result = await lake.run(request);
  assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
}

async function runWith(lake: TestLake, lines: readonly string[], request: Partial<RunRequest> = {}): Promise<void> {
  await land(lake, lines);
  await run(lake, request);
}

async function mayOthersExpire(lake: TestLake): Promise<boolean> {
  return (await lake.metadata('shop_silver.versions'))?.properties['gc.enabled'] !== 'false';
}

async function deletesIn(lake: TestLake, table = 'shop_silver.versions'): Promise<number> {
  return (await planDeletes(lake.store, (await lake.metadata(table)) ?? assert.fail())).length;
}

/** The rows are those of the table that is written anew, and every file of the folder is one that a snapshot names. */
async function assertSame(lake: TestLake, where: string): Promise<void> {
  const rows = await lake.rows('shop_silver.versions');
  assert.deepEqual(rows, await lake.rows('shop_silver.anew'), where);
  const total = await lake.rows('shop_gold.open', 'SELECT id, price FROM t ORDER BY id');
  const open = rows.filter((row) => row['is_current'] === true);
  assert.deepEqual(
    total,
    open.map(({ id, price }) => ({ id, price })),
    where,
  );
  const metadata = (await lake.metadata('shop_silver.versions')) ?? assert.fail();
  const known = new Set<string>();
  for (const { 'snapshot-id': snapshotId } of metadata.snapshots) {
    for (const { path } of await planFiles(lake.store, metadata, { snapshotId })) known.add(lake.store.key(path));
    for (const { file } of await planDeletes(lake.store, metadata, { snapshotId }))
      known.add(lake.store.key(file.path));
  }
  const there: string[] = [];
  for await (const { key } of lake.store.list('silver/shop/versions/data/')) there.push(key);
  assert.deepEqual(there.sort(), [...known].sort(), where);
}

const KEYS = Array.from({ length: 24 }, (_, i) => i + 1);
const FIRST = KEYS.map((id) => `${id},1,${id}.5,U`);
const SECOND = ['1,2,9,U', '2,2,9,U', '3,2,9,D', '25,1,9,U'];
const THIRD = ['1,3,8,U', '2,0,8,U', '3,5,8,U', '4,1,-0.0,U'];
const FOURTH = ['1,4,7,U', '5,2,7,U', '25,2,7,U'];

let made: TestLake;
before(async () => {
  made = await open(shop(ON_READ));
  await runWith(made, FIRST, { runId: 'first' });
  await runWith(made, SECOND, { runId: 'second' });
  await runWith(made, THIRD, { runId: 'third' });
});

const copy = async (): Promise<TestLake> => kept(await made.copy());

const COMPACTION = { table: 'shop_silver.versions', min_files: 2 };

describe('compactions', () => {
  test('fold deletes in, and what they needed goes with the snapshots of before', async () => {
    const lake = await copy();
    assert.ok((await deletesIn(lake)) > 0);
    await assertSame(lake, 'before');
    const result = await compact(lake, COMPACTION);
    assert.deepEqual(result.left, []);
    assert.equal(await deletesIn(lake), 0);
    await assertSame(lake, 'compacted');
    await runWith(lake, FOURTH);
    assert.ok((await deletesIn(lake)) > 0);
    await assertSame(lake, 'merged again');
    const now = { target: 'shop', olderThanMs: 0, forceRetention: true };
    assert.deepEqual((await expireTables(lake.deps, { ...now, keep: 1 })).failed, []);
    assert.deepEqual((await vacuumTables(lake.deps, now)).failed, []);
    await assertSame(lake, 'expired');
  });

  test('of some buckets take their deletes with them, and those of the others stay', async () => {
    const lake = await copy();
    const all = await deletesIn(lake);
    await compact(lake, { ...COMPACTION, where: 'id_bucket = 0' });
    const left = await deletesIn(lake);
    assert.ok(left > 0 && left < all, `${left} of ${all}`);
    await assertSame(lake, 'one bucket');
  });

  test('that publish while a merge is at work give way to it, and do their work again', async () => {
    const lake = await copy();
    await land(lake, FOURTH);
    let compacted = 0;
    const beside = lake.reopen((deps) => ({
      ...deps,
      catalog: {
        ...deps.catalog,
        async commit(id, base, next) {
          if (compacted === 0 && id.name === 'versions') {
            compacted += 1;
            await compact(lake, COMPACTION, { runId: 'beside' });
            assert.equal(await deletesIn(lake), 0);
          }
          return deps.catalog.commit(id, base, next);
        },
      },
    }));
    await run(beside);
    assert.equal(compacted, 1);
    await assertSame(lake, 'merged');
    assert.ok((await deletesIn(lake)) > 0);
    // Files that the compaction had removed are back in use: who expires without looking would remove them.
    assert.equal(await mayOthersExpire(lake), false);
    await compact(lake, COMPACTION, { runId: 'again' });
    assert.equal(await deletesIn(lake), 0);
    await assertSame(lake, 'compacted again');
  });

  test('that a merge has overtaken are planned again', async () => {
    const lake = await copy();
    let merged = false;
    const beside = lake.reopen((deps) => ({
      ...deps,
      store: {
        ...deps.store,
        async publish(path, key) {
          if (!merged && key.includes('compact.')) {
            merged = true;
            await runWith(lake, FOURTH);
          }
          return deps.store.publish(path, key);
        },
      },
    }));
    const result = await compact(beside, COMPACTION);
    assert.deepEqual([result.rounds, result.left], [2, []]);
    await assertSame(lake, 'compacted');
    await compact(lake, COMPACTION, { runId: 'again' });
    assert.equal(await deletesIn(lake), 0);
    await assertSame(lake, 'compacted again');
  });

  test('are due when a tenth of the rows is gone', async () => {
    const often = shop(ON_READ, RULES, { maintenance: { everyRuns: 1, compactAfter: 99 } });
    const due = await lookForDue(made.deps, await compileTest(often, tmpdir()));
    assert.deepEqual(
      due.map(({ table, why }) => `${table}: ${why}`),
      ['shop_silver.versions: 11 % of its rows are deleted in place'],
    );
  });
});

test('a table goes back with its deletes, over a compaction too, and goes on from there', async () => {
  const back = await open(shop(ON_READ));
  await runWith(back, FIRST);
  await runWith(back, SECOND);
  for (const compacted of [false, true]) {
    const lake = await copy();
    if (compacted) await compact(lake, COMPACTION);
    await runWith(lake, FOURTH);
    for (const table of ['shop_silver.versions', 'shop_silver.anew'])
      await rollbackTable(lake.deps, { table, to: 'second' });
    assert.equal(await mayOthersExpire(lake), !compacted);
    const calm = kept(await back.copy());
    assert.deepEqual(await lake.rows('shop_silver.versions'), await calm.rows('shop_silver.versions'), 'back');
    for (const one of [lake, calm]) await runWith(one, ['1,6,6,U', '3,6,6,U', '25,0,6,U']);
    assert.deepEqual(await lake.rows('shop_silver.versions'), await calm.rows('shop_silver.versions'), 'and on');
    await assertSame(lake, `compacted: ${compacted}`);
  }
});

test('a run that changes the log alone is one to go back to, and one to go back from', async () => {
  const lake = await copy();
  const tables = ['shop_silver.versions', 'shop_silver.anew'];
  const select = 'SELECT valid_from, valid_to FROM t WHERE id = 40';
  await runWith(lake, ['40,30,0,D'], { runId: 'early' });
  const from = kept(await lake.copy());
  await runWith(lake, FOURTH);
  for (const table of tables) await rollbackTable(lake.deps, { table, to: 'early' });
  await runWith(lake, ['40,10,7,U']);
  assert.deepEqual(await lake.rows('shop_silver.versions', select), [{ valid_from: 10, valid_to: 30 }]);
  await assertSame(lake, 'back to it');
  for (const table of tables) {
    const { undone } = await rollbackTable(from.deps, { table, to: 'third' });
    assert.deepEqual(
      undone.map(({ run_id }) => run_id),
      ['early'],
    );
    assert.equal((await rollbackTable(from.deps, { table, to: 'third' })).again, true);
  }
  await runWith(from, ['40,10,7,U']);
  assert.deepEqual(await from.rows('shop_silver.versions', select), [{ valid_from: 10, valid_to: null }]);
  await assertSame(from, 'back from it');
});

test('a table goes back to the buckets that it had before a rebuild, and on from there', async () => {
  const lake = await open(shop(ON_READ));
  const tables = ['shop_silver.versions', 'shop_silver.anew'];
  await runWith(lake, FIRST, { runId: 'first' });
  const wider = await withPipeline(lake, shop({ ...ON_READ, buckets: 4 }, { ...RULES, buckets: 4 }));
  for (const table of tables) await run(wider, { rebuild: table });
  const widths = async () => {
    const all = await Promise.all([...tables, 'shop_silver.versions__log'].map((one) => lake.metadata(one)));
    return all.map(
      (one) =>
        one &&
        currentSpec(one)
          .fields.map(({ transform }) => transform)
          .join(),
    );
  };
  assert.deepEqual(await widths(), Array(3).fill('bucket[4]'));
  for (const table of tables) await rollbackTable(wider.deps, { table, to: 'first' });
  assert.deepEqual(await widths(), Array(3).fill('bucket[2]'));
  await runWith(
    wider,
    KEYS.map((id) => `${id},2,9,U`),
  );
  await assertSame(wider, 'gone on');
  const select = 'SELECT count(*)::int AS n, count(DISTINCT id)::int AS ids FROM t WHERE valid_to IS NULL';
  assert.deepEqual(await wider.rows('shop_silver.versions', select), [{ n: 24, ids: 24 }]);
  assert.equal((await wider.rows('shop_silver.versions')).length, 48);
  for (const table of tables) await run(wider, { rebuild: table });
  assert.deepEqual(await widths(), Array(3).fill('bucket[4]'));
  await assertSame(wider, 'rebuilt again');
});

test('rows that a rollback brings back stay through a compaction beside it, and gold follows', async () => {
  const mode = upsert({ ...RULES, ...ON_READ, buckets: 1 });
  const sql = { 'open.sql': 'SELECT "at", count(*)::int AS n FROM silver.versions GROUP BY "at"' };
  const gold = { open: { sql: 'open.sql', partitionBy: [identity('at')], refresh: 'touched' } };
  const lake = await open({ ...shop({}, {}, { silver: { versions: { from: 'items', mode } }, gold }), sql });
  await runWith(lake, ['1,1,5,U', '2,2,6,U', '3,1,5,U'], { runId: 'first' });
  await runWith(lake, ['1,2,5,D'], { runId: 'second' });
  const ids = async () => (await lake.rows('shop_silver.versions', 'SELECT id FROM t ORDER BY id')).map(({ id }) => id);
  const counts = () => lake.rows('shop_gold.open', 'SELECT "at", n FROM t ORDER BY "at"');
  assert.deepEqual([await ids(), (await counts())[0]], [[2, 3], { at: 1, n: 1 }]);
  let back = false;
  const beside = lake.reopen((deps) => ({
    ...deps,
    catalog: {
      ...deps.catalog,
      async commit(id, base, next) {
        if (!back && id.name === 'versions') {
          back = true;
          await rollbackTable(lake.deps, { table: 'shop_silver.versions', to: 'first' });
        }
        return deps.catalog.commit(id, base, next);
      },
    },
  }));
  await compact(beside, { table: 'shop_silver.versions', sort: ['price'] });
  assert.deepEqual([back, await ids()], [true, [1, 2, 3]]);
  const last = currentSnapshot((await lake.metadata('shop_silver.versions')) ?? assert.fail());
  assert.equal(last?.summary.operation, 'replace', 'compacted after all');
  await runWith(lake, ['9,3,7,U']);
  assert.deepEqual(await counts(), [
    { at: 1, n: 2 },
    { at: 2, n: 1 },
    { at: 3, n: 1 },
  ]);
});

test('either mode follows the other, and the plan names it', async () => {
  const lake = await withPipeline(await copy(), shop({}, ON_READ));
  const changes = (await planRun(lake.deps, 'shop')).changes.map(({ table, kind, what, does }) => [
    table,
    kind,
    what,
    does,
  ]);
  const stays = 'the rows stay as they are';
  assert.deepEqual(changes, [
    ['shop_silver.versions', 'metadata', ['writeMode, copy-on-write now'], stays],
    ['shop_silver.anew', 'metadata', ['writeMode, merge-on-read now'], stays],
  ]);
  await runWith(lake, FOURTH);
  await assertSame(lake, 'the other way round');
  const modes = async (table: string): Promise<readonly (string | undefined)[]> =>
    ['merge', 'update', 'delete']
      .map((name) => `write.${name}.mode`)
      .map(async (name) => (await lake.metadata(table))?.properties[name]) as never;
  assert.deepEqual(await Promise.all(await modes('shop_silver.versions')), Array(3).fill('copy-on-write'));
  assert.deepEqual(await Promise.all(await modes('shop_silver.anew')), Array(3).fill('merge-on-read'));
  assert.ok((await deletesIn(lake, 'shop_silver.anew')) > 0);
  assert.deepEqual((await planRun(lake.deps, 'shop')).changes, []);
});

test('rebuilt, reprocessed and made anew, rows are the same', async () => {
  const lake = await copy();
  const file = await land(lake, ['1,7,1,U', '6,7,1,U']);
  await run(lake);
  await lake.land('items', file, 'id,at,price,op,till\n6,8,2,U,\n');
  await run(lake, { reprocess: { source: 'items', files: [file] } });
  await assertSame(lake, 'reprocessed');
  await run(lake, { rebuild: 'shop_silver.versions' });
  assert.equal(await deletesIn(lake), 0);
  await assertSame(lake, 'rebuilt');
  await runWith(lake, ['6,9,3,U']);
  await run(lake, { backfill: {} });
  assert.equal(await deletesIn(lake), 0);
  await assertSame(lake, 'made anew');
});

test('a run that fails leaves no delete file', async () => {
  const lake = await copy();
  const failing = lake.reopen((deps) => ({
    ...deps,
    store: {
      ...deps.store,
      async write(key, bytes, condition) {
        if (key.includes('/level-1/')) throw new Error('a disk that is full');
        return deps.store.write(key, bytes, condition);
      },
    },
  }));
  await land(lake, FOURTH);
  const result = await failing.run();
  assert.equal(result.status, 'FAILED');
  await assertSame(lake, 'failed');
  await run(lake);
  await assertSame(lake, 'repeated');
});

const MODES: Readonly<Record<string, object>> = {
  'full extracts': { missing: 'delete' },
  'ends of the source': { validTo: 'till' },
  'a key of two columns': { key: ['id', 'op'], deleteWhen: undefined },
};

describe('of every rule', () => {
  for (const [name, rules] of Object.entries(MODES)) {
    test(name, async () => {
      const given = JSON.parse(
        JSON.stringify({ ...RULES, ...rules, ...('key' in rules ? { deleteWhen: "op = 'D'" } : {}) }),
      );
      const both = shop({ ...given, ...ON_READ }, given);
      const lake = await open({
        ...both,
        sql: { 'open.sql': 'SELECT id, sum(price) AS price FROM silver.versions WHERE is_current GROUP BY id' },
      });
      const files = [
        ['1,1,1,U,9', '2,1,1,U,', '3,1,1,U,2'],
        ['1,2,1,U,3', '3,4,2,U,', '4,1,0.0,U,'],
        ['1,5,1,U,', '2,0,3,U,1', '4,1,0,U,'],
      ];
      for (const lines of files) {
        landed += 1;
        await lake.land('items', `${landed}.csv`, `id,at,price,op,till\n${lines.join('\n')}\n`);
        await run(lake);
        assert.deepEqual(await lake.rows('shop_silver.versions'), await lake.rows('shop_silver.anew'));
      }
    });
  }

  test('a bucket that several units share', async () => {
    const both = shop({ ...ON_READ, buckets: 1 }, { buckets: 1 }, { settings: { unitBytes: 20_000 }, gold: {} });
    const lake = await open(both);
    const many = Array.from({ length: 1_200 }, (_, id) => `${id},1,${(id * 7919) % 1000}.25,U`);
    await runWith(lake, many);
    await runWith(
      lake,
      many.filter((_, id) => id % 3 === 0).map((line) => line.replace(',1,', ',2,')),
    );
    assert.ok((await deletesIn(lake)) > 1);
    assert.deepEqual(await lake.rows('shop_silver.versions'), await lake.rows('shop_silver.anew'));
  });
});

test('latest rows', async () => {
  const rules = { key: 'id', sequence: 'at', deleteWhen: "op = 'D'", buckets: 2 } as const;
  const lake = await open({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { items: csv({ columns: COLUMNS }) },
      silver: {
        versions: { from: 'items', mode: upsert({ ...rules, ...ON_READ }) },
        anew: { from: 'items', mode: upsert(rules) },
      },
    }),
  });
  for (const lines of [FIRST, SECOND, THIRD, FOURTH]) {
    await runWith(lake, lines);
    assert.deepEqual(await lake.rows('shop_silver.versions'), await lake.rows('shop_silver.anew'));
  }
  assert.ok((await deletesIn(lake)) > 0);
});
