import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { generateSales, parseSalesOptions } from '../../lib/generate/sales.ts';
import type { Row, Session } from '../../lib/ports.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import pipeline from '../../pipelines/sales/pipeline.ts';
import type { TestLake } from '../support/test-lake.ts';
import { openPipelineLake } from './runs.ts';

/** 120,000 asked for are 8,571 on each of 14 days: 119,994, of which 1,714 a day are customer 0's and 8 each are odd. */
const ASKED = { customers: 1_000, transactions: 120_000, filesPerDay: 1 };
const ODD = { nullAmounts: 0.001, unknownCustomers: 0.001, late: 0.01 };
const DAYS = 14;
const ROWS = 8_571 * DAYS;
const ODD_ROWS = 8 * DAYS;

let out: string;
let session: Session;
let lake: TestLake;

before(async () => {
  out = await mkdtemp(join(tmpdir(), 'strata-sales-'));
  session = await createDuckDbEngine().open({ memoryBytes: 1e9, threads: 2, scratch: out });
  const files = await generateSales(parseSalesOptions({ out, ...ASKED, ...ODD }), session);
  lake = await openPipelineLake(pipeline);
  const land = async (these: typeof files) => {
    for (const { table, path } of these) {
      await lake.land(table, path.slice(join(out, table).length + 1), await readFile(path));
    }
  };
  // The last day comes by itself, with rows of the day before.
  await land(files.slice(0, -1));
  await lake.run();
  await land(files.slice(-1));
});
after(async () => {
  lake.close();
  await session[Symbol.asyncDispose]();
  await rm(out, { recursive: true });
});

/** What the tables must say, by plain SQL over the files and nothing of the product. */
const oracle = (text: string): Promise<readonly Row[]> => {
  const transactions = `read_parquet('${out}/transactions/*/*.parquet', hive_partitioning = false)`;
  const given = `WITH t AS (FROM ${transactions}), c AS (FROM '${out}/customers/*.parquet'), expected AS (
    SELECT t.customer_id, (SELECT segment FROM c WHERE c.customer_id = t.customer_id) AS segment, amount,
      CASE WHEN amount >= 100 THEN 'high' WHEN amount >= 20 THEN 'mid' WHEN amount >= 0 THEN 'low' ELSE 'unknown' END AS bucket,
      event_ts, event_ts::DATE AS event_date
    FROM t)`;
  return session.rows({ name: 'oracle', text: userSql(`${given} ${text}`) });
};

const GOLD = `SELECT event_date::VARCHAR AS day, segment, bucket, tx_count::INT AS n, revenue::VARCHAR AS revenue FROM t ORDER BY ALL`;
const counts = (text: string): Promise<readonly Row[]> => lake.rows('sales_silver.transactions', text);

test('a day that comes later touches its own rows of gold and those of the day that its late rows are about', async () => {
  const before = await lake.rows('sales_gold.daily_sales', GOLD);
  const { tables, accounting } = await lake.run();
  assert.equal(accounting['transactions']?.accepted, 8_571);
  const gold = await lake.rows('sales_gold.daily_sales', GOLD);
  const touched = gold.filter(({ day }) => String(day) >= '2026-01-13');
  assert.equal(tables['sales_gold.daily_sales']?.rows_added, touched.length);
  assert.deepEqual(
    gold.filter(({ day }) => String(day) < '2026-01-13'),
    before.filter(({ day }) => String(day) < '2026-01-13'),
  );
});

test('gold is what plain SQL makes of the files, by the day of the event', async () => {
  const expected =
    await oracle(`SELECT event_date::VARCHAR AS day, segment, bucket, count(*)::INT AS n, sum(amount)::VARCHAR AS revenue
    FROM expected GROUP BY ALL ORDER BY ALL`);
  assert.deepEqual(await lake.rows('sales_gold.daily_sales', GOLD), expected);
  // A day more than there are folders: that before the first.
  assert.equal(new Set(expected.map(({ day }) => day)).size, DAYS + 1);
  assert.deepEqual(await lake.rows('sales_gold.daily_sales', 'SELECT typeof(any_value(tx_count)) AS c FROM t'), [
    { c: 'BIGINT' },
  ]);
});

test('silver is every row once with its segment, partitioned by the event, not by the folder', async () => {
  const same =
    'SELECT count(*)::INT AS n, sum(hash(customer_id, segment, amount, bucket, event_ts, event_date))::VARCHAR AS rows';
  const [found] = await counts(`${same} FROM t`);
  assert.deepEqual([found], await oracle(`${same} FROM expected`));
  assert.equal(found?.['n'], ROWS);
  assert.deepEqual(
    await lake.rows(
      'sales_silver.customers',
      'SELECT count(*)::INT AS n, count(DISTINCT customer_id)::INT AS ids FROM t',
    ),
    [{ n: 1_000, ids: 1_000 }],
  );
  const { 'partition-specs': specs = [] } = (await lake.metadata('sales_silver.transactions')) ?? {};
  assert.deepEqual(
    specs.at(-1)?.fields.map(({ name, transform }) => [name, transform]),
    [['event_ts_day', 'day']],
  );
});

test('a join that is salted without salting the rows makes 1,559,964 of 119,994; ours makes no row twice', async () => {
  const [salted] =
    await oracle(`SELECT sum(n)::INT AS n FROM (SELECT customer_id, count(*) AS n FROM t GROUP BY ALL) AS t
    LEFT JOIN (FROM c, range(16) AS salts(salt)) AS s ON s.customer_id = t.customer_id AND (t.customer_id <> 0 OR salt = 0)`);
  // Customers whom nobody knows match nothing, so that they are there once.
  assert.equal(Number(salted?.['n']) + 15 * ODD_ROWS, 1_559_964);
  assert.deepEqual(await counts('SELECT count(*)::INT AS n FROM t'), [{ n: 119_994 }]);
  assert.deepEqual(await counts('SELECT count(*)::INT AS n FROM t WHERE customer_id = 0'), [{ n: 1_714 * DAYS }]);
});

test("an amount that is missing is 'unknown', not 'high', and a customer whom nobody knows has no segment", async () => {
  const naive = "CASE WHEN amount < 20 THEN 'low' WHEN amount < 100 THEN 'mid' ELSE 'high' END";
  const [wrong] = await oracle(`SELECT count_if(${naive} = 'high')::INT AS n FROM t`);
  const [right] = await counts(
    "SELECT count_if(bucket = 'high')::INT AS high, count_if(bucket = 'unknown' AND amount IS NULL)::INT AS unknown FROM t",
  );
  assert.deepEqual(right, { high: Number(wrong?.['n']) - ODD_ROWS, unknown: ODD_ROWS });
  assert.deepEqual(
    await counts(
      'SELECT count_if(segment IS NULL)::INT AS n, min(customer_id) FILTER (segment IS NULL) >= 1000 AS known FROM t',
    ),
    [{ n: ODD_ROWS, known: true }],
  );
});

test('columns that do not say what they are by their names are described, in the source or the model', async () => {
  const { models } = await lake.deps.specs('sales');
  const said = models.map(({ name, described = {} }) => [name, Object.keys(described).sort()]);
  assert.deepEqual(said, [
    ['customers', ['segment']],
    ['transactions', ['amount', 'bucket', 'event_date', 'event_ts', 'segment']],
    ['daily_sales', ['bucket', 'event_date', 'revenue', 'segment', 'tx_count']],
  ]);
});
