import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { openCliLake } from './lake.ts';

const lake = openCliLake(
  'shop',
  `{
    name: 'shop',
    sources: { rows: csv({ columns: { id: 'int', amount: 'int' } }) },
    silver: { items: { from: 'rows', mode: append() } },
    gold: { total: { sql: 'total.sql' } },
  }`,
  { 'total.sql': 'SELECT sum(amount) AS amount FROM silver.items' },
);
after(() => lake.close());

type Answer = {
  readonly record: string | null;
  readonly tables: readonly {
    readonly table: string;
    readonly snapshots: number;
    readonly data_files: number;
    readonly kind?: string;
  }[];
};

test('old snapshots are shown, refused while they are young, and forgotten on demand', async () => {
  for (const run of [1, 2, 3]) {
    await lake.land('shop', 'rows', `${run}.csv`, `id,amount\n${run},10\n`);
    await lake.json(0, 'run', 'shop', '--run-id', `run-${run}`);
  }
  assert.equal((await lake.run('expire', 'shop')).stdout, 'nothing to expire in 10 tables\n');
  const young = await lake.run('expire', 'shop', '--older-than', '1h');
  assert.equal(young.code, 1);
  assert.match(young.stderr, /got 1h; expected 168h or more/);
  const odd = await lake.run('expire', 'shop', '--older-than', 'yesterday');
  assert.equal(odd.code, 1);
  assert.match(odd.stderr, /Expected a span such as 168h or 30d/);
  const now = ['shop_gold.total', '--older-than', '0s', '--force-retention', '--keep', '1'];
  const dry = await lake.run('expire', ...now, '--dry-run');
  assert.match(dry.stdout, /│ shop_gold\.total │ +2 │ +1 │ 20[^│]*Z │ +2 │[\s\S]*would forget 2 snapshots\n/);
  const { record, tables } = await lake.json<Answer>(0, 'expire', ...now);
  assert.deepEqual(
    tables.map(({ table, snapshots, data_files }) => [table, snapshots, data_files]),
    [['shop_gold.total', 2, 2]],
  );
  assert.match(record ?? '', /^ops\/shop\/_maintenance\/\d{8}T\d{6}-expire-/);
  assert.equal((await lake.json<readonly unknown[]>(0, 'history', 'shop_gold.total')).length, 1);
  const past = await lake.run('query', 'SELECT * FROM shop_gold.total', '--as-of', 'run-1');
  assert.equal(past.code, 1);
  assert.match(past.stderr, /shop_gold\.total cannot be read as of run-1: its snapshots of then have expired/);
  assert.match((await lake.run('query', 'SELECT amount FROM shop_gold.total')).stdout, / 30 /);
});

test('a snapshot has a name, by which it is listed and read', async () => {
  const named = await lake.run('tag', 'shop_silver.items', 'june', '--run', 'run-2');
  assert.match(named.stdout, /^shop_silver\.items: snapshot \d+ is june\n$/);
  const history = await lake.run('history', 'shop_silver.items', '--limit', '2');
  assert.match(history.stdout, /│ current │ tags │\n[\s\S]*│ run-3 +│[\s\S]*│ run-2 +│[^\n]*│ june │/);
  assert.doesNotMatch(history.stdout, /run-1/);
  const read = await lake.run('query', 'SELECT sum(amount) AS a FROM shop_silver.items', '--as-of', 'june');
  assert.match(read.stdout, / 20 /);
  assert.equal((await lake.run('tag', 'shop_silver.items', 'june', '--delete')).code, 0);
  assert.equal((await lake.run('query', 'FROM shop_silver.items', '--as-of', 'june')).code, 1);
});

test('files that nothing needs are shown, refused while they are young, and removed on demand', async () => {
  const orphan = join(lake.root, 'silver/shop/items/data/orphan.parquet');
  writeFileSync(orphan, 'left by a worker');
  assert.equal((await lake.run('vacuum', 'shop')).stdout, 'nothing that is old enough and not needed\n');
  assert.match((await lake.run('vacuum', 'shop', '--older-than', '1d')).stderr, /got 24h; expected 168h or more/);
  const now = ['--older-than', '0s', '--force-retention'];
  const dry = await lake.run('vacuum', 'shop_silver.items', ...now, '--dry-run');
  assert.match(dry.stdout, /│ shop_silver\.items │ table │ +1 │ 16 B +│[\s\S]*would remove 1 file \(16 B\)\n/);
  assert.ok(existsSync(orphan));
  const done = await lake.run('vacuum', 'shop', ...now);
  assert.match(
    done.stdout,
    /│ ops\/shop +│ runs +│[\s\S]*removed \d+ files .*, which are written down in ops\/shop\/_maintenance\//,
  );
  assert.equal(existsSync(orphan), false);
  assert.match((await lake.run('query', 'SELECT sum(amount) AS amount FROM shop_silver.items')).stdout, / 30 /);
  await lake.land('shop', 'rows', 'after.csv', 'id,amount\n9,5\n');
  await lake.json(0, 'run', 'shop');
  await lake.run('drop', 'shop_gold.total', '--force');
  const gone = await lake.json<Answer>(0, 'vacuum', 'shop', ...now);
  assert.equal(gone.tables.find(({ table }) => table === 'shop_gold.total')?.kind, 'dropped');
});

test('a table goes back, and says which files no run takes again', async () => {
  const last = await lake.json<readonly { readonly run_id: string }[]>(
    0,
    'history',
    'shop_silver.items',
    '--limit',
    '1',
  );
  await lake.land('shop', 'rows', 'wrong.csv', 'id,amount\n10,-1\n');
  await lake.json(0, 'run', 'shop', '--run-id', 'wrong');
  const to = last[0]?.run_id ?? '';
  const shown = await lake.run('rollback', 'shop_silver.items', '--to', to, '--dry-run');
  assert.match(
    shown.stdout,
    /^shop_silver\.items would go back to snapshot \d+: 0 data files come back, 1 go\nundone: wrong\n1 file not taken again:\n {2}bronze\/shop\/rows\/wrong\.csv \(run wrong\)\nto have the next run take them: .*--reingest/,
  );
  const done = await lake.run('rollback', 'shop_silver.items', '--to', to, '--reingest');
  assert.match(
    done.stdout,
    /went back to .*\nundone: wrong\n1 file taken again by the next run:\n.*wrong\.csv .*\ncomputed anew by the next run: shop_gold\.total\n$/,
  );
  await lake.land('shop', 'rows', 'wrong.csv', 'id,amount\n10,1\n');
  await lake.json(0, 'run', 'shop');
  assert.match((await lake.run('query', 'SELECT amount FROM shop_silver.items WHERE id = 10')).stdout, / 1 │/);
  const gold = await lake.run('rollback', 'shop_gold.total', '--to', 'run-3');
  assert.equal(gold.code, 1);
  assert.match(gold.stderr, /the next run would compute from its inputs/);
});
