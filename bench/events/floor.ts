import { join } from 'node:path';
import { openFloor, typedCsv } from '../floor.ts';

/**
 * One CSV file to Parquet by month, as DuckDB does it in one statement that casts while it reads and keeps what it rejects:
 * `node floor.ts <input> <output> <hash | plain>`. Limits of values are not checked.
 */
const [input = '', output = '', result = 'plain'] = process.argv.slice(2);
const COLUMNS = {
  event_id: 'BIGINT',
  event_ts: 'TIMESTAMP',
  device_id: 'INTEGER',
  kind: 'VARCHAR',
  session: 'VARCHAR',
  quantity: 'INTEGER',
  price: 'DECIMAL(10,2)',
  score: 'DOUBLE',
};
const floor = await openFloor(output);
const events = typedCsv(join(input, 'events.csv'), COLUMNS, true);
const texts = Object.keys(COLUMNS).map(
  (name) =>
    `CASE WHEN ${name} IS NULL THEN 'N;' ELSE concat('V', strlen(${name}::VARCHAR), ':', ${name}::VARCHAR, ';') END`,
);
const hash = result === 'hash' ? `, sha256(concat(${texts.join(', ')})) AS row_hash` : '';
await floor.write(`SELECT *${hash}, date_trunc('month', event_ts) AS m FROM ${events}`, join(output, 'silver.events'), [
  'm',
]);
await floor.write(
  'SELECT line, any_value(csv_line) AS raw, list(error_message) AS reasons FROM reject_errors GROUP BY line',
  join(output, 'ops.quarantine.parquet'),
);
