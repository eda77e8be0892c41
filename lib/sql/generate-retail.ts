import type { Sql } from '../core/sql-text.ts';
import type { Statement } from '../core/statement.ts';
import { sql } from './fragment.ts';
import { csvFile, draw, pick } from './generate.ts';
import { quoteText } from './quote.ts';

/** Statements that write the retail sample as CSV files, every one in id order. */

/** Word lists that values are drawn from; none may be empty. */
export type RetailWords = {
  readonly femaleNames: readonly string[];
  readonly maleNames: readonly string[];
  readonly lastNames: readonly string[];
  readonly countries: readonly { readonly country: string; readonly region: string }[];
  readonly categories: readonly { readonly category: string; readonly subcategories: readonly string[] }[];
  readonly adjectives: readonly string[];
  readonly materials: readonly string[];
  readonly channels: readonly string[];
};

/** The first possible txn_ts; fixed, so that a sample never depends on the day it is generated. */
export const RETAIL_START = '2025-01-01 00:00:00';
/** Transactions spread over 270 days from RETAIL_START. */
export const RETAIL_DAYS = 270;
/** One transaction in this many names a customer that does not exist, and one a product: 0.1 % together. */
export const RETAIL_UNMATCHED_ONE_IN = 2000;

/** One customer in this many moves, and one product changes its price: it has a second version. */
export const RETAIL_CHANGED_ONE_IN = 10;
/** First versions are from as many days before RETAIL_START, so that every transaction finds one. */
export const RETAIL_LEAD_DAYS = 90;

const PER_MILLION = 1_000_000;

export type TransactionsFile = {
  readonly path: string;
  readonly seed: number;
  /** The file's txn_id range, both ends inclusive. */
  readonly first: number;
  readonly last: number;
  /** Transactions over all files. */
  readonly total: number;
  readonly customers: number;
  readonly products: number;
  /** Transactions of customer 1, per million. */
  readonly hotPerMillion: number;
  readonly channels: readonly string[];
};

/** Rows of `count` customers or products, all versions together. */
export function countRetailVersions(count: number): number {
  return count + Math.floor(count / RETAIL_CHANGED_ONE_IN);
}

/**
 * Writes customers(customer_id, customer_name, age, gender, country, region, updated_at), ids 1 to `count`: a first
 * version of each from before RETAIL_START, and of every tenth a second one, in another country, from after it.
 */
export function renderCustomersCsv(path: string, seed: number, count: number, words: RetailWords): Statement {
  const countries = words.countries.map((each) => each.country);
  const regions = words.countries.map((each) => each.region);
  return csvFile(
    'generate customers',
    path,
    sql`WITH ${versions(count)},
drawn AS (
  SELECT i AS customer_id, version,
    ${draw(seed, 'customers.person', sql`i`)} AS person,
    ${draw(seed, 'customers.place', sql`i`)} AS place,
    ${draw(seed, 'customers.move', sql`i`)} AS move,
    ${draw(seed, 'customers.updated', sql`i || '/' || version`)} AS updated
  FROM versions
),
parts AS (
  SELECT customer_id, ${updatedAt()} AS updated_at,
    person % 2 = 0 AS female,
    person // 2 % 63 AS age_part,
    person // 126 % ${PER_MILLION} AS first_part,
    person // ${126 * PER_MILLION} AS last_part,
    -- a move leads to another country, where there is another
    (place % ${countries.length} + CASE WHEN version = 2 THEN 1 + move % ${Math.max(1, countries.length - 1)} ELSE 0 END) % ${countries.length} AS country_part
  FROM drawn
)
SELECT customer_id,
  CASE WHEN female THEN ${pick(words.femaleNames, sql`first_part % ${words.femaleNames.length}`)}
    ELSE ${pick(words.maleNames, sql`first_part % ${words.maleNames.length}`)} END
    || ' ' || ${pick(words.lastNames, sql`last_part % ${words.lastNames.length}`)} AS customer_name,
  18 + age_part AS age,
  CASE WHEN female THEN 'F' ELSE 'M' END AS gender,
  ${pick(countries, sql`country_part`)} AS country,
  ${pick(regions, sql`country_part`)} AS region,
  updated_at
FROM parts
ORDER BY customer_id, updated_at`,
  );
}

/**
 * Writes products(product_id, category, subcategory, product_name, base_price, updated_at), ids 1 to `count`: a first
 * version of each from before RETAIL_START at 1.00 to 500.50, and of every tenth a second one, up to a fifth dearer,
 * from after it.
 */
export function renderProductsCsv(path: string, seed: number, count: number, words: RetailWords): Statement {
  const kinds = words.categories.flatMap(({ category, subcategories }) =>
    subcategories.map((subcategory) => ({ category, subcategory })),
  );
  const categories = kinds.map((kind) => kind.category);
  const subcategories = kinds.map((kind) => kind.subcategory);
  return csvFile(
    'generate products',
    path,
    sql`WITH ${versions(count)},
drawn AS (
  SELECT i AS product_id, version,
    ${draw(seed, 'products.kind', sql`i`)} AS kind,
    ${draw(seed, 'products.price', sql`i`)} AS price,
    ${draw(seed, 'products.rise', sql`i`)} AS rise,
    ${draw(seed, 'products.updated', sql`i || '/' || version`)} AS updated
  FROM versions
),
parts AS (
  SELECT product_id, version, rise, ${updatedAt()} AS updated_at,
    kind % ${kinds.length} AS kind_part,
    kind // ${kinds.length} % ${words.adjectives.length} AS adjective_part,
    kind // ${kinds.length * words.adjectives.length} % ${words.materials.length} AS material_part,
    -- a product of two even draws: many cheap products, few dear ones
    100 + price % 1000 * (1 + price // 1000 % 50) AS price_cents
  FROM drawn
),
named AS (
  SELECT product_id, updated_at,
    price_cents + CASE WHEN version = 2 THEN 1 + rise % (price_cents // 5) ELSE 0 END AS price_cents,
    ${pick(categories, sql`kind_part`)} AS category,
    ${pick(subcategories, sql`kind_part`)} AS subcategory,
    ${pick(words.adjectives, sql`adjective_part`)} AS adjective,
    ${pick(words.materials, sql`material_part`)} AS material
  FROM parts
)
SELECT product_id, category, subcategory,
  adjective || ' ' || material || ' ' || subcategory AS product_name,
  CAST(price_cents * 0.01 AS DECIMAL(10,2)) AS base_price,
  updated_at
FROM named
ORDER BY product_id, updated_at`,
  );
}

/**
 * Writes transactions(txn_id, txn_ts, customer_id, product_id, quantity 1 to 5, channel) for one range of ids. Time
 * grows with txn_id, so each file is one stretch of time, as an uploader would export it.
 */
export function renderTransactionsCsv(file: TransactionsFile): Statement {
  const seconds = RETAIL_DAYS * 86_400;
  const { customers, products, channels } = file;
  const usual = customers === 1 ? sql`1` : sql`2 + who // ${PER_MILLION} % ${customers - 1}`;
  return csvFile(
    'generate transactions',
    file.path,
    sql`WITH drawn AS (
  SELECT i AS txn_id,
    ${draw(file.seed, 'transactions.when', sql`i`)} % ${Math.max(1, Math.floor(seconds / file.total))} AS wait_seconds,
    ${draw(file.seed, 'transactions.who', sql`i`)} AS who,
    ${draw(file.seed, 'transactions.what', sql`i`)} AS what
  FROM range(${file.first}, ${file.last + 1}) AS ids(i)
),
parts AS (
  SELECT txn_id, wait_seconds, who,
    what % ${products} AS product_part,
    what // ${products} % 5 AS quantity_part,
    what // ${products * 5} % ${channels.length} AS channel_part,
    what // ${products * 5 * channels.length} % ${RETAIL_UNMATCHED_ONE_IN} AS unmatched_part
  FROM drawn
)
SELECT txn_id,
  TIMESTAMP ${quoteText(RETAIL_START)}
    + to_seconds((txn_id - 1) * ${seconds} // ${file.total} + CAST(wait_seconds AS BIGINT)) AS txn_ts,
  CASE WHEN unmatched_part = 0 THEN ${customers + 1} + who % 10
    WHEN who % ${PER_MILLION} < ${file.hotPerMillion} THEN 1
    ELSE ${usual} END AS customer_id,
  CASE WHEN unmatched_part = 1 THEN ${products + 1} + who % 10 ELSE 1 + product_part END AS product_id,
  1 + quantity_part AS quantity,
  ${pick(channels, sql`channel_part`)} AS channel
FROM parts
ORDER BY txn_id`,
  );
}

/** A row per id and version. */
function versions(count: number): Sql {
  return sql`versions AS (
  SELECT i, 1 AS version FROM range(1, ${count + 1}) AS ids(i)
  UNION ALL
  SELECT i, 2 AS version FROM range(${RETAIL_CHANGED_ONE_IN}, ${count + 1}, ${RETAIL_CHANGED_ONE_IN}) AS ids(i)
)`;
}

/** When a version began, to the second: the first before RETAIL_START, the second between it and the last transaction. */
function updatedAt(): Sql {
  const start = sql`TIMESTAMP ${quoteText(RETAIL_START)}`;
  const before = sql`to_seconds(1 + CAST(updated % ${RETAIL_LEAD_DAYS * 86_400} AS BIGINT))`;
  const after = sql`to_seconds(CAST(updated % ${RETAIL_DAYS * 86_400} AS BIGINT))`;
  return sql`CASE WHEN version = 1 THEN ${start} - ${before} ELSE ${start} + ${after} END`;
}
