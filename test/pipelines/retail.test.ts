import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { parseBenchModes } from '../../lib/compile/bench-modes.ts';
import { generateRetail, parseRetailOptions } from '../../lib/generate/retail.ts';
import type { Row } from '../../lib/ports.ts';
import pipeline from '../../pipelines/retail/pipeline.ts';
import { type Lake, openLake } from './lake.ts';
import {
  categoryShare,
  monthlyRevenue,
  type Oracle,
  readSample,
  regionKpis,
  revenueTrend,
  topCustomers,
  topProducts,
} from './retail-oracle.ts';
import { versionsOf } from './versions.ts';

let folder: string;
let lake: Lake;
let oracle: Oracle;

/** April and May have no sales, so that the trend has a gap to fill. */
const LEFT_OUT = [202504, 202505];
const GOLD = Object.keys(pipeline.gold ?? {});

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-retail-'));
  lake = await openLake(pipeline);
  const options = { out: folder, transactions: 12_000, customers: 150, products: 80, files: 3, hotShare: 0.2 };
  await generateRetail(parseRetailOptions(options), lake.session);
  oracle = readSample(folder, LEFT_OUT);
  await lake.load('customers', join(folder, 'customers', '*.csv'));
  await lake.load('products', join(folder, 'products', '*.csv'));
  await lake.load('transactions', join(folder, 'transactions', '*.csv'), 'month(txn_ts) NOT IN (4, 5)');
  await lake.stand('customers', versionsOf('customers', 'customer_id'));
  await lake.stand('products', versionsOf('products', 'product_id'));
  await lake.build('silver', 'sales');
  for (const table of GOLD) await lake.build('gold', table);
});

after(async () => {
  await lake.session[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

test('silver.sales has one row per transaction, with nulls for what no dimension has', async () => {
  const [row] = await lake.rows(
    `SELECT count(*) AS n, count(DISTINCT txn_id) AS ids, count(*) FILTER (country IS NULL) AS no_customer,
       count(*) FILTER (unit_price IS NULL AND total_amount IS NULL AND category IS NULL) AS no_product,
       bool_and(order_date = CAST(txn_ts AS DATE) AND yyyymm = CAST(strftime(txn_ts, '%Y%m') AS INT)) AS dated
     FROM silver.sales`,
  );
  const missing = (of: 'region' | 'category') => oracle.sales.filter((sale) => sale[of] === null).length;
  assert.ok(missing('region') > 0 && missing('category') > 0, 'the sample must hold unmatched transactions');
  assert.deepEqual(row, {
    n: oracle.sales.length,
    ids: oracle.sales.length,
    no_customer: missing('region'),
    no_product: missing('category'),
    dated: true,
  });
});

test('the mode without a broadcast makes the same sales by a join that hashes nothing', async () => {
  const file = join('pipelines', 'retail', 'bench.yml');
  const modes = parseBenchModes(await readFile(file, 'utf8'), file, ['no_broadcast', 'broadcast', 'broadcast_often']);
  const other = modes.get('no_broadcast')?.sql?.['silver.sales'] ?? assert.fail('no SQL of its own');
  const sql = await readFile(join('pipelines', 'retail', other), 'utf8');
  const [differ] = await lake.rows(
    `SELECT (SELECT count(*) FROM ((${sql}) EXCEPT ALL FROM silver.sales)) AS more,
      (SELECT count(*) FROM (FROM silver.sales EXCEPT ALL (${sql}))) AS less`,
  );
  assert.deepEqual(differ, { more: 0, less: 0 });
  const plan = JSON.stringify(await lake.rows(`EXPLAIN ${sql}`));
  assert.match(plan, /IE_JOIN|PIECEWISE_MERGE_JOIN/);
  assert.doesNotMatch(plan, /HASH_JOIN/);
});

const EXPECTED: Readonly<Record<string, (oracle: Oracle) => readonly Row[]>> = {
  monthly_revenue: monthlyRevenue,
  revenue_trend: revenueTrend,
  top_customers: topCustomers,
  top_products: topProducts,
  category_share: categoryShare,
  region_kpis: regionKpis,
};

test('sales take the version of their time, before and after a change', async () => {
  const [row] = await lake.rows(
    `SELECT count(*) FILTER (sales.unit_price <> products.base_price) AS cheaper_then,
       count(*) FILTER (sales.unit_price = products.base_price AND products.valid_from > '2025-01-01') AS new_price,
       count(*) FILTER (sales.region <> customers.region) AS elsewhere_then
     FROM silver.sales
     JOIN silver.products ON products.product_id = sales.product_id AND products.is_current
     JOIN silver.customers ON customers.customer_id = sales.customer_id AND customers.is_current`,
  );
  for (const [what, n] of Object.entries(row ?? {})) assert.ok(Number(n) > 20, `${what}: ${n}`);
});

test('every gold table is compared', () => assert.deepEqual(Object.keys(EXPECTED), GOLD));

for (const [table, expected] of Object.entries(EXPECTED)) {
  test(`gold.${table} equals a second computation from the files`, async () => {
    const rows = await lake.rows(`FROM gold.${table}`);
    assert.ok(rows.length > 5);
    assert.deepEqual(sorted(rows), sorted(expected(oracle)));
  });
}

test('the trend holds the months without sales', async () => {
  assert.deepEqual(await lake.rows('SELECT yyyymm FROM gold.revenue_trend WHERE revenue = 0'), [
    { yyyymm: 202504 },
    { yyyymm: 202505 },
  ]);
});

test('money is decimal, percentages are double, counts are bigint', async () => {
  const types = await lake.rows(
    `SELECT DISTINCT column_name || ' ' || data_type AS type FROM information_schema.columns
     WHERE table_schema = 'gold' AND data_type NOT IN ('VARCHAR', 'INTEGER') ORDER BY type`,
  );
  assert.deepEqual(
    types.map((row) => row['type']),
    [
      'avg_order_value DECIMAL(38,2)',
      'customer_id BIGINT',
      'customers BIGINT',
      'mom_growth_pct DOUBLE',
      'orders BIGINT',
      'product_id BIGINT',
      'revenue DECIMAL(38,2)',
      'revenue_ma3 DECIMAL(38,2)',
      'share_pct DOUBLE',
      'units BIGINT',
    ],
  );
});

/** Order of rows is not part of a table. */
function sorted(rows: readonly Row[]): readonly string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
