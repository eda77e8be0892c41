import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { type Ended, strataHere } from './child.ts';
import { openCliLake } from './lake.ts';

const definition = (gold: string): string => `{
  name: 'shop',
  sources: { rows: csv({ columns: { id: 'int', amount: 'int' } }) },
  silver: { items: { from: 'rows', mode: append() } },
  ${gold}
}`;

const lake = openCliLake('shop', definition("gold: { total: { sql: 'total.sql' } },"), {
  'total.sql': 'SELECT sum(amount) AS amount FROM silver.items',
});
after(() => lake.close());

type Removed = { readonly removed_tables: readonly { readonly table: string; readonly rows: number }[] };
type Drop = {
  readonly tables: readonly { readonly table: string; readonly files: number; readonly files_removed: number }[];
};

test('a removed model is named by plan and run, which end as they did, and its table is dropped on demand', async () => {
  await lake.land('shop', 'rows', 'a.csv', 'id,amount\n1,10\n');
  await lake.json(0, 'run', 'shop');
  const reduced = openCliLake('shop', definition(''));
  after(() => reduced.close());
  const pipelines = join(reduced.root, '..', 'pipelines');
  const strata = (...args: readonly string[]): Promise<Ended> =>
    strataHere([...args, '--root', lake.root, '--pipelines', pipelines]);
  const plan = await strata('plan', 'shop');
  assert.equal(plan.code, 0);
  assert.match(plan.stdout, /shop_gold\.total │ no model makes it any more \(1 row, .*\) │ removed/);
  const run = await strata('run', 'shop');
  assert.equal(run.code, 0);
  assert.match(
    run.stderr,
    /1 table of models that the pipeline no longer has.*\n {2}shop_gold\.total, 1 row, .*drop shop_gold\.total/,
  );
  const { removed_tables } = JSON.parse((await strata('run', 'shop', '--json')).stdout) as Removed;
  assert.deepEqual(
    removed_tables.map(({ table, rows }) => [table, rows]),
    [['shop_gold.total', 1]],
  );
  const refused = await strata('drop', 'shop_silver.items');
  assert.equal(refused.code, 1);
  assert.match(refused.stderr, /model silver\.items of shop makes/);
  assert.match((await strata('drop', 'shop_gold.total', '--dry-run')).stdout, /^would drop shop_gold\.total \(1 row, /);
  const dropped = await strata('drop', 'shop_gold.total');
  assert.match(
    dropped.stdout,
    /^dropped shop_gold\.total \(1 row, .*\); \d+ files in gold\/shop\/total\/ stay\n.*\n.*drop shop_gold\.total --data/,
  );
  const { tables } = JSON.parse((await strata('drop', 'shop_gold.total', '--data', '--json')).stdout) as Drop;
  assert.deepEqual(
    tables.map(({ table, files, files_removed }) => [table, files === files_removed]),
    [['shop_gold.total', true]],
  );
  const forced = await strata('drop', 'shop_silver.items', '--force', '--data');
  assert.match(forced.stdout, /^dropped shop_silver\.items \(1 row, .*\); \d+ files removed\n$/);
  const last = await strata('run', 'shop');
  assert.equal(last.code, 0);
  assert.doesNotMatch(last.stderr, /no longer has/);
});
