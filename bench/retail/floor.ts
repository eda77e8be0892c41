import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFloor, typedCsv } from '../floor.ts';
import { PIPELINES } from '../folders.ts';
import { GOLD } from './tables.ts';

/**
 * What a person would write who needs the retail tables and no lake: `node floor.ts <input> <output> <plain | same>`.
 * `same` makes what the pipeline declares, one row per txn_id in files ordered by txn_ts; `plain` leaves both out.
 */
const [input = '', output = '', result = 'same'] = process.argv.slice(2);
const floor = await openFloor(output);
const sqlOf = (model: string): Promise<string> => readFile(join(PIPELINES, 'retail', `${model}.sql`), 'utf8');
const source = (name: string, columns: Readonly<Record<string, string>>): string =>
  typedCsv(join(input, name, '*.csv'), columns);

await floor.run('CREATE SCHEMA batch; CREATE SCHEMA silver; CREATE SCHEMA gold');
const customers = source('customers', {
  customer_id: 'BIGINT',
  customer_name: 'VARCHAR',
  age: 'INTEGER',
  gender: 'VARCHAR',
  country: 'VARCHAR',
  region: 'VARCHAR',
  updated_at: 'TIMESTAMP',
});
const products = source('products', {
  product_id: 'BIGINT',
  category: 'VARCHAR',
  subcategory: 'VARCHAR',
  product_name: 'VARCHAR',
  base_price: 'DECIMAL(10,2)',
  updated_at: 'TIMESTAMP',
});
const transactions = source('transactions', {
  txn_id: 'BIGINT',
  txn_ts: 'TIMESTAMP',
  customer_id: 'BIGINT',
  product_id: 'BIGINT',
  quantity: 'INTEGER',
  channel: 'VARCHAR',
});
await floor.run(`CREATE TABLE silver.customers AS ${versions(customers, 'customer_id')}`);
await floor.run(`CREATE TABLE silver.products AS ${versions(products, 'product_id')}`);
await floor.run(`CREATE VIEW batch.transactions AS FROM ${transactions}`);
const once = result === 'same' ? 'QUALIFY row_number() OVER (PARTITION BY txn_id) = 1' : '';
await floor.run(`CREATE TABLE silver.sales AS SELECT * FROM (${await sqlOf('silver/sales')})
  WHERE coalesce(quantity > 0, true) AND coalesce(unit_price > 0, true) ${once}`);

await floor.write('FROM silver.customers', join(output, 'silver.customers.parquet'));
await floor.write('FROM silver.products', join(output, 'silver.products.parquet'));
const ordered = result === 'same' ? 'ORDER BY txn_ts' : '';
await floor.write(
  `SELECT *, date_trunc('month', order_date) AS m, region AS r FROM silver.sales ${ordered}`,
  join(output, 'silver.sales'),
  ['m', 'r'],
);

for (const name of GOLD) {
  await floor.run(`CREATE TABLE gold.${name} AS ${await sqlOf(`gold/${name}`)}`);
  await floor.write(`FROM gold.${name}`, join(output, `gold.${name}.parquet`));
}

/** Each version ends where the next one of its key begins; the sample has no two that are equal. */
function versions(from: string, key: string): string {
  return `SELECT *, updated_at AS valid_from, lead(updated_at) OVER (PARTITION BY ${key} ORDER BY updated_at) AS valid_to,
    valid_to IS NULL AS is_current FROM ${from}`;
}
