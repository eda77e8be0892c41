import { join } from 'node:path';
import type { Session } from '../../lib/ports.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

/**
 * Writes `<folder>/events.csv`: about 90 bytes a row, twelve months, every twentieth score empty and every hundredth
 * quantity no number. Always the same rows.
 */
export async function generateEvents(session: Session, folder: string, rows: number): Promise<void> {
  await generateSlice(session, join(folder, 'events.csv'), rows, { from: 1, to: rows + 1, failing: true });
}

/** Writes some of them, by their numbers from 1; `to` is exclusive. */
export async function generateSlice(
  session: Session,
  file: string,
  rows: number,
  { from, to, failing = false }: { readonly from: number; readonly to: number; readonly failing?: boolean },
): Promise<void> {
  await copyCsv(session, file, selectEvents(rows, `range(${from}, ${to}) AS ids(i)`, failing));
}

/** Writes slices of as many rows, one after the other, which are alike but for numbers and times: most of the work is done once. */
export async function generateAlike(
  session: Session,
  { rows, slices }: { readonly rows: number; readonly slices: number },
  fileOf: (slice: number) => string,
  written: (slice: number) => Promise<void>,
): Promise<void> {
  const slice = selectEvents(rows * slices, `range(1, ${rows + 1}) AS ids(i)`, false);
  await session.run({ name: 'a slice', text: userSql(`CREATE TABLE slice AS ${slice}`) });
  for (let nth = 0; nth < slices; nth += 1) {
    const id = `event_id + ${nth * rows}`;
    const query = `SELECT * REPLACE (${id} AS event_id, ${timeOf(id, rows * slices)} AS event_ts) FROM slice`;
    await copyCsv(session, fileOf(nth), query);
    await written(nth);
  }
  await session.run({ name: 'drop slice', text: userSql('DROP TABLE slice') });
}

function timeOf(id: string, rows: number): string {
  return `TIMESTAMP '2025-01-01' + to_seconds((${id}) * 31536000 // ${rows + 1})`;
}

async function copyCsv(session: Session, file: string, query: string): Promise<void> {
  const path = quoteText(file);
  await session.run({ name: 'generate events', text: userSql(`COPY (${query}) TO ${path} (FORMAT csv, HEADER true)`) });
}

function selectEvents(rows: number, from: string, failing: boolean): string {
  const bits = (field: string): string => `md5_number_lower('${field}' || i)`;
  const quantity = `CAST(${bits('quantity')} % 1001 AS INTEGER)`;
  return `SELECT i AS event_id,
  ${timeOf('i', rows)} AS event_ts,
  CAST(1 + ${bits('device')} % 200000 AS INTEGER) AS device_id,
  list_extract(['view', 'search', 'add_to_cart', 'checkout', 'payment', 'refund'], CAST(1 + ${bits('kind')} % 6 AS BIGINT)) AS kind,
  to_hex(${bits('session')}) || right(md5(CAST(i AS VARCHAR)), 8) AS session,
  ${failing ? `CASE WHEN i % 100 = 50 THEN 'x' || i ELSE CAST(${quantity} AS VARCHAR) END` : quantity} AS quantity,
  CAST(${bits('price')} % 10000000 * 0.01 AS DECIMAL(10,2)) AS price,
  CASE WHEN i % 20 = 0 THEN NULL ELSE CAST(${bits('score')} % 1000000 AS DOUBLE) / 1000 END AS score
FROM ${from}`;
}
