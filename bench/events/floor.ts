import { join } from 'node:path';
import { openFloor, typedCsv } from '../floor.ts';

/** One CSV file to Parquet by month, as DuckDB does it in one statement: `node floor.ts <input> <output>`. */
const [input = '', output = ''] = process.argv.slice(2);
const floor = await openFloor(output);
const events = typedCsv(join(input, 'events.csv'), {
  event_id: 'BIGINT',
  event_ts: 'TIMESTAMP',
  device_id: 'INTEGER',
  kind: 'VARCHAR',
  session: 'VARCHAR',
  quantity: 'INTEGER',
  price: 'DECIMAL(10,2)',
  score: 'DOUBLE',
});
await floor.write(`SELECT *, date_trunc('month', event_ts) AS m FROM ${events}`, join(output, 'silver.events'), ['m']);
