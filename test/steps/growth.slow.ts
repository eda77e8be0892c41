import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FACT_TABLES } from '../../lib/core/ops.ts';
import type { RunPlan } from '../../lib/core/run.ts';
import { append, csv, definePipeline, upsert } from '../../lib/define/index.ts';
import { FEW_METADATA_FILES, PREVIOUS_VERSIONS_MAX } from '../../lib/iceberg/metadata-files.ts';
import { listWaiting } from '../../lib/lake/facts/facts-folder.ts';
import { runFolder } from '../../lib/lake/run/run-folder.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

/** What a small run leaves in the store does not grow with the runs before it, but for a line in each table's metadata. */

const KEPT = Number(FEW_METADATA_FILES[PREVIOUS_VERSIONS_MAX]) + 1;

async function openShop(): Promise<TestLake> {
  const columns = { id: { type: 'bigint', required: true }, word: 'string' } as const;
  return openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns }), people: csv({ columns }) },
      silver: {
        orders: { from: 'orders', mode: append() },
        people: { from: 'people', mode: upsert({ key: 'word', sequence: 'id', buckets: 1 }) },
      },
      gold: { words: { sql: 'words.sql' } },
    } as Parameters<typeof definePipeline>[0]),
    sql: { 'words.sql': 'SELECT word, count(*) AS n FROM silver.orders GROUP BY word' },
  });
}

async function runMany(lake: TestLake, from: number, to: number): Promise<void> {
  for (let run = from; run <= to; run += 1) {
    for (const source of ['orders', 'people']) await lake.land(source, `f${run}.csv`, `id,word\n${run},w${run % 7}\n`);
    const result = await lake.run({ runId: `run-${run}` });
    assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
  }
}

type Sizes = { readonly runs: number; readonly metadata: number; readonly objects: number };

async function sizesOf(lake: TestLake): Promise<Sizes> {
  let [runs, metadata, objects] = [0, 0, 0];
  for (const zone of ['silver/', 'gold/', 'ops/']) {
    for await (const { key, size } of lake.store.list(zone)) {
      objects += 1;
      if (key.includes('/_runs/')) runs += size;
      else if (key.includes('/metadata/')) metadata += size;
    }
  }
  return { runs, metadata, objects };
}

/** Bytes of each object in the folder of a run, by what it is called where numbers and random parts are left out. */
async function folderOf(lake: TestLake, run: string): Promise<Readonly<Record<string, number>>> {
  const sizes: Record<string, number> = {};
  const root = runFolder.root({ pipeline: 'shop', run_id: run, dry_run: false });
  for await (const { key, size } of lake.store.list(`${root}/`)) sizes[key.slice(root.length)] = size;
  return sizes;
}

test('28 runs: each leaves as much as those before it, and tables keep few metadata files', async () => {
  const lake = await openShop();
  try {
    const after: Sizes[] = [];
    let done = 0;
    for (const to of [8, 14, 22, 28]) {
      await runMany(lake, done + 1, to);
      done = to;
      after.push(await sizesOf(lake));
    }
    const [start, early, before, late] = after;
    assert.ok(start && early && before && late);
    const grown = (of: keyof Sizes): number => (late[of] - before[of]) / (early[of] - start[of]);
    assert.ok(grown('runs') < 1.01, `run folders grow ${grown('runs')} times as fast`);
    const [folder, later] = [await folderOf(lake, 'run-9'), await folderOf(lake, 'run-28')];
    assert.deepEqual(Object.keys(later), Object.keys(folder));
    // Counts and names have more digits by then, and that is all.
    for (const [name, size] of Object.entries(later))
      assert.ok(size - (folder[name] ?? 0) < 100, `${name}: ${size} bytes, ${folder[name]} early`);
    assert.ok(grown('objects') < 1.1, `objects grow ${grown('objects')} times as fast`);
    // Each of the kept files names every snapshot, until snapshots expire; and lists name manifests until these are merged.
    assert.ok(grown('metadata') < 3, `metadata grows ${grown('metadata')} times as fast`);
    const versions = new Map<string, number>();
    for (const zone of ['silver/', 'gold/', 'ops/']) {
      for await (const { key } of lake.store.list(zone)) {
        const folder = /^(.*\/metadata)\/v\d+\.metadata\.json$/.exec(key)?.[1];
        if (folder !== undefined) versions.set(folder, (versions.get(folder) ?? 0) + 1);
      }
    }
    // Nothing was rejected or diagnosed: these are as the first run made them.
    const still = ['quarantine', 'diagnostics'].map((book) => `ops/shop/${book}/metadata`);
    for (const folder of still) assert.equal(versions.get(folder), 1, folder);
    // Each sixteenth run adds to facts.
    const facts = FACT_TABLES.map((book) => `ops/shop/${book}/metadata`);
    for (const folder of facts) assert.equal(versions.get(folder), 2, folder);
    const others = [...versions].filter(([folder]) => !still.includes(folder) && !facts.includes(folder));
    assert.equal(others.length, 7);
    for (const [folder, count] of others) assert.equal(count, KEPT, folder);
    // One object waits for each run since.
    assert.equal((await listWaiting(lake.store, 'shop')).length, 28 - 17);
  } finally {
    lake.close();
  }
});

test('runs of one compiled pipeline share it, and a plan of an earlier release, which holds it, is read', async () => {
  const lake = await openShop();
  try {
    await runMany(lake, 1, 2);
    const specs: string[] = [];
    for await (const { key } of lake.store.list('ops/shop/_specs/')) specs.push(key);
    assert.equal(specs.length, 1);
    const run = { pipeline: 'shop', run_id: 'run-3', dry_run: false };
    const read = async (key: string): Promise<Record<string, unknown>> =>
      JSON.parse(new TextDecoder().decode((await lake.store.read(key)).bytes));
    const { spec_key, ...plan } = await read(runFolder.plan({ ...run, run_id: 'run-2' }));
    const old = { ...plan, run, spec: await read(String(spec_key)), sources: {} } as unknown as RunPlan;
    const bytes = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));
    await lake.store.write(runFolder.plan(run), bytes(old), { kind: 'absent' });
    await lake.store.write('ops/shop/open-run.json', bytes(run), { kind: 'any' });
    await lake.land('orders', 'f4.csv', 'id,word\n4,x\n');
    const result = await lake.run({ runId: 'run-4' });
    assert.deepEqual([result.run_id, result.status], ['run-4', 'SUCCEEDED'], JSON.stringify(result.error));
    assert.ok(await lake.store.head(runFolder.result(run)), 'the unfinished run has been ended first');
    assert.equal((await lake.rows('shop_silver.orders')).length, 3);
  } finally {
    lake.close();
  }
});
