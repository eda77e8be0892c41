import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { openCliLake } from './lake.ts';

const lake = openCliLake(
  'shop',
  `{
  name: 'shop',
  sources: { rows: csv({ columns: { id: 'int', day: 'date' } }) },
  silver: { items: { from: 'rows', mode: append(), partitionBy: [month('day')] } },
}`,
);
after(() => lake.close());

type Compacted = {
  readonly status: string;
  readonly tables: readonly { readonly table: string; readonly files: number; readonly files_after: number }[];
};
const sizes = ({ tables }: Compacted) => tables.map(({ table, files, files_after }) => [table, files, files_after]);

test('small files are shown, joined, and gone; queries answer as before', async () => {
  for (const n of [1, 2, 3]) {
    await lake.land('shop', 'rows', `${n}.csv`, `id,day\n${n},2026-01-0${n}\n${n + 10},2026-02-0${n}\n`);
    await lake.json(0, 'run', 'shop');
  }
  const query = ['query', 'SELECT * FROM shop_silver.items ORDER BY id'] as const;
  const before = await lake.json(0, ...query);
  const asked = ['compact', 'shop_silver.items', '--min-files', '3'] as const;
  const dry = await lake.run(...asked, '--dry-run');
  assert.equal(dry.code, 0);
  assert.match(dry.stdout, /shop_silver\.items │ +2 │ +6 │ 6 -> 2 │ [\d.]+ kB │ 6 small/);
  assert.match(dry.stdout, /\n6 files, [\d.]+ kB; on AWS about [\d.]+ s and \$0\.00\d+\n$/);
  assert.deepEqual(sizes((await lake.json(0, ...asked, '--where', "day_month = '2026-02'")) as Compacted), [
    ['shop_silver.items', 3, 1],
  ]);
  const done = (await lake.json(0, ...asked, '--run-id', 'c1')) as Compacted;
  assert.deepEqual([done.status, ...sizes(done)], ['SUCCEEDED', ['shop_silver.items', 3, 1]]);
  assert.deepEqual(await lake.json(0, ...query), before);
  assert.equal((await lake.run(...asked)).stdout, 'nothing to compact\n');
  assert.deepEqual(sizes((await lake.json(0, ...asked, '--run-id', 'c1')) as Compacted), sizes(done));
  const runs = (await lake.json(0, 'runs', 'shop')) as readonly { readonly run_id: string; readonly kind: string }[];
  assert.deepEqual(
    runs.map(({ kind }) => kind),
    ['compact', 'compact', 'run', 'run', 'run'],
  );
  assert.equal(((await lake.json(0, 'run', 'shop')) as { readonly status: string }).status, 'NOTHING_TO_DO');
});

test('what is asked wrongly ends with 1, and says how to ask', async () => {
  const wrong: readonly (readonly [args: readonly string[], says: RegExp])[] = [
    [['shop_silver.item'], /did you mean shop_silver\.items/],
    [['nothing'], /no pipeline "nothing"/],
    [['shop_silver.items', '--target-mb', '0'], /Expected a number of megabytes/],
    [['shop_silver.items', '--sort', 'id', '--zorder', 'day'], /got two orders/],
    [['shop_silver.items', '--sort', 'nothing'], /--sort nothing: got a column that the table does not have/],
    [['shop', '--sort', 'id'], /--sort with a pipeline/],
  ];
  for (const [args, says] of wrong) {
    const { code, stderr } = await lake.run('compact', ...args);
    assert.equal(code, 1, stderr);
    assert.match(stderr, says);
  }
});
