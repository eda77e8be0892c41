import assert from 'node:assert/strict';
import { readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openCliLake } from './lake.ts';

const lake = openCliLake(
  'shop',
  `{
  name: 'shop',
  sources: { rows: csv({ columns: { id: 'int' } }) },
  silver: { items: { from: 'rows', mode: append() } },
  maintenance: { everyRuns: 3, compactAfter: 5 },
}`,
);
after(() => lake.close());

type Run = {
  readonly status: string;
  readonly maintenance?: {
    readonly done: readonly { readonly operation: string; readonly files: number }[];
    readonly failed: readonly unknown[];
  };
};
type Plan = { readonly maintenance: readonly unknown[] };
let landed = 0;

async function run(...more: readonly string[]): Promise<Run> {
  landed += 1;
  await lake.land('shop', 'rows', `${landed}.csv`, `id\n${landed}\n`);
  return lake.json<Run>(0, 'run', 'shop', ...more);
}

const NAMES = ['items', 'files', 'accounting', 'runs'];
const tableOf = (name: string): string => `shop_${name === 'items' ? 'silver' : 'ops'}.${name}`;

test('tables with many small files are compacted after a run, and plan says before that they will be', async () => {
  for (const _ of [1, 2, 3]) assert.equal((await run()).maintenance, undefined);
  // What is due after this one, and would be after the next, stays due.
  for (const _ of [4, 5]) assert.equal((await run('--no-maintain')).maintenance, undefined);
  const { maintenance: due } = await lake.json<Plan>(0, 'plan', 'shop');
  assert.deepEqual(
    due,
    NAMES.map((name) => ({ operation: 'compact', table: tableOf(name), why: '6 small files since the last time' })),
  );
  const { status, maintenance } = await run();
  assert.equal(status, 'SUCCEEDED');
  assert.deepEqual(maintenance?.failed, []);
  assert.deepEqual(maintenance?.done, [{ operation: 'compact', files: 6 * NAMES.length }]);
  assert.deepEqual(await lake.json(0, 'query', 'SELECT count(*) AS n, sum(id) AS ids FROM shop_silver.items'), [
    { n: 6, ids: 21 },
  ]);
});

test('maintenance that cannot be done is named, and the run is done all the same', async () => {
  for (const _ of [1, 2, 3]) assert.equal((await run('--no-maintain')).maintenance, undefined);
  const folder = join(lake.root, 'silver/shop/items/data');
  const [damaged] = readdirSync(folder).filter((name) => name.startsWith('compact.'));
  truncateSync(join(folder, damaged ?? ''), 20);
  await lake.land('shop', 'rows', 'last.csv', 'id\n100\n');
  const { code, stdout, stderr } = await lake.run('run', 'shop');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /maintenance was due \(shop_ops\.runs: 5 small files since the last time\): \d+ files joined/);
  assert.match(
    stderr,
    /the run is done; the compact after it is not, and is tried again some runs later: shop_silver\.items/,
  );
});
