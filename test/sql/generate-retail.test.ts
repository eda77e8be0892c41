import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Row, Session } from '../../lib/ports.ts';
import {
  countRetailVersions,
  type RetailWords,
  renderCustomersCsv,
  renderProductsCsv,
  renderTransactionsCsv,
  type TransactionsFile,
} from '../../lib/sql/generate-retail.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

const WORDS: RetailWords = {
  femaleNames: ['Ada', 'Grace'],
  maleNames: ['Alan', 'Edsger', 'Tony'],
  lastNames: ["O'Neil", 'de la Cruz'],
  countries: [
    { country: 'Japan', region: 'Asia' },
    { country: 'Peru', region: 'America' },
    { country: 'Spain', region: 'Europe' },
  ],
  categories: [
    { category: 'Home', subcategories: ['Lamp', 'Chair'] },
    { category: 'Toys', subcategories: ['Kite'] },
  ],
  adjectives: ['Small', 'Large'],
  materials: ['Steel', 'Silk'],
  channels: ['app', 'store', 'web'],
};

const TRANSACTIONS: TransactionsFile = {
  path: 'out/transactions.csv',
  seed: 42,
  first: 11,
  last: 20,
  total: 100,
  customers: 9,
  products: 7,
  hotPerMillion: 250_000,
  channels: WORDS.channels,
};

const GOLDEN = [
  { file: 'generate-customers.sql', statement: renderCustomersCsv('out/customers.csv', 42, 9, WORDS) },
  { file: 'generate-products.sql', statement: renderProductsCsv('out/products.csv', 42, 7, WORDS) },
  { file: 'generate-transactions.sql', statement: renderTransactionsCsv(TRANSACTIONS) },
];

for (const { file, statement } of GOLDEN) {
  test(`${file} is what is rendered`, async () => {
    const path = new URL(`golden/${file}`, import.meta.url);
    // UPDATE_GOLDEN=1 rewrites the files; the difference is then read before it is committed.
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(path, statement.text);
    assert.equal(statement.text, await readFile(path, 'utf8'));
  });
}

let session: Session;
let folder: string;

before(async () => {
  folder = await mkdtemp(join(tmpdir(), 'strata-generate-sql-'));
  session = await createDuckDbEngine().open({ memoryBytes: 500_000_000, threads: 2, scratch: folder });
});

after(async () => {
  await session[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

async function readBack(path: string, select: string): Promise<Row> {
  const text = `SELECT ${select} FROM read_csv(${quoteText(path)})`;
  const [row] = await session.rows({ name: 'read back', text: userSql(text) });
  assert.ok(row);
  return row;
}

test('customers have every declared value and the region of their country', async () => {
  const path = join(folder, "o'customers.csv");
  await session.run(renderCustomersCsv(path, 1, 5000, WORDS));
  const row = await readBack(
    path,
    `count(*) AS n, count(DISTINCT customer_id) AS ids, count(*) FILTER (updated_at < '2025-01-01') AS first_versions, min(age) AS youngest, max(age) AS oldest,
     list_sort(list(DISTINCT country || '/' || region)) AS places, list_sort(list(DISTINCT gender || ' ' || customer_name)) AS names`,
  );
  assert.deepEqual(row, {
    n: 5500,
    ids: 5000,
    first_versions: 5000,
    youngest: 18,
    oldest: 80,
    places: ['Japan/Asia', 'Peru/America', 'Spain/Europe'],
    names: [
      ...['F Ada', 'F Grace', 'M Alan', 'M Edsger', 'M Tony'].flatMap((first) => [
        `${first} O'Neil`,
        `${first} de la Cruz`,
      ]),
    ],
  });
});

test('products have a price from 1.00 to 500.50 with two decimals and a subcategory of their category', async () => {
  const path = join(folder, 'products.csv');
  await session.run(renderProductsCsv(path, 1, 50_000, WORDS));
  const row = await readBack(
    path,
    `count(*) AS n, min(CAST(base_price AS DECIMAL(10,2))) >= 1 AS low, max(CAST(base_price AS DECIMAL(10,2))) FILTER (updated_at < '2025-01-01') <= 500.50 AS high,
     max(base_price) > 480 AND min(base_price) < 1.5 AS wide,
     list_sort(list(DISTINCT category || '/' || subcategory)) AS kinds, count(DISTINCT product_name) AS names`,
  );
  assert.deepEqual(row, {
    n: 55_000,
    low: true,
    high: true,
    wide: true,
    kinds: ['Home/Chair', 'Home/Lamp', 'Toys/Kite'],
    names: 12,
  });
});

test('every tenth has a second version, later and different, within the time of the transactions', async () => {
  const cases = [
    { table: 'customers', id: 'customer_id', changed: 'country', render: renderCustomersCsv },
    { table: 'products', id: 'product_id', changed: 'base_price', render: renderProductsCsv },
  ];
  for (const { table, id, changed, render } of cases) {
    const path = join(folder, `versions-${table}.csv`);
    await session.run(render(path, 3, 2005, WORDS));
    const row = await readBack(
      path,
      `count(*) AS n, count(*) FILTER (updated_at >= '2025-01-01') AS second,
       bool_and(updated_at >= '2024-10-03' AND updated_at < '2025-09-28') AS in_time,
       (SELECT count(*) FROM (SELECT ${id} FROM read_csv(${quoteText(path)}) GROUP BY ${id}
         HAVING count(DISTINCT updated_at) = 2 AND count(DISTINCT ${changed}) = 2 AND ${id} % 10 = 0)) AS changed`,
    );
    assert.deepEqual(row, { n: countRetailVersions(2005), second: 200, in_time: true, changed: 200 }, table);
  }
});

test('transactions keep the hot share, stay in their 270 days and rarely miss a customer or product', async () => {
  const path = join(folder, 'transactions.csv');
  const total = 200_000;
  await session.run(renderTransactionsCsv({ ...TRANSACTIONS, path, first: 1, last: total, total }));
  const row = await readBack(
    path,
    `count(*) AS n, avg(CAST(customer_id = 1 AS INT)) AS hot, count(DISTINCT customer_id) FILTER (customer_id BETWEEN 1 AND 9) AS customers,
     count(*) FILTER (customer_id > 9) AS no_customer, count(*) FILTER (product_id > 7) AS no_product,
     min(quantity) || '-' || max(quantity) AS quantities, list_sort(list(DISTINCT channel)) AS channels,
     count(DISTINCT CAST(txn_ts AS DATE)) AS days, CAST(min(CAST(txn_ts AS DATE)) AS VARCHAR) AS first_day,
     CAST(max(CAST(txn_ts AS DATE)) AS VARCHAR) AS last_day`,
  );
  const { hot, no_customer, no_product, ...exact } = row;
  assert.deepEqual(exact, {
    n: total,
    customers: 9,
    quantities: '1-5',
    channels: ['app', 'store', 'web'],
    days: 270,
    first_day: '2025-01-01',
    last_day: '2025-09-27',
  });
  // Expected 0.25 and 100 each; the bounds are more than four standard deviations away.
  assert.ok(Math.abs(Number(hot) - 0.25) < 0.005, `hot share ${hot}`);
  for (const missing of [no_customer, no_product])
    assert.ok(Number(missing) > 55 && Number(missing) < 145, `${missing}`);
});

test('one customer, one product and no hot share still make a sample', async () => {
  const path = join(folder, 'single.csv');
  await session.run(
    renderTransactionsCsv({
      ...TRANSACTIONS,
      path,
      first: 1,
      last: 1,
      total: 1,
      customers: 1,
      products: 1,
      hotPerMillion: 0,
    }),
  );
  assert.deepEqual(await readBack(path, 'count(*) AS n, min(customer_id) AS customer'), { n: 1, customer: 1 });
});
