import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type ColumnTypeText, csv, definePipeline, scd2 } from '../../lib/define/index.ts';
import { currentSpec } from '../../lib/iceberg/partition.ts';
import type { RunRequest } from '../../lib/remote/run-request.ts';
import { rollbackTable } from '../../lib/runtime/rollback-table.ts';
import { planDeletes, planFiles } from '../../lib/table/read.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';
import { compact } from './compact-lake.ts';
import { assertSame, FIRST, land, line, random, run, runWith, shop, stretches, without } from './ranged-lake.ts';

const RANGED = 'shop_silver.ranged';
const TABLES = [RANGED, 'shop_silver.hashed'];

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

/** Every file below the table's folder is one that a snapshot names. */
async function assertNoStray(lake: TestLake): Promise<void> {
  const metadata = (await lake.metadata(RANGED)) ?? assert.fail();
  const known = new Set<string>();
  for (const { 'snapshot-id': snapshotId } of metadata.snapshots)
    for (const { path } of await planFiles(lake.store, metadata, { snapshotId })) known.add(lake.store.key(path));
  for await (const { key } of lake.store.list('silver/shop/ranged/data/')) assert.ok(known.has(key), key);
}

let made: TestLake;
before(async () => {
  made = await open(shop('bigint'));
  await runWith(made, FIRST, { runId: 'first' });
  // Some small files at the end, as runs of keys that grow leave them.
  for (let n = 0; n < 3; n += 1)
    await runWith(made, [line(6_000 + n, 1, n), line(6_000 + n, 2, n)], { runId: `end-${n}` });
});

const copy = async (): Promise<TestLake> => kept(await made.copy());
const COMPACTION = { table: RANGED, min_files: 2, target_mb: 6_000 / 2 ** 20 };

describe('compactions', () => {
  test('join files that lie beside each other, and those stay apart', async () => {
    const lake = await copy();
    await runWith(lake, [line(1, 1, 1)]);
    const files = await stretches(lake);
    await compact(lake, COMPACTION);
    const now = await stretches(lake);
    assert.ok(now.length < files.length, `${now.length} of ${files.length}`);
    await assertSame(lake);
    await runWith(lake, [line(1, 2, 1), line(6_001, 3, 1)]);
    await stretches(lake);
  });

  test('find the key where no run has given it its new name yet', async () => {
    const lake = await copy();
    const renamed = { pk: { type: 'bigint', renamedFrom: 'id' }, at: 'int', op: 'string' } as const;
    const pipeline = {
      name: 'shop',
      definition: definePipeline({
        name: 'shop',
        settings: { fileBytes: 6_000 },
        sources: { items: csv({ columns: renamed }) },
        silver: { ranged: { from: 'items', mode: scd2({ key: 'pk', sequence: 'at', clusterBy: 'range' }) } },
      }),
    };
    const files = await stretches(lake);
    const { left } = await compact(await withPipeline(lake, pipeline), COMPACTION);
    assert.deepEqual(left, []);
    assert.ok((await stretches(lake)).length < files.length);
    await assertSame(lake);
  });

  test('that publish while a run is at work give way to it', async () => {
    const lake = await copy();
    await land(lake, [line(6_000, 0, 9), line(6_002, 5, 9), line(random(5) + 100, 4, 1)]);
    let compacted = 0;
    const beside = lake.reopen((deps) => ({
      ...deps,
      catalog: {
        ...deps.catalog,
        async commit(id, base, next) {
          if (compacted === 0 && id.name === 'ranged') {
            compacted = (await stretches(lake)).length;
            await compact(lake, COMPACTION, { runId: 'beside' });
            assert.ok((await stretches(lake)).length < compacted);
          }
          return deps.catalog.commit(id, base, next);
        },
      },
    }));
    await run(beside);
    assert.ok(compacted > 0);
    await stretches(lake);
    await assertNoStray(lake);
  });
});

test('a table goes back, over a compaction too, and on from there', async () => {
  const lake = await copy();
  await compact(lake, COMPACTION);
  await runWith(lake, [line(6_000, 7, 1), line(random(9) + 100, 7, 1)]);
  for (const table of TABLES) await rollbackTable(lake.deps, { table, to: 'end-1' });
  await assertSame(lake);
  await runWith(lake, [line(6_000, 0, 1), line(6_001, 9, 1), line(random(9) + 100, 3, 1)]);
  await stretches(lake);
});

test('a rebuild brings a table from buckets to ranges and back, and a rollback takes it back', async () => {
  const lake = await copy();
  const hashed = await withPipeline(lake, shop('bigint', { clusterBy: 'hash' }));
  const fields = async () => currentSpec((await lake.metadata(RANGED)) ?? assert.fail()).fields.length;
  await runWith(hashed, [line(6_000, 8, 1)]);
  assert.equal(await fields(), 0, 'as it was, until it is rebuilt');
  await run(hashed, { rebuild: RANGED });
  assert.equal(await fields(), 1);
  await runWith(hashed, [line(6_000, 3, 4), line(random(1) + 100, 3, 4)], { runId: 'in-buckets' });
  await run(lake, { rebuild: RANGED });
  assert.equal(await fields(), 0);
  assert.ok((await stretches(lake)).length > 2);
  await runWith(lake, [line(6_000, 5, 4)]);
  for (const table of TABLES) await rollbackTable(lake.deps, { table, to: 'in-buckets' });
  assert.equal(await fields(), 1);
  await runWith(lake, [line(6_000, 4, 4), line(random(2) + 100, 3, 4)]);
});

test('merges on read are not there for ranges: they are written anew until a rebuild puts them in buckets', async () => {
  const lake = await copy();
  const onRead = await withPipeline(lake, shop('bigint', { clusterBy: 'hash', writeMode: 'merge-on-read' }));
  const deletes = async () => (await planDeletes(lake.store, (await lake.metadata(RANGED)) ?? assert.fail())).length;
  await runWith(onRead, [line(6_000, 8, 1), line(random(9) + 100, 7, 1)]);
  assert.equal(await deletes(), 0);
  await stretches(lake);
  await run(onRead, { rebuild: RANGED });
  await runWith(onRead, [line(6_000, 9, 2), line(random(9) + 100, 8, 1)]);
  assert.ok((await deletes()) > 0);
});

test('a table in buckets, of which rows are gone on read, comes into ranges by a rebuild or by a backfill', async () => {
  for (const request of [{ rebuild: RANGED }, { backfill: {} }] satisfies Partial<RunRequest>[]) {
    const lake = await copy();
    const onRead = await withPipeline(lake, shop('bigint', { clusterBy: 'hash', writeMode: 'merge-on-read' }));
    await run(onRead, { rebuild: RANGED });
    await runWith(onRead, [line(6_000, 9, 2), line(random(9) + 100, 8, 1)]);
    const metadata = (await lake.metadata(RANGED)) ?? assert.fail();
    assert.ok((await planDeletes(lake.store, metadata)).length > 0 && currentSpec(metadata).fields.length === 1);
    await runWith(lake, [line(6_001, 9, 2)]);
    await run(lake, request);
    const after = (await lake.metadata(RANGED)) ?? assert.fail();
    assert.deepEqual([currentSpec(after).fields.length, (await planDeletes(lake.store, after)).length], [0, 0]);
    assert.ok((await stretches(lake)).length > 2);
    await runWith(lake, [line(6_000, 10, 3), line(random(9) + 100, 3, 4)]);
  }
});

test('keys come to be larger than the type that they had', async () => {
  const lake = await open(shop('int'));
  await runWith(lake, FIRST);
  const wide = await withPipeline(lake, shop('bigint'));
  const large = 3_000_000_000;
  await runWith(wide, [line(large, 1, 1), line(random(5) + 100, 2, 1)]);
  await runWith(wide, [line(large, 2, 2), line(large + 1, 1, 1), line(random(7) + 100, 0, 1)]);
  assert.equal((await stretches(wide)).at(-1)?.high, BigInt(large + 1));
});

test('reprocessed, rebuilt and made anew, rows are the same', async () => {
  const lake = await copy();
  const file = await land(lake, [line(6_000, 9, 1), line(7_000, 9, 1)]);
  await run(lake);
  await lake.land('items', file, `id,part,at,price,op,till\n${line(6_001, 9, 1)}\n`);
  await run(lake, { reprocess: { source: 'items', files: [file] } });
  await runWith(lake, [line(7_000, 1, 1)]);
  await run(lake, { rebuild: RANGED });
  assert.ok((await stretches(lake)).length > 2);
  await run(lake, { backfill: {} });
  assert.ok((await stretches(lake)).length > 2);
  await runWith(lake, [line(7_000, 2, 1)]);
});

const KEYS: Readonly<
  Record<string, { readonly type: ColumnTypeText; readonly key?: string[]; of(n: number): string }>
> = {
  text: { type: 'string', of: (n) => `käufer-${String(n).padStart(6, '0')}` },
  'moments and a number': {
    type: 'timestamptz',
    key: ['id', 'part'],
    of: (n) => `2026-01-01T00:00:00.${String(n).padStart(6, '0')}Z`,
  },
};

describe('keys of every type', () => {
  for (const [name, { type, key, of }] of Object.entries(KEYS)) {
    test(name, async () => {
      const lake = await open(shop(type, key === undefined ? {} : { key }));
      await runWith(
        lake,
        Array.from({ length: 3_000 }, (_, n) => line(of(random(n)), 1, n)),
      );
      const files = await stretches(lake);
      assert.ok(files.length > 1, `${files.length} files`);
      await runWith(lake, [line(of(500), 0, 1), line(of(501), 4, 1), line(of(502), 5, 1, 'D'), line(of(503), 1, 503)]);
      assert.ok(without(files, await stretches(lake)).length <= 2);
    });
  }
});

const MODES: Readonly<Record<string, object>> = {
  'full extracts': { missing: 'delete' },
  'ends of the source': { validTo: 'till' },
  'several workers': {},
};

describe('of every rule', () => {
  for (const [name, rules] of Object.entries(MODES)) {
    test(name, async () => {
      const lake = await open(shop('bigint', rules, name === 'several workers' ? { unitBytes: 40_000 } : {}));
      const all = Array.from({ length: 1_500 }, (_, n) => n);
      await runWith(
        lake,
        all.map((n) => line(random(n), 1, random(n * 3), 'U', n % 3 === 0 ? '5' : '')),
      );
      await runWith(
        lake,
        all.filter((n) => n % 5 !== 0).map((n) => line(random(n), 2 - (n % 4), n, n % 11 === 0 ? 'D' : 'U')),
      );
      await runWith(lake, [line(random(3), 4, 1), line(9_999, 1, 1)]);
    });
  }
});

const event = fc.record({
  id: fc.integer({ min: 0, max: 60 }),
  at: fc.integer({ min: 0, max: 8 }),
  price: fc.integer({ min: 0, max: 3 }),
  op: fc.constantFrom('U', 'U', 'U', 'D'),
});

test('any events in any batches give the rows of a table in buckets', async () => {
  // Files of a few rows each.
  const pipeline = shop('bigint', {}, { fileBytes: 1_000 });
  const batches = fc.array(fc.array(event, { minLength: 1, maxLength: 60 }), { minLength: 2, maxLength: 4 });
  const check = fc.asyncProperty(batches, async (all) => {
    const lake = await openTestLake(pipeline);
    try {
      for (const of of all)
        await runWith(
          lake,
          of.map(({ id, at, price, op }) => line(id * 50, at, price, op)),
        );
      await stretches(lake);
    } finally {
      lake.close();
    }
  });
  await fc.assert(check, { numRuns: Number(process.env['RANGED_CASES'] ?? 2) });
});
