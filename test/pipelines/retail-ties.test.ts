import assert from 'node:assert/strict';
import { after, beforeEach, test } from 'node:test';
import { userSql } from '../../lib/sql/user-sql.ts';
import pipeline from '../../pipelines/retail/pipeline.ts';
import { openLake } from './lake.ts';
import { versionsOf } from './versions.ts';

const lake = await openLake(pipeline);
const run = (text: string) => lake.session.run({ name: 'case', text: userSql(text) });

beforeEach(async () => {
  await run(
    'CREATE OR REPLACE TABLE batch.customers (customer_id BIGINT, customer_name VARCHAR, country VARCHAR, region VARCHAR, updated_at TIMESTAMP)',
  );
  await run(
    'CREATE OR REPLACE TABLE batch.products (product_id BIGINT, category VARCHAR, subcategory VARCHAR, product_name VARCHAR, base_price DECIMAL(10,2), updated_at TIMESTAMP)',
  );
  await run(
    'CREATE OR REPLACE TABLE batch.transactions (txn_id BIGINT, txn_ts TIMESTAMP, customer_id BIGINT, product_id BIGINT, quantity INTEGER, channel VARCHAR)',
  );
});

after(() => lake.session[Symbol.asyncDispose]());

async function build(): Promise<void> {
  await lake.stand('customers', versionsOf('customers', 'customer_id'));
  await lake.stand('products', versionsOf('products', 'product_id'));
  await lake.build('silver', 'sales');
  for (const table of Object.keys(pipeline.gold ?? {})) await lake.build('gold', table);
}

test('equal customers share a rank, so eleven may fill ten ranks', async () => {
  await run("INSERT INTO batch.customers SELECT i, 'c' || i, 'Peru', 'South', '2024-01-01' FROM range(1, 14) AS t(i)");
  await run("INSERT INTO batch.products VALUES (1, 'Home', 'Lamp', 'Lamp', 1.00, '2024-01-01')");
  // Customer i buys i - 1, but customer 1 as many as customer 13.
  await run(
    "INSERT INTO batch.transactions SELECT i, '2025-01-01', i, 1, CASE WHEN i = 1 THEN 12 ELSE i - 1 END, 'web' FROM range(1, 14) AS t(i)",
  );
  await build();
  const rows = await lake.rows('SELECT rank, customer_id FROM gold.top_customers');
  assert.deepEqual(rows.slice(0, 3), [
    { rank: 1, customer_id: 1 },
    { rank: 1, customer_id: 13 },
    { rank: 2, customer_id: 12 },
  ]);
  assert.equal(rows.length, 11);
  assert.deepEqual(rows.at(-1), { rank: 10, customer_id: 4 });
});

test('equal products stand in the order of their ids, and fifty stay', async () => {
  await run(
    "INSERT INTO batch.products SELECT i, 'Home', 'Lamp', 'Lamp', 2.00, '2024-01-01' FROM range(1, 61) AS t(i)",
  );
  await run("INSERT INTO batch.transactions SELECT i, '2025-01-01', 1, 61 - i, 1, 'web' FROM range(1, 61) AS t(i)");
  await build();
  assert.deepEqual(
    await lake.rows('SELECT product_id FROM gold.top_products'),
    Array.from({ length: 50 }, (_, at) => ({ product_id: at + 1 })),
  );
});

test('half a cent of a mean goes up, and the year end is no gap', async () => {
  await run("INSERT INTO batch.products VALUES (1, 'Home', 'Lamp', 'Lamp', 0.01, '2024-01-01')");
  await run(
    "INSERT INTO batch.transactions VALUES (1, '2024-12-31 23:59:59', 1, 1, 3, 'web'), (2, '2025-01-01 00:00:00', 1, 1, 2, 'web')",
  );
  await build();
  assert.deepEqual(await lake.rows('FROM gold.revenue_trend'), [
    { yyyymm: 202412, revenue: '0.03', revenue_ma3: '0.03', mom_growth_pct: null },
    { yyyymm: 202501, revenue: '0.02', revenue_ma3: '0.03', mom_growth_pct: -33.33 },
  ]);
});

test('a version is valid from its start up to the start of the next', async () => {
  await run(
    "INSERT INTO batch.products VALUES (1, 'Home', 'Lamp', 'Lamp', 1.00, '2025-01-01'), (1, 'Home', 'Lamp', 'New Lamp', 2.00, '2025-02-01')",
  );
  await run(
    "INSERT INTO batch.customers VALUES (1, 'c', 'Peru', 'South', '2025-01-01'), (1, 'd', 'Spain', 'Europe', '2025-02-01')",
  );
  await run(
    "INSERT INTO batch.transactions SELECT i, ts, 1, 1, 1, 'web' FROM (VALUES (1, TIMESTAMP '2024-12-31 23:59:59'), (2, TIMESTAMP '2025-01-01'), (3, TIMESTAMP '2025-01-31 23:59:59.999999'), (4, TIMESTAMP '2025-02-01')) AS t(i, ts)",
  );
  await build();
  assert.deepEqual(await lake.rows('SELECT txn_id, region, unit_price FROM silver.sales ORDER BY txn_id'), [
    { txn_id: 1, region: null, unit_price: null },
    { txn_id: 2, region: 'South', unit_price: '1.00' },
    { txn_id: 3, region: 'South', unit_price: '1.00' },
    { txn_id: 4, region: 'Europe', unit_price: '2.00' },
  ]);
  assert.deepEqual(await lake.rows('SELECT product_name, revenue FROM gold.top_products'), [
    { product_name: 'New Lamp', revenue: '4.00' },
  ]);
  assert.deepEqual(await lake.rows('SELECT region, customer_name FROM gold.top_customers WHERE region IS NOT NULL'), [
    { region: 'Europe', customer_name: 'd' },
    { region: 'South', customer_name: 'd' },
  ]);
});

test('sales of unknown products count as units without revenue', async () => {
  await run("INSERT INTO batch.transactions VALUES (1, '2025-01-01', 7, 8, 5, 'web')");
  await build();
  assert.deepEqual(await lake.rows('FROM gold.monthly_revenue'), [
    { yyyymm: 202501, region: null, category: null, revenue: '0.00', units: 5 },
  ]);
  assert.deepEqual(await lake.rows('SELECT revenue, share_pct FROM gold.category_share'), [
    { revenue: '0.00', share_pct: null },
  ]);
  assert.deepEqual(await lake.rows('SELECT orders, avg_order_value FROM gold.region_kpis'), [
    { orders: 1, avg_order_value: null },
  ]);
});

test('no sales give empty gold tables', async () => {
  await build();
  for (const table of Object.keys(pipeline.gold ?? {}))
    assert.deepEqual(await lake.rows(`FROM gold.${table}`), [], table);
});

test('the largest price and quantity do not overflow', async () => {
  await run("INSERT INTO batch.products VALUES (1, 'Home', 'Lamp', 'Lamp', 99999999.99, '2024-01-01')");
  await run(
    "INSERT INTO batch.transactions VALUES (1, '2025-01-01', 1, 1, 2147483647, 'web'), (2, '2025-01-01', 1, 1, -2147483648, 'web')",
  );
  await build();
  assert.deepEqual(await lake.rows('SELECT revenue FROM gold.monthly_revenue'), [{ revenue: '-99999999.99' }]);
});

test('customers are in a group of their age', async () => {
  await run(
    'CREATE OR REPLACE TABLE batch.customers AS SELECT unnest([NULL, 18, 24, 25, 34, 35, 44, 45, 54, 55, 64, 65, 80]) AS age',
  );
  await lake.build('silver', 'customers');
  assert.deepEqual(
    (await lake.rows('SELECT age, age_group FROM silver.customers ORDER BY age NULLS FIRST')).map(Object.values),
    [
      [null, 'unknown'],
      ...[18, 24].map((age) => [age, '18-24']),
      ...[25, 34].map((age) => [age, '25-34']),
      ...[35, 44].map((age) => [age, '35-44']),
      ...[45, 54].map((age) => [age, '45-54']),
      ...[55, 64].map((age) => [age, '55-64']),
      ...[65, 80].map((age) => [age, '65+']),
    ],
  );
});
