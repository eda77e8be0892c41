import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { createMemoryStore } from '../../lib/adapters/store/memory.ts';
import { PLAN_FORMAT, requireReadable, type WrittenBy } from '../../lib/core/plan-format.ts';
import { RELEASE } from '../../lib/core/release.ts';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { readMaintenancePlan } from '../../lib/lake/maintain/maintenance-folder.ts';
import { readSweepPlan, sweepPlaces } from '../../lib/lake/maintain/sweep-plan.ts';
import { readJson, readPlan, readPlanIfAny, runFolder, writeJson } from '../../lib/lake/run/run-folder.ts';
import { openTestLake } from '../support/test-lake.ts';

const RUN = { pipeline: 'shop', run_id: 'r1', dry_run: false } as const;
const LATER = { format: PLAN_FORMAT + 1, release: '9.1.0' } as const;
const REFUSED =
  /^the plan of run r1 of shop: got format 2, written by release 9\.1\.0; expected format 1, which release .* reads\. .* stay as they are: use release 9\.1\.0 or a later one/;

describe('a plan', () => {
  test('of a release that gave no format is read, and one of a format to come, or long gone, is refused with its cure', () => {
    const old: WrittenBy & { readonly tables: object } = { tables: {} };
    assert.equal(requireReadable(old, RUN), old);
    assert.throws(() => requireReadable(LATER, RUN), { name: 'InvalidInput', message: REFUSED });
    const reads = { oldest: 3, newest: 4 };
    assert.deepEqual(requireReadable({ format: 3 }, RUN, reads), { format: 3 });
    assert.throws(
      () => requireReadable({ format: 2, release: '0.3.0' }, RUN, reads),
      /got format 2, written by release 0\.3\.0; expected formats 3 to 4, .*finish the run with release 0\.3\.0 \(npm install @strata-lake\/strata@0\.3\.0;/,
    );
    assert.throws(() => requireReadable({}, RUN, reads), /written by another release; .*strata@<version>/);
  });

  test('of any kind is refused where it is read', async () => {
    const store = createMemoryStore();
    const maintenance = { ...RUN, kind: 'maintenance' } as const;
    for (const key of [runFolder.plan(RUN), runFolder.plan(maintenance), sweepPlaces.plan(maintenance)]) {
      await writeJson(store, key, { run: RUN, ...LATER });
    }
    const readers = [
      () => readPlan(store, RUN),
      () => readPlanIfAny(store, RUN),
      () => readMaintenancePlan(store, maintenance),
      () => readSweepPlan({ store }, maintenance),
    ];
    for (const read of readers) await assert.rejects(read, { name: 'InvalidInput', message: REFUSED });
  });
});

test('an unfinished run of a later release is left to it as it is; its own format is written down by each run', async () => {
  const lake = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: { id: 'int' } }) },
      silver: { orders: { from: 'orders', mode: append() } },
    }),
  });
  after(() => lake.close());
  await lake.land('orders', 'a.csv', 'id\n1\n');
  // What a run that stopped after its plan has left: it is taken from one that went on.
  const copy = await lake.copy();
  after(() => copy.close());
  await copy.run({ runId: 'r1' });
  for (const key of await keysOf(copy.store)) {
    const begun = key.startsWith('ops/shop/_specs/') || key.startsWith(`${runFolder.root(RUN)}/files/`);
    if (begun) await lake.store.write(key, (await copy.store.read(key)).bytes, { kind: 'any' });
  }
  const plan = await readJson<WrittenBy>(copy.store, runFolder.plan(RUN));
  assert.deepEqual([plan.format, plan.release], [PLAN_FORMAT, RELEASE]);
  await writeJson(lake.store, runFolder.plan(RUN), { ...plan, ...LATER });
  await writeJson(lake.store, 'ops/shop/open-run.json', RUN);
  await lake.land('orders', 'b.csv', 'id\n2\n');
  const before = await keysOf(lake.store);
  const { status, error } = await lake.run({ runId: 'second' });
  assert.deepEqual([status, error?.name], ['FAILED', 'InvalidInput']);
  assert.match(error?.message ?? '', /got format 2, written by release 9\.1\.0/);
  assert.deepEqual(await keysOf(lake.store), before);

  await writeJson(lake.store, runFolder.plan(RUN), plan);
  await lake.run({ runId: 'third' });
  const resumed = await readJson<{ readonly status: string }>(lake.store, runFolder.result(RUN));
  assert.equal(resumed.status, 'SUCCEEDED', 'a release that reads the plan goes on with it');
  assert.deepEqual(await lake.rows('shop_silver.orders'), [{ id: 1 }, { id: 2 }]);
});

async function keysOf(store: ReturnType<typeof createMemoryStore>): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('')) keys.push(key);
  // That a run failed is told once, and the lock is taken and given back.
  return keys.filter((key) => !key.includes('lock') && !key.includes('_alerts'));
}
