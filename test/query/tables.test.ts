import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { sizeOf } from '../../lib/lake/tables/table-size.ts';
import { describeTable } from '../../lib/query/describe-table.ts';
import { findTable } from '../../lib/query/find-table.ts';
import { historyOf } from '../../lib/query/history.ts';
import { listTables } from '../../lib/query/list-tables.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';
import { ORDERS, PRICES, SHOP } from './shop.ts';

let lake: TestLake;

before(async () => {
  lake = await openTestLake(SHOP);
  await lake.land('orders', 'a.csv', `${ORDERS}1,x,1.10\n2,y,2.20\n`);
  await lake.land('prices', 'p.csv', `${PRICES}x,9.99\n`);
  assert.equal((await lake.run({ runId: 'r1' })).status, 'SUCCEEDED');
  await lake.land('orders', 'b.csv', `${ORDERS}3,x,3.30\n`);
  assert.equal((await lake.run({ runId: 'r2' })).status, 'SUCCEEDED');
});
after(() => lake.close());

test('tables come by name with the size of their current snapshot', async () => {
  const tables = await listTables(lake.deps);
  assert.deepEqual(
    tables.map(({ name, rows, files, snapshots }) => `${name} ${rows} ${files} ${snapshots}`),
    [
      'shop_gold.pricelist 1 1 1',
      'shop_gold.totals 2 1 2',
      'shop_ops.accounting 3 2 2',
      'shop_ops.diagnostics 0 0 0',
      'shop_ops.files 3 2 2',
      'shop_ops.lineage 8 1 1',
      'shop_ops.model_runs 4 1 1',
      'shop_ops.quality 9 1 1',
      'shop_ops.quarantine 0 0 0',
      'shop_ops.runs 2 2 2',
      'shop_silver.orders 3 3 2',
      'shop_silver.prices 1 1 1',
    ],
  );
  for (const { name, bytes, metadata_location } of tables) {
    assert.equal(bytes > 0, !['shop_ops.quarantine', 'shop_ops.diagnostics'].includes(name), name);
    assert.ok(await lake.store.head(lake.store.key(metadata_location)), metadata_location);
  }
});

test('where a summary keeps no totals, the manifests are counted', async () => {
  const { metadata } = await findTable(lake.deps.catalog, 'shop_silver.orders');
  const bare = metadata.snapshots.map((snapshot) => ({ ...snapshot, summary: { operation: 'append' as const } }));
  assert.deepEqual(await sizeOf(lake.deps, { ...metadata, snapshots: bare }), await sizeOf(lake.deps, metadata));
});

const known = (parameters: object) => ({ inputs: 'strata.inputs' in parameters });

test('history is newest first and adds up', async () => {
  const entries = historyOf(await findTable(lake.deps.catalog, 'shop_gold.totals'));
  assert.deepEqual(
    entries.map(({ snapshot_id: _, time: __, tags: ___, parameters, ...entry }) => ({
      ...entry,
      ...known(parameters),
    })),
    [
      {
        operation: 'overwrite',
        run_id: 'r2',
        rows_added: 2,
        rows_removed: 2,
        rows: 2,
        files: 1,
        current: true,
        inputs: true,
      },
      {
        operation: 'append',
        run_id: 'r1',
        rows_added: 2,
        rows_removed: 0,
        rows: 2,
        files: 1,
        current: false,
        inputs: true,
      },
    ],
  );
  const [newest, oldest] = entries;
  assert.ok(newest && oldest && newest.time > oldest.time && /^\d+$/.test(newest.snapshot_id));
});

test('a description has columns with ids, layout and lineage', async () => {
  const table = await findTable(lake.deps.catalog, 'shop_silver.orders');
  const described = await describeTable(lake.deps, table, await lake.deps.specs('shop'));
  const { name, rows, columns, partitioning, sort, lineage, snapshots } = described;
  assert.deepEqual(
    { name, rows, columns, partitioning, sort, lineage, snapshots },
    {
      name: 'shop_silver.orders',
      rows: 3,
      columns: [
        { id: 1, name: 'id', type: 'long' },
        { id: 2, name: 'kind', type: 'string' },
        { id: 3, name: 'amount', type: 'decimal(10, 2)' },
      ],
      partitioning: [{ id: 1000, name: 'kind', column: 'kind', transform: 'identity' }],
      sort: [{ column: 'id', direction: 'asc' }],
      lineage: {
        reads: ['bronze/shop/orders'],
        read_by: ['shop_gold.totals'],
        upstream: ['bronze/shop/orders'],
        downstream: ['shop_gold.totals'],
      },
      snapshots: 2,
    },
  );
  assert.equal(described.properties['strata.model'], 'silver.orders');
  assert.equal((await describeTable(lake.deps, table, undefined)).lineage, null);
});

test('nested columns are described by path', async () => {
  const { metadata, ...found } = await findTable(lake.deps.catalog, 'shop_silver.orders');
  const list = { type: 'list', 'element-id': 5, 'element-required': false, element: 'string' } as const;
  const struct = { type: 'struct', fields: [{ id: 6, name: 'tags', required: false, type: list }] } as const;
  const nested = metadata.schemas.map((schema) => ({
    ...schema,
    fields: [...schema.fields, { id: 4, name: 's', required: false, type: struct }],
  }));
  const { columns } = await describeTable(
    lake.deps,
    { ...found, metadata: { ...metadata, schemas: nested } },
    undefined,
  );
  assert.deepEqual(columns.slice(3), [
    { id: 4, name: 's', type: 'struct' },
    { id: 6, name: 's.tags', type: 'list' },
    { id: 5, name: 's.tags.element', type: 'string' },
  ]);
});

test('a plan names the tables that the run then writes, and changes no object', async () => {
  await lake.land('prices', 'q.csv', `${PRICES}x,1\ny,2\n`);
  const before = await allObjects(lake);
  const plan = await planRun(lake.deps, 'shop');
  assert.deepEqual(await allObjects(lake), before);
  const planned = plan.levels.flatMap((level) => level.tables.map((table) => table.table));
  assert.deepEqual(planned, ['shop_silver.prices', 'shop_gold.pricelist']);
  const { tables } = await lake.run({ runId: 'r3' });
  assert.deepEqual(Object.keys(tables).sort(), planned.toSorted());
  assert.equal((await planRun(lake.deps, 'shop')).status, 'NOTHING_TO_DO');
});

async function allObjects({ store }: TestLake): Promise<readonly string[]> {
  const found: string[] = [];
  for (const zone of ['bronze/', 'silver/', 'gold/', 'ops/']) {
    for await (const { key, etag } of store.list(zone)) found.push(`${key} ${etag}`);
  }
  return found;
}
