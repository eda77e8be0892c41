import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFloor } from '../floor.ts';
import { PIPELINES } from '../folders.ts';

/** What a person would write who needs the sales tables and no lake: `node floor.ts <input> <output>`. */
const [input = '', output = ''] = process.argv.slice(2);
const floor = await openFloor(output);
const sqlOf = (model: string): Promise<string> => readFile(join(PIPELINES, 'sales', `${model}.sql`), 'utf8');

await floor.run('CREATE SCHEMA batch; CREATE SCHEMA silver; CREATE SCHEMA gold');
await floor.run(`CREATE TABLE silver.customers AS FROM '${input}/customers/*.parquet'`);
await floor.run(
  `CREATE VIEW batch.transactions AS FROM read_parquet('${input}/transactions/*/*.parquet', hive_partitioning = false)`,
);
await floor.write('FROM silver.customers', join(output, 'silver.customers.parquet'));
await floor.run(`CREATE TABLE silver.transactions AS ${await sqlOf('silver/transactions')}`);
await floor.write('SELECT *, event_date AS d FROM silver.transactions', join(output, 'silver.transactions'), ['d']);
await floor.run(`CREATE TABLE gold.daily_sales AS ${await sqlOf('gold/daily_sales')}`);
await floor.write('FROM gold.daily_sales', join(output, 'gold.daily_sales.parquet'));
