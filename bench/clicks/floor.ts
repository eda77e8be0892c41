import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openFloor, typedCsv } from '../floor.ts';
import { BENCH_PIPELINES } from '../folders.ts';

/** Files to one table of Parquet and a figure for each key, as DuckDB does it in two statements: `node floor.ts <input> <output>`. */
const [input = '', output = ''] = process.argv.slice(2);
const floor = await openFloor(output);
const silver = join(output, 'silver.clicks.parquet');
const clicks = typedCsv(
  join(input, '*.csv'),
  { id: 'BIGINT', account: 'INTEGER', clicked: 'TIMESTAMP', page: 'VARCHAR', cents: 'INTEGER' },
  true,
);
await floor.write(`FROM ${clicks}`, silver);
await floor.run(`CREATE SCHEMA silver; CREATE VIEW silver.clicks AS FROM '${silver}'`);
const gold = await readFile(join(BENCH_PIPELINES, 'clicks', 'accounts.sql'), 'utf8');
await floor.write(gold, join(output, 'gold.accounts.parquet'));
