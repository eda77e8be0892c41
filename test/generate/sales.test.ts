import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { generateSales, parseSalesOptions } from '../../lib/generate/sales.ts';
import type { Row, Session } from '../../lib/ports.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

let root: string;
let session: Session;

before(async () => {
  root = await mkdtemp(join(tmpdir(), 'strata-generate-sales-'));
  session = await createDuckDbEngine().open({ memoryBytes: 500_000_000, threads: 2, scratch: root });
});
after(async () => {
  await session[Symbol.asyncDispose]();
  await rm(root, { recursive: true });
});

/** 103 rows a day, of which no share is a whole number. */
const SMALL = {
  customers: 20,
  transactions: 311,
  days: 3,
  filesPerDay: 2,
  hotShare: 0.29,
  nullAmounts: 0.05,
  unknownCustomers: 0.06,
  late: 0.1,
};

async function generate(name: string, changes: object = {}, threads = 2) {
  const out = join(root, name);
  const own = await createDuckDbEngine().open({ memoryBytes: 500_000_000, threads, scratch: root });
  await using _ = own;
  return { out, files: await generateSales(parseSalesOptions({ ...SMALL, ...changes, out }), own) };
}

const rows = (text: string): Promise<readonly Row[]> => session.rows({ name: 'sample', text: userSql(text) });
const transactions = (out: string): string =>
  `(SELECT *, day AS folder, event_ts::DATE AS event_date FROM read_parquet('${out}/transactions/*/*.parquet', hive_partitioning = true))`;

test('a file of customers, and of each day as many as are asked for, with the rows that they are said to have', async () => {
  const { out, files } = await generate('names');
  assert.deepEqual(
    files.map(({ table, path, rows }) => [table, path.slice(out.length + 1), rows]),
    [
      ['customers', 'customers/customers.parquet', 20],
      ...['2026-01-01', '2026-01-02', '2026-01-03'].flatMap((day) => [
        ['transactions', `transactions/day=${day}/part-00000.parquet`, 51],
        ['transactions', `transactions/day=${day}/part-00001.parquet`, 52],
      ]),
    ],
  );
  for (const { path, rows: count, bytes } of files) {
    assert.deepEqual(await rows(`SELECT count(*)::INT AS n FROM read_parquet('${path}')`), [{ n: count }]);
    assert.equal((await readFile(path)).length, bytes);
  }
});

test('a day has the whole part of each share, exactly', async () => {
  const { out } = await generate('shares');
  const counted = await rows(`SELECT count(*)::INT AS rows,
    count_if(customer_id = 0)::INT AS hot, count_if(customer_id = 0 AND event_ts::TIME < TIME '12:00')::INT AS hot_before_noon,
    count_if(customer_id >= 20)::INT AS unknown, count_if(amount IS NULL)::INT AS no_amount,
    count_if(event_date = folder - 1)::INT AS late, count_if(event_date NOT IN (folder, folder - 1))::INT AS astray
    FROM ${transactions(out)} GROUP BY folder ORDER BY folder`);
  const day = { rows: 103, hot: 29, hot_before_noon: 0, unknown: 6, no_amount: 5, late: 10, astray: 0 };
  assert.deepEqual(counted, [day, day, day]);
  // 0.29 * 100 is below 29 in floating point.
  const exact = await generate('exact', { transactions: 100, days: 1, filesPerDay: 1 });
  assert.deepEqual(await rows(`SELECT count_if(customer_id = 0)::INT AS hot FROM ${transactions(exact.out)}`), [
    { hot: 29 },
  ]);
});

test('the shares are independent of each other, and spread over the files', async () => {
  const { out } = await generate('spread', {
    transactions: 40_000,
    days: 1,
    filesPerDay: 4,
    late: 0.25,
    nullAmounts: 0.2,
  });
  const [found] = await rows(`SELECT count_if(customer_id = 0 AND amount IS NULL)::INT AS both,
    count_if(customer_id = 0 AND event_date < folder)::INT AS hot_late, count_if(amount IS NULL AND event_date < folder)::INT AS bare_late
    FROM ${transactions(out)}`);
  for (const [name, expected] of [
    ['both', 2_320],
    ['hot_late', 2_900],
    ['bare_late', 2_000],
  ] as const) {
    assert.ok(Math.abs(Number(found?.[name]) / expected - 1) < 0.1, `${name}: ${found?.[name]}, about ${expected}`);
  }
  const [spread] = await rows(`SELECT min(n)::INT AS least, max(n)::INT AS most FROM (
    SELECT count_if(customer_id = 0) AS n FROM read_parquet('${out}/transactions/*/*.parquet', filename = true) GROUP BY filename)`);
  assert.ok(Number(spread?.['least']) > 2_850 && Number(spread?.['most']) < 2_950, JSON.stringify(spread));
});

test('types, ranges and the others are as declared', async () => {
  const { out } = await generate('ranges', { customers: 20_000, transactions: 60_000 });
  const described = (path: string) =>
    rows(
      `SELECT column_name || ' ' || column_type AS c FROM (DESCRIBE FROM read_parquet('${path}', hive_partitioning = false))`,
    );
  assert.deepEqual(
    (await described(`${out}/transactions/day=2026-01-02/part-00000.parquet`)).map(({ c }) => c),
    ['customer_id BIGINT', 'amount DECIMAL(10,2)', 'event_ts TIMESTAMP'],
  );
  assert.deepEqual(
    (await described(`${out}/customers/customers.parquet`)).map(({ c }) => c),
    ['customer_id BIGINT', 'segment VARCHAR', 'signup_date DATE'],
  );
  assert.deepEqual(
    await rows(`SELECT count(DISTINCT customer_id)::INT AS n, min(customer_id)::INT AS first, max(customer_id)::INT AS last,
      count_if((segment = 'VIP') != (customer_id % 10 < 2))::INT AS misplaced, count(DISTINCT segment)::INT AS segments,
      min(signup_date)::VARCHAR AS earliest, max(signup_date)::VARCHAR AS latest FROM '${out}/customers/*.parquet'`),
    // The last day is 2026-01-03, and 1,799 days before it.
    [{ n: 20_000, first: 0, last: 19_999, misplaced: 0, segments: 2, earliest: '2021-01-30', latest: '2026-01-03' }],
  );
  const [others] = await rows(`SELECT min(amount)::VARCHAR AS least, max(amount)::VARCHAR AS most,
    min(event_ts::TIME) FILTER (customer_id > 0) < TIME '00:01' AS from_midnight, max(event_ts::TIME) > TIME '23:59' AS to_midnight,
    min(customer_id) FILTER (customer_id > 0)::INT < 20 AS from_one, max(customer_id) FILTER (customer_id < 20000)::INT > 19980 AS to_last,
    round(avg(amount))::INT AS mean, round(avg(customer_id) FILTER (customer_id BETWEEN 1 AND 19999) / 1000)::INT AS middle
    FROM ${transactions(out)}`);
  assert.deepEqual(others, {
    least: '0.00',
    most: '199.99',
    from_midnight: true,
    to_midnight: true,
    from_one: true,
    to_last: true,
    mean: 100,
    middle: 10,
  });
});

test('equal options give equal bytes with one thread and with four; another seed changes every file', async () => {
  const bytes = async (name: string, changes: object, threads: number) => {
    const { files } = await generate(name, changes, threads);
    return Promise.all(files.map(({ path }) => readFile(path)));
  };
  // Several row groups in one file.
  const large = { transactions: 260_000, days: 1, filesPerDay: 1 };
  const one = await bytes('one', large, 1);
  assert.ok((await bytes('four', large, 4)).every((content, at) => content.equals(one[at] ?? Buffer.of())));
  const small = await bytes('seed-42', {}, 2);
  for (const [at, content] of (await bytes('seed-7', { seed: 7 }, 2)).entries()) {
    assert.ok(!content.equals(small[at] ?? Buffer.of()), `file ${at}`);
  }
});

test('neither the day, nor a release of the engine changes a row', async () => {
  const { out } = await generate('pinned');
  assert.deepEqual(
    await rows(`SELECT signup_date::VARCHAR AS d FROM '${out}/customers/*.parquet' LIMIT 3`),
    PINNED.days,
  );
  assert.deepEqual(
    await rows(
      `SELECT customer_id::INT AS c, amount::VARCHAR AS a, event_ts::VARCHAR AS t FROM '${out}/transactions/day=2026-01-01/part-00000.parquet' LIMIT 3`,
    ),
    PINNED.transactions,
  );
});

const PINNED = {
  days: [{ d: '2024-03-06' }, { d: '2022-09-16' }, { d: '2024-04-05' }],
  transactions: [
    { c: 3, a: '126.06', t: '2026-01-01 13:24:20.203' },
    { c: 0, a: '76.76', t: '2026-01-01 22:14:30.617' },
    { c: 7, a: '160.77', t: '2025-12-31 15:08:31.504' },
  ],
};

test('the number of files changes how transactions are split, and the format how they are written, not the transactions', async () => {
  const all = (from: string) =>
    rows(
      `SELECT day::VARCHAR AS day, customer_id::BIGINT AS c, amount::DECIMAL(10,2) AS a, event_ts::TIMESTAMP AS t FROM ${from}`,
    );
  const parquet = (out: string) =>
    `read_parquet('${out}/transactions/*/*.parquet', hive_partitioning = true, filename = true) ORDER BY filename, file_row_number`;
  const two = await all(parquet((await generate('two')).out));
  assert.equal(two.length, 309);
  assert.deepEqual(await all(parquet((await generate('seven', { filesPerDay: 7 })).out)), two);
  const { out, files } = await generate('csv', { format: 'csv' });
  assert.ok(files.every(({ table, path }) => path.endsWith(table === 'customers' ? '.parquet' : '.csv')));
  assert.deepEqual(await all(`read_csv('${out}/transactions/*/*.csv', hive_partitioning = true)`), two);
});

test('a folder with days or files of another sample is refused, the same sample again is not', async () => {
  await generate('again');
  await generate('again');
  await assert.rejects(generate('again', { days: 2 }), /day=2026-01-03; empty it/);
  await assert.rejects(generate('again', { filesPerDay: 1 }), /part-00001\.parquet; empty it/);
  await assert.rejects(generate('again', { format: 'csv' }), /part-00000\.parquet; empty it/);
});

test('what is left out takes its default and numbers may come as text', () => {
  assert.deepEqual(parseSalesOptions({ out: 'x', filesPerDay: '120', late: '0.01' }), {
    out: 'x',
    customers: 1_000,
    transactions: 28_000,
    days: 14,
    filesPerDay: 120,
    hotShare: 0.2,
    nullAmounts: 0,
    unknownCustomers: 0,
    late: 0.01,
    format: 'parquet',
    seed: 42,
  });
});

const WRONG: readonly (readonly [name: string, input: object, places: readonly string[]])[] = [
  ['no folder', {}, ['out']],
  ['nobody but the hot customer', { out: 'x', customers: 1 }, ['customers']],
  ['fewer transactions than days', { out: 'x', transactions: 13 }, ['transactions']],
  ['more files than a day has rows', { out: 'x', transactions: 28, filesPerDay: 3 }, ['filesPerDay']],
  ['a share above 1', { out: 'x', hotShare: 1.1 }, ['hotShare']],
  ['more than all customers', { out: 'x', hotShare: 0.5, unknownCustomers: 0.6 }, ['unknownCustomers']],
  ['no format', { out: 'x', format: 'json' }, ['format']],
];

test('what cannot be generated is refused by its options', () => {
  for (const [name, input, places] of WRONG) {
    assert.throws(
      () => parseSalesOptions(input),
      (error) => {
        assert.ok(error instanceof InvalidInput, name);
        assert.deepEqual(
          error.problems.map(({ place }) => place),
          places,
          name,
        );
        return true;
      },
    );
  }
});
