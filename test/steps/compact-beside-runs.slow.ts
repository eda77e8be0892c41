import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { CompactRequest } from '../../lib/core/asked.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';
import { compact, filesOf, rowsOf, runOften, SHOP, strayFiles } from './compact-lake.ts';

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

const often = (async () => {
  const lake = await openTestLake(SHOP);
  opened.push(lake);
  await runOften(lake, 5);
  return lake;
})();

async function openLake(): Promise<TestLake> {
  const lake = await (await often).copy();
  opened.push(lake);
  return lake;
}

/** The lake as a compaction sees it beside which others act: each time before it places the first file of another round. */
function meanwhile(lake: TestLake, acts: readonly (() => Promise<unknown>)[]): TestLake {
  const left = [...acts];
  const seen = new Set<string>();
  return lake.reopen((deps) => ({
    ...deps,
    store: {
      ...deps.store,
      async publish(path, key) {
        const round = /compact\.[^/]*\.\d/.exec(key)?.[0];
        if (round !== undefined && !seen.has(round)) {
          seen.add(round);
          await left.shift()?.();
        }
        return deps.store.publish(path, key);
      },
    },
  }));
}

/** A run that touches orders of February, and of one key the versions. */
async function touch(lake: TestLake, n: number): Promise<void> {
  await lake.land('orders', `t${n}.csv`, `id,day,amount\n${200 + n},2026-02-05,${n}\n`);
  await lake.land('changes', `t${n}.csv`, `id,day,amount\n1,2026-03-0${n},${n}\n`);
  const result = await lake.run({ runId: `touch-${n}` });
  assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
}

type Case = {
  readonly what: string;
  readonly request: CompactRequest;
  /** Rounds, and data files that the table has then. */
  readonly rounds: number;
  readonly files: number;
};

const CASES: readonly Case[] = [
  { what: 'an append beside it: both stay', request: { table: 'shop_silver.orders' }, rounds: 1, files: 3 },
  {
    what: 'a partition that was replaced: it is planned again, the other is published',
    request: { table: 'shop_silver.months', sort: ['id'] },
    rounds: 2,
    files: 2,
  },
  {
    what: 'a bucket of a keyed table that was merged anew',
    request: { table: 'shop_silver.versions', sort: ['id'] },
    rounds: 2,
    files: 2,
  },
  { what: 'a table that was computed anew', request: { table: 'shop_gold.total', sort: ['n'] }, rounds: 2, files: 1 },
  {
    what: 'a partition of gold that was computed anew',
    request: { table: 'shop_gold.days', sort: ['n'] },
    rounds: 1,
    files: 8,
  },
];

describe('a run that commits between the plan and the commit of a compaction', () => {
  for (const { what, request, rounds, files } of CASES) {
    test(what, async () => {
      const lake = await openLake();
      const calm = await lake.copy();
      opened.push(calm);
      await touch(calm, 1);
      const result = await compact(meanwhile(lake, [() => touch(lake, 1)]), request);
      assert.deepEqual({ rounds: result.rounds, left: result.left }, { rounds, left: [] });
      assert.deepEqual(await rowsOf(lake), await rowsOf(calm));
      assert.equal((await filesOf(lake, request.table ?? '')).length, files);
      assert.deepEqual(await strayFiles(lake, request.table ?? ''), []);
      assert.equal((await lake.answer()).kind, 'nothing');
    });
  }

  test('again and again: the partition is left, by name, and nothing is lost', async () => {
    const lake = await openLake();
    const acts = [1, 2, 3].map((n) => () => touch(lake, n));
    const result = await compact(meanwhile(lake, acts), { table: 'shop_silver.months', sort: ['id'] });
    assert.equal(result.rounds, 3);
    assert.deepEqual(
      result.left.map(({ table, partition }) => [table, partition]),
      [['shop_silver.months', 'day_month=2026-02']],
    );
    assert.deepEqual(
      await lake.rows('shop_silver.months', "SELECT id, amount FROM t WHERE day >= '2026-02-01' ORDER BY ALL"),
      [{ id: 203, amount: 3 }],
    );
    assert.deepEqual(await strayFiles(lake, 'shop_silver.months'), []);
  });

  test('a run that prepared before a compaction published is published on top of it', async () => {
    const lake = await openLake();
    const calm = await lake.copy();
    opened.push(calm);
    await touch(calm, 1);
    let compacted = false;
    const beside = lake.reopen((deps) => ({
      ...deps,
      catalog: {
        ...deps.catalog,
        async commit(id, base, next) {
          if (!compacted && id.name === 'orders') {
            compacted = true;
            for (const name of ['orders', 'flat', 'months']) {
              const request = name === 'months' ? { sort: ['id'] } : {};
              await compact(lake, { table: `shop_silver.${name}`, ...request }, { runId: `c-${name}` });
            }
          }
          return deps.catalog.commit(id, base, next);
        },
      },
    }));
    await touch(beside, 1);
    assert.ok(compacted);
    assert.deepEqual(await rowsOf(lake), await rowsOf(calm));
    assert.equal((await filesOf(lake, 'shop_silver.flat')).length, 2);
    assert.equal((await lake.answer()).kind, 'nothing');
  });
});
