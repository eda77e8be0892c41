import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { csvFile, draw, parquetFile } from './generate.ts';
import { quoteText } from './quote.ts';

/** Statements that write the sales sample: customers, and transactions of which one customer makes many. */

/** The first folder of transactions; fixed, so that a sample never depends on the day it is generated. */
export const SALES_START = Date.UTC(2026, 0, 1);
/** Customers have signed up on one of so many days, the last of the sample being the latest. */
export const SALES_SIGNUP_DAYS = 1_800;
/** Ids that no customer has, from the number of customers on. */
export const SALES_UNKNOWN_IDS = 10;

const DAY_MS = 86_400_000;
const NOON_MS = DAY_MS / 2;
/** Amounts are below 200.00. */
const AMOUNTS = 20_000;

/** Every `rows` places of a day are one of each row; those below `count` are chosen. */
export type Scattered = { readonly factor: number; readonly offset: number; readonly count: number };

export type SalesFile = {
  readonly path: string;
  readonly format: 'parquet' | 'csv';
  readonly seed: number;
  /** ISO 8601. */
  readonly day: string;
  /** The day's rows, and which of them are in this file: from `first` up to `end`. */
  readonly rows: number;
  readonly first: number;
  readonly end: number;
  readonly customers: number;
  /** Rows of customer 0; the `unknown` places after them name nobody. */
  readonly hot: Scattered;
  readonly unknown: number;
  readonly noAmount: Scattered;
  readonly late: Scattered;
};

/** Writes customers(customer_id, segment, signup_date), ids 0 to `count` - 1, who had signed up by `endDay`. */
export function renderSalesCustomers(path: string, seed: number, count: number, endDay: string): Statement {
  return parquetFile(
    'generate customers',
    path,
    sql`SELECT i AS customer_id,
  CASE WHEN i % 10 < 2 THEN 'VIP' ELSE 'STD' END AS segment,
  DATE ${quoteText(endDay)} - CAST(${draw(seed, 'customers.signup', sql`i`)} % ${SALES_SIGNUP_DAYS} AS INTEGER) AS signup_date
FROM range(${count}) AS ids(i)
ORDER BY i`,
  );
}

/** Writes transactions(customer_id, amount, event_ts) of one file of a day. */
export function renderSalesTransactions(file: SalesFile): Statement {
  const { seed, day, customers, hot, rows } = file;
  const write = file.format === 'csv' ? csvFile : parquetFile;
  const place = ({ factor, offset }: Scattered): Sql => sql`(${factor} * i + ${offset}) % ${rows}`;
  const row = sql`${quoteText(`${day}/`)} || i`;
  return write(
    'generate transactions',
    file.path,
    sql`WITH drawn AS (
  SELECT i,
    ${draw(seed, 'transactions.who', row)} AS who,
    ${draw(seed, 'transactions.what', row)} AS what,
    ${place(hot)} AS who_place,
    ${place(file.noAmount)} < ${file.noAmount.count} AS no_amount,
    ${place(file.late)} < ${file.late.count} AS late
  FROM range(${file.first}, ${file.end}) AS ids(i)
),
parts AS (
  SELECT *, who_place < ${hot.count} AS hot,
    CAST(what % ${AMOUNTS} AS INTEGER) AS cents,
    what // ${AMOUNTS} AS time_part
  FROM drawn
)
SELECT
  CASE WHEN hot THEN 0
    WHEN who_place < ${hot.count + file.unknown} THEN ${customers} + CAST(who % ${SALES_UNKNOWN_IDS} AS BIGINT)
    ELSE 1 + CAST(who % ${customers - 1} AS BIGINT) END AS customer_id,
  CASE WHEN no_amount THEN NULL ELSE CAST(cents * 0.01 AS DECIMAL(10,2)) END AS amount,
  TIMESTAMP ${quoteText(`${day} 00:00:00`)}
    + to_milliseconds(CASE WHEN hot THEN ${NOON_MS} + CAST(time_part % ${NOON_MS} AS BIGINT)
        ELSE CAST(time_part % ${DAY_MS} AS BIGINT) END)
    - to_days(CASE WHEN late THEN 1 ELSE 0 END) AS event_ts
FROM parts
ORDER BY i`,
  );
}
