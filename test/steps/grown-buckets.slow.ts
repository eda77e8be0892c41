import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { csv, definePipeline, scd2 } from '../../lib/define/index.ts';
import { currentSpec } from '../../lib/iceberg/partition.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { rollbackTable } from '../../lib/runtime/rollback-table.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';
import { compact } from './compact-lake.ts';

/** Tables that choose their buckets beside one that was told to have many: their rows are equal, whatever they grow to. */

const RULES = { key: 'id', sequence: 'at', deleteWhen: "op = 'D'" } as const;

function shop(maintenance: object = {}): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      settings: { fileBytes: 8_000 },
      sources: { items: csv({ columns: { id: 'bigint', at: 'int', price: 'double', op: 'string' } }) },
      silver: {
        told: { from: 'items', mode: scd2({ ...RULES, buckets: 2 }) },
        grows: { from: 'items', mode: scd2({ ...RULES, clusterBy: 'hash' }) },
        on_read: { from: 'items', mode: scd2({ ...RULES, writeMode: 'merge-on-read' }) },
      },
      ...maintenance,
    } as Parameters<typeof definePipeline>[0]),
  };
}

const lakes: TestLake[] = [];
after(() => {
  for (const lake of lakes) lake.close();
});

const random = (n: number): number => (n * 7919) % 4999;
const TABLES = ['grows', 'on_read'] as const;

let landed = 0;
async function land(lake: TestLake, from: number, to: number, at: number): Promise<void> {
  landed += 1;
  const lines = Array.from(
    { length: to - from },
    (_, n) => `${random(from + n)},${at - (n % 3)},${random(n * 31 + at) / 7},${n % 97 === 0 ? 'D' : 'U'}`,
  );
  await lake.land('items', `${landed}.csv`, `id,at,price,op\n${lines.join('\n')}\n`);
}

async function run(lake: TestLake, request: object = {}): Promise<void> {
  const result = await lake.run(request);
  assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
  await assertSame(lake);
}

async function assertSame(lake: TestLake): Promise<void> {
  const told = await lake.rows('shop_silver.told');
  assert.deepEqual(await lake.rows('shop_silver.grows'), told);
  assert.deepEqual(await lake.rows('shop_silver.on_read'), told);
}

async function widths(lake: TestLake, log = ''): Promise<readonly (string | undefined)[]> {
  const all = await Promise.all(TABLES.map((name) => lake.metadata(`shop_silver.${name}${log}`)));
  return all.map((one) => one && currentSpec(one).fields[0]?.transform);
}

/** Why a run would write the tables: first the one that was told, which keeps its buckets. */
async function reasons(lake: TestLake): Promise<readonly string[]> {
  const { levels } = await planRun(lake.deps, 'shop');
  const said = levels.flatMap(({ tables }) => tables.map(({ table, reason }) => [table, reason] as const));
  return ['told', ...TABLES].map((name) => new Map(said).get(`shop_silver.${name}`) ?? '');
}

const few = Array(2).fill('bucket[1]');
const isMore = (width: string | undefined): boolean => ['bucket[4]', 'bucket[8]', 'bucket[16]'].includes(width ?? '');

test('tables that outgrow their buckets get more, beside compactions, and go back with them', async () => {
  const lake = await openTestLake(shop());
  lakes.push(lake);
  await land(lake, 0, 200, 10);
  await run(lake, { runId: 'small' });
  assert.deepEqual(await widths(lake), few);
  for (const at of [20, 30]) {
    await land(lake, 0, 3_000, at);
    const said = await reasons(lake);
    const before = (await widths(lake))[0];
    await run(lake);
    const [was, is] = [before, (await widths(lake))[0]].map((width) => /\d+/.exec(width ?? '')?.[0]);
    const grows = `new files of items; all of it is written anew, in ${is} buckets, for it has outgrown the ${was} of before`;
    assert.deepEqual(said, ['new files of items', ...Array(2).fill(was === is ? 'new files of items' : grows)]);
  }
  assert.ok((await widths(lake)).every(isMore), String(await widths(lake)));
  assert.deepEqual(await widths(lake), await widths(lake, '__log'));
  assert.deepEqual(
    currentSpec((await lake.metadata('shop_silver.told')) ?? assert.fail()).fields[0]?.transform,
    'bucket[2]',
  );
  const grown = await widths(lake);
  await land(lake, 1_000, 1_200, 25);
  await run(lake);
  assert.deepEqual(await widths(lake), grown, 'kept, until they are outgrown again');
  for (const name of [...TABLES, 'told']) await rollbackTable(lake.deps, { table: `shop_silver.${name}`, to: 'small' });
  assert.deepEqual(await widths(lake), few);
  await assertSame(lake);
  await land(lake, 0, 3_000, 40);
  await run(lake);
  // A compaction publishes while the run that writes all anew is about to.
  let compacted = 0;
  const beside = lake.reopen((deps) => ({
    ...deps,
    catalog: {
      ...deps.catalog,
      async commit(id, base, next) {
        if (compacted === 0 && id.name === 'grows') {
          compacted += 1;
          await compact(lake, { table: 'shop_silver.grows', sort: ['price'] }, { runId: 'beside' });
        }
        return deps.catalog.commit(id, base, next);
      },
    },
  }));
  await land(lake, 2_000, 2_400, 35);
  await run(beside);
  assert.equal(compacted, 1);
  assert.ok((await widths(lake)).every(isMore), String(await widths(lake)));
  await land(lake, 0, 50, 45);
  await run(lake);
});

test('without maintenance they keep them, until a rebuild', async () => {
  const lake = await openTestLake(shop({ maintenance: false }));
  lakes.push(lake);
  for (const [to, at] of [
    [100, 10],
    [2_500, 20],
    [50, 30],
  ] as const) {
    await land(lake, 0, to, at);
    await run(lake);
  }
  assert.deepEqual(await widths(lake), few);
  await run(lake, { rebuild: 'shop_silver.grows' });
  assert.notEqual((await widths(lake))[0], 'bucket[1]');
});
