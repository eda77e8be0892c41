import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv } from '../../lib/define/index.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const PIPELINE = {
  name: 'shop',
  definition: {
    name: 'shop',
    sources: { orders: csv({ columns: { id: 'bigint', v: 'string' } }) },
    silver: { kept: { from: 'orders', mode: append({ dedupe: { key: 'id' } }) } },
  },
};

function withUnits(lake: TestLake, unitBytes: number): TestLake {
  return lake.reopen((deps) => ({ ...deps, isGone: () => true, settings: { ...deps.settings, unitBytes } }));
}

async function landed(): Promise<TestLake> {
  const lake = await openTestLake(PIPELINE);
  for (let file = 0; file < 6; file += 1) {
    const rows = Array.from({ length: 50 }, (_, i) => `${file * 30 + i},from file ${file}`);
    await lake.land('orders', `${file}.csv`, `id,v\n${rows.join('\n')}\n`);
  }
  return lake;
}

/** A process that ends once it has written the units of a level, before the plan that names them. */
function diesAtLevelPlan(deps: StepDeps): StepDeps {
  let dead = false;
  const alive = <T>(act: () => Promise<T>): Promise<T> => (dead ? Promise.reject(new Error('dead')) : act());
  const { store } = deps;
  return {
    ...deps,
    store: {
      ...store,
      write: (key, bytes, condition) => {
        dead ||= key.endsWith('level-0/plan.json');
        return alive(() => store.write(key, bytes, condition));
      },
      remove: (key) => alive(() => store.remove(key)),
    },
  };
}

async function unitsOf(lake: TestLake): Promise<readonly string[]> {
  const units: string[] = [];
  for await (const { key } of lake.store.list('ops/shop/_runs/r/level-0/units/silver.kept')) units.push(key);
  return units;
}

test('with little memory files are staged in more units, and the rows are the same', async () => {
  const [roomy, short] = [await landed(), await landed()];
  try {
    await withUnits(roomy, 1e9).run({ runId: 'r' });
    await withUnits(short, 2_000).run({ runId: 'r' });
    assert.equal((await unitsOf(roomy)).length, 1);
    assert.ok((await unitsOf(short)).length > 1);
    const rows = await roomy.rows('shop_silver.kept');
    assert.equal(rows.length, 200);
    assert.deepEqual(await short.rows('shop_silver.kept'), rows);
  } finally {
    roomy.close();
    short.close();
  }
});

test('a run keeps the units that it was planned with, wherever it is gone on with', async () => {
  const lake = await landed();
  try {
    const dying = withUnits(lake, 2_000).reopen(diesAtLevelPlan);
    await dying.answer({ runId: 'r' }).catch(() => undefined);
    const planned = await unitsOf(lake);
    assert.ok(planned.length > 1);
    const result = await withUnits(lake, 1e9).run({ runId: 'r' });
    assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
    assert.deepEqual(await unitsOf(lake), planned);
    assert.equal((await lake.rows('shop_silver.kept')).length, 200);
  } finally {
    lake.close();
  }
});
