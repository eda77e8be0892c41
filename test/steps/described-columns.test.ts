import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { DESCRIBED_COLUMNS } from '../../lib/core/described.ts';
import { append, csv, definePipeline, upsert } from '../../lib/define/index.ts';
import { currentSchema } from '../../lib/iceberg/schema.ts';
import { describeTable } from '../../lib/query/describe-table.ts';
import { findTable } from '../../lib/query/find-table.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const TABLES = ['shop_silver.items', 'shop_silver.latest', 'shop_gold.total'] as const;

type Said = { readonly id?: string; readonly amount?: string; readonly total?: string; readonly since?: string };

function shop({ id, amount, total, since }: Said): TestPipeline {
  const described = (text: string | undefined) => (text === undefined ? {} : { description: text });
  const definition = definePipeline({
    name: 'shop',
    sources: {
      items: csv({ columns: { id: { type: 'int', ...described(id) }, amount: { type: 'int', ...described(amount) } } }),
    },
    silver: {
      items: {
        from: 'items',
        mode: append(),
        metadata: ['run_id'],
        ...(since === undefined ? {} : { columns: { run_id: since } }),
      },
      latest: { from: 'items', mode: upsert({ key: 'id', sequence: 'amount' }) },
    },
    gold: { total: { sql: 'total.sql', columns: total === undefined ? {} : { total } } },
  });
  return { name: 'shop', definition, sql: { 'total.sql': 'SELECT sum(amount) AS total FROM silver.items' } };
}

async function become(lake: TestLake, said: Said): Promise<TestLake> {
  const spec = await compileTest(shop(said), lake.scratch);
  return lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
}

/** What tables say of their columns, and by how many snapshots and schemas they have come to that. */
async function told(lake: TestLake, table: string) {
  const metadata = (await lake.metadata(table)) ?? assert.fail(table);
  const docs = currentSchema(metadata).fields.flatMap(({ name, doc }) => (doc === undefined ? [] : [[name, doc]]));
  return { docs: Object.fromEntries(docs), snapshots: metadata.snapshots.length, schemas: metadata.schemas.length };
}

let lake: TestLake;
before(async () => {
  lake = await openTestLake(shop({ id: 'The item.', since: 'Who took it.' }));
  await lake.land('items', 'a.csv', 'id,amount\n1,10\n2,20\n');
  await lake.run({ runId: 'first' });
});
after(() => lake.close());

test('what a pipeline says of columns is in the schema of its tables, and is what describe shows', async () => {
  assert.deepEqual(await told(lake, 'shop_silver.items'), {
    docs: { id: 'The item.', run_id: 'Who took it.' },
    snapshots: 1,
    schemas: 1,
  });
  for (const table of ['shop_silver.latest', 'shop_silver.latest__log'])
    assert.deepEqual((await told(lake, table)).docs, { id: 'The item.' });
  const found = await findTable(lake.deps.catalog, 'shop_silver.items');
  const { columns } = await describeTable(lake.deps, found, undefined);
  assert.deepEqual(
    columns.map(({ name, type, description }) => [name, type, description]),
    [
      ['id', 'int', 'The item.'],
      ['amount', 'int', undefined],
      ['run_id', 'string', 'Who took it.'],
    ],
  );
});

test('other words are a change of which plan tells, and which a run makes without writing a file', async () => {
  const said = { id: 'Its number.', amount: 'In cents.', total: 'Of all.' };
  const now = await become(lake, said);
  const { changes, levels, status } = await planRun(now.deps, 'shop');
  assert.equal(status, 'WORK');
  assert.deepEqual(
    changes.map(({ table, kind, what, does, refused }) => [table, kind, what.join(), does, refused]),
    TABLES.map((table, at) => [
      table,
      'describe',
      [
        'description of id,description of amount,description of run_id',
        'description of id,description of amount',
        'description of total',
      ][at],
      'the table says it; the rows stay as they are',
      false,
    ]),
  );
  assert.deepEqual(
    levels.flatMap(({ tables }) => tables.map(({ table, action, units }) => [table, action, units])),
    TABLES.map((table) => [table, 'describe', 0]),
  );
  const files = await filesOf(now);
  const { status: ended, tables } = await now.run({ runId: 'described' });
  assert.equal(ended, 'SUCCEEDED');
  assert.deepEqual(
    Object.values(tables).map(({ files_added }) => files_added),
    [0, 0, 0],
  );
  assert.deepEqual(await filesOf(now), files);
  assert.deepEqual(
    await Promise.all(TABLES.map((table) => told(now, table))),
    [{ id: 'Its number.', amount: 'In cents.' }, { id: 'Its number.', amount: 'In cents.' }, { total: 'Of all.' }].map(
      (docs) => ({ docs, snapshots: 1, schemas: 2 }),
    ),
  );
  assert.equal((await now.answer({ runId: 'again' })).kind, 'nothing');
});

test('with new files the tables say it too, and what is said no more goes', async () => {
  const now = await become(lake, { id: 'The item again.' });
  await now.land('items', 'b.csv', 'id,amount\n3,30\n');
  await now.run({ runId: 'second' });
  const docs = async (table: string) => (await told(now, table)).docs;
  assert.deepEqual(await Promise.all(TABLES.map(docs)), [{ id: 'The item again.' }, { id: 'The item again.' }, {}]);
  const none = await become(now, {});
  await none.run({ runId: 'third' });
  assert.deepEqual(await Promise.all(TABLES.map(docs)), [{}, {}, {}]);
  assert.equal((await now.metadata('shop_silver.items'))?.properties[DESCRIBED_COLUMNS], '[]');
  assert.deepEqual((await planRun(none.deps, 'shop')).changes, []);
});

async function filesOf({ store }: TestLake): Promise<readonly string[]> {
  const files: string[] = [];
  for await (const { key } of store.list('')) if (/\/data\/.*\.parquet$/.test(key)) files.push(key);
  return files.filter((key) => !key.includes('/ops/') && !key.startsWith('ops/')).sort();
}
