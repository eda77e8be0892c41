import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { currentSnapshot } from '../../lib/iceberg/snapshot.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import type { ObjectInfo, ObjectStore } from '../../lib/ports.ts';
import { maintainAfter } from '../../lib/runtime/maintain-after.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const HOUR = 3_600_000;
/** Fourteen runs in a week, and thresholds that a test comes to. */
const EVERY_HOURS = 12;
const SHOP: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { rows: csv({ columns: { id: 'int' } }) },
    silver: { items: { from: 'rows', mode: append() } },
    maintenance: {
      everyRuns: 5,
      compactAfter: 5,
      expire: { after: 3, keep: 1 },
      vacuum: { every: '12h', keepRuns: '7d' },
    },
  }),
};

/** At another time, by which objects are dated that are written from now on. */
function onClock(deps: StepDeps, now: () => number): StepDeps {
  const written = new Map<string, number>();
  const dated = (object: ObjectInfo): ObjectInfo => ({ ...object, modified: written.get(object.key) ?? now() });
  const real = deps.store;
  const store: ObjectStore = {
    ...real,
    async head(key, version) {
      const object = await real.head(key, version);
      return object && dated(object);
    },
    async *list(prefix, options) {
      for await (const object of real.list(prefix, options)) yield dated(object);
    },
    async write(key, bytes, condition) {
      const outcome = await real.write(key, bytes, condition);
      if (outcome.kind === 'written') written.set(key, now());
      return outcome;
    },
    async publish(path, key) {
      const object = await real.publish(path, key);
      written.set(key, now());
      return dated(object);
    },
  };
  const catalog = createFileCatalog(store, { parse: parseMetadata, render: renderMetadata });
  return { ...deps, store, catalog, clock: { now: () => new Date(now()) } };
}

async function countObjects({ store }: TestLake): Promise<number> {
  let count = 0;
  for await (const { key } of store.list('')) if (!key.startsWith('bronze/')) count += 1;
  return count;
}

test('runs of two months that maintain by themselves leave as much as those of one: files, snapshots, objects', async () => {
  const start = Date.parse('2026-01-01T00:00:00Z');
  let run = 0;
  const made = await openTestLake(SHOP);
  const lake = made.reopen((deps) => onClock(deps, () => start + run * EVERY_HOURS * HOUR));
  const objects: number[] = [];
  const snapshots: number[] = [];
  let most = 0;
  for (run = 1; run <= 60; run += 1) {
    await lake.land('rows', `${run}.csv`, `id\n${run}\n`);
    const answer = await lake.answer({ runId: `run-${run}` });
    assert.ok(answer.kind === 'ended' && answer.result.status === 'SUCCEEDED', JSON.stringify(answer));
    for (const id of await lake.deps.catalog.list()) {
      const entry = await lake.deps.catalog.load(id);
      const current = entry && currentSnapshot(entry.metadata);
      most = Math.max(most, Number(current?.summary['total-data-files'] ?? 0));
      if (run > 40) snapshots.push(entry?.metadata.snapshots.length ?? 0);
    }
    if (answer.due !== undefined) {
      const { failed } = await maintainAfter(lake.deps, { pipeline: 'shop' }, answer.due);
      assert.deepEqual(failed, []);
    }
    objects.push(await countObjects(lake));
  }
  assert.ok(Math.max(...snapshots) <= 50, `${Math.max(...snapshots)} snapshots of a table`);
  assert.ok(most <= 15, `${most} files of a table`);
  const [before, after] = [Math.max(...objects.slice(30, 45)), Math.max(...objects.slice(45))];
  assert.ok(after <= before * 1.1, `${before} objects, and later ${after}`);
  const rows = await lake.rows('shop_silver.items', 'SELECT count(*) AS n, sum(id) AS ids FROM t');
  assert.deepEqual(rows, [{ n: 60, ids: 1830 }]);
  const used = await lake.answer({ runId: 'run-1' });
  assert.ok(used.kind === 'ended' && used.refused === true, 'its id is known');
  made.close();
});
