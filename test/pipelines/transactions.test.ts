import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { currenciesOn } from '../../pipelines/transactions/currencies.ts';
import pipeline from '../../pipelines/transactions/pipeline.ts';
import { type Lake, openLake } from './lake.ts';

const TRANSACTIONS = 'TransactionID,CustomerID,TransactionAmount,Currency,TransactionTimestamp';
const LEDGER = 'id,account_id,amount,new_balance,tx_date';

async function withRows(
  rows: { readonly transactions?: readonly string[]; readonly ledger?: readonly string[] },
  check: (lake: Lake) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-transactions-'));
  const lake = await openLake(pipeline);
  try {
    await writeFile(join(folder, 'transactions.csv'), [TRANSACTIONS, ...(rows.transactions ?? []), ''].join('\n'));
    await writeFile(join(folder, 'ledger.csv'), [LEDGER, ...(rows.ledger ?? []), ''].join('\n'));
    for (const source of ['transactions', 'ledger']) await lake.load(source, join(folder, `${source}.csv`));
    for (const table of Object.keys(pipeline.silver ?? {})) await lake.build('silver', table);
    for (const table of Object.keys(pipeline.gold ?? {})) await lake.build('gold', table);
    await check(lake);
  } finally {
    await lake.session[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  }
}

const SOME = [
  'a,1,10.00,GBP,2010-12-01T08:26:00Z',
  'b,1,-2.50,GBP,2010-12-31T23:59:59Z',
  // Already the next day, month and year in UTC.
  'c,1,4.00,EUR,2010-12-31T23:30:00-01:00',
  'd,2,0.00,EUR,2010-12-01T00:00:00Z',
  'e,2,1.01,EUR,2010-12-01T00:00:01Z',
];

test('days are those of UTC', async () => {
  await withRows({ transactions: SOME }, async (lake) => {
    assert.deepEqual(await lake.rows('SELECT transaction_id, event_date FROM silver.transactions ORDER BY 1'), [
      { transaction_id: 'a', event_date: '2010-12-01' },
      { transaction_id: 'b', event_date: '2010-12-31' },
      { transaction_id: 'c', event_date: '2011-01-01' },
      { transaction_id: 'd', event_date: '2010-12-01' },
      { transaction_id: 'e', event_date: '2010-12-01' },
    ]);
  });
});

test('daily totals keep currencies apart', async () => {
  await withRows({ transactions: SOME }, async (lake) => {
    assert.deepEqual(await lake.rows('FROM gold.daily_totals'), [
      { event_date: '2010-12-01', currency: 'EUR', transactions: 2, total_amount: '1.01' },
      { event_date: '2010-12-01', currency: 'GBP', transactions: 1, total_amount: '10.00' },
      { event_date: '2010-12-31', currency: 'GBP', transactions: 1, total_amount: '-2.50' },
      { event_date: '2011-01-01', currency: 'EUR', transactions: 1, total_amount: '4.00' },
    ]);
  });
});

test('a customer has a credit and a debit per month and currency, each 0 where there is none', async () => {
  const more = ['f,1,7.00,EUR,2010-12-02T00:00:00Z', 'g,1,-1.00,EUR,2010-12-03T00:00:00Z'];
  await withRows({ transactions: [...SOME, ...more] }, async (lake) => {
    assert.deepEqual(await lake.rows('FROM gold.customer_month'), [
      { customer: '1', month: '2010-12-01', currency: 'EUR', count: 2, credit: '7.00', debit: '1.00' },
      { customer: '1', month: '2010-12-01', currency: 'GBP', count: 2, credit: '10.00', debit: '2.50' },
      { customer: '1', month: '2011-01-01', currency: 'EUR', count: 1, credit: '4.00', debit: '0.00' },
      { customer: '2', month: '2010-12-01', currency: 'EUR', count: 2, credit: '1.01', debit: '0.00' },
    ]);
  });
});

const MOVEMENTS = [
  '1,A,100.00,100.00,2024-01-05',
  // Two movements of one day: the later id has the balance of the evening.
  '3,A,-30.00,70.00,2024-01-31',
  '2,A,-20.00,80.00,2024-01-31',
  '4,B,5.00,5.00,2024-03-01',
  // A late row of January with a higher id does not move the end of January.
  '5,A,0.00,99.00,2024-01-06',
  '6,A,-70.00,0.00,2024-04-30',
];

test('month-end balances are carried forward, and null before the first movement', async () => {
  await withRows({ ledger: MOVEMENTS }, async (lake) => {
    assert.deepEqual(await lake.rows('FROM gold.month_end_balance'), [
      { acct: 'A', month: '2024-01-01', balance: '70.00' },
      { acct: 'A', month: '2024-02-01', balance: '70.00' },
      { acct: 'A', month: '2024-03-01', balance: '70.00' },
      { acct: 'A', month: '2024-04-01', balance: '0.00' },
      { acct: 'B', month: '2024-01-01', balance: null },
      { acct: 'B', month: '2024-02-01', balance: null },
      { acct: 'B', month: '2024-03-01', balance: '5.00' },
      { acct: 'B', month: '2024-04-01', balance: '5.00' },
    ]);
  });
});

test('no rows at all give empty tables', async () => {
  await withRows({}, async (lake) => {
    for (const table of Object.keys(pipeline.gold ?? {}))
      assert.deepEqual(await lake.rows(`FROM gold.${table}`), [], table);
  });
});

test('currencies are the active ones', () => {
  const source = pipeline.sources.transactions;
  const currency = source.columns['Currency'];
  const allowed = typeof currency === 'object' ? (currency.in ?? []) : [];
  const codes: readonly unknown[] = Array.isArray(allowed) ? allowed : [];
  for (const active of ['GBP', 'EUR', 'USD', 'JPY', 'ISK', 'PLN']) assert.ok(codes.includes(active), active);
  for (const gone of ['LTL', 'DEM', 'EEK', 'ZWR', 'HRK', 'ANG', 'BGN']) assert.ok(!codes.includes(gone), gone);
  assert.ok(codes.length > 150);
  assert.ok(codes.every((code) => /^[A-Z]{3}$/.test(String(code))));
});

test('a currency is in use until the month of its withdrawal', () => {
  for (const [day, code, used] of [
    ['2025-12-31', 'BGN', true],
    ['2026-01-01', 'BGN', false],
    ['2014-11-30', 'LTL', true],
    ['2014-12-01', 'LTL', false],
    ['2022-12-31', 'HRK', true],
    ['2023-01-01', 'HRK', false],
    ['2002-02-28', 'DEM', true],
    ['2030-01-01', 'EUR', true],
  ] as const) {
    assert.equal(currenciesOn(day).includes(code), used, `${code} on ${day}`);
  }
});

const REAL = fileURLToPath(new URL('../../../shared/data/transactions', import.meta.url));
const real = existsSync(REAL) ? {} : { skip: 'the real transaction files are not on this machine' };

test('the real files give the published figures', real, async () => {
  const lake = await openLake(pipeline);
  try {
    await lake.load('transactions', join(REAL, '*.csv'));
    await lake.build('silver', 'transactions');
    const codes = "(SELECT unnest(['GBP', 'EUR', 'CHF', 'PLN', 'ISK', 'DKK', 'AUD', 'NOK', 'JPY']))";
    const [counts] = await lake.rows(`
      WITH distinct_rows AS (SELECT DISTINCT * FROM silver.transactions),
      accepted AS (SELECT * FROM distinct_rows WHERE customer_id IS NOT NULL AND currency IN ${codes})
      SELECT
        (SELECT count(*) FROM silver.transactions) AS read,
        (SELECT count(*) FROM silver.transactions) - (SELECT count(*) FROM distinct_rows) AS duplicates,
        (SELECT count(*) FROM distinct_rows WHERE customer_id IS NULL) AS null_values,
        (SELECT count(*) FROM distinct_rows WHERE customer_id IS NOT NULL AND currency NOT IN ${codes}) AS domain_errors,
        (SELECT count(*) FROM accepted) - (SELECT count(DISTINCT (transaction_id, event_date)) FROM accepted) AS condemned,
        (SELECT count(DISTINCT (transaction_id, event_date)) FROM accepted) AS accepted`);
    assert.deepEqual(counts, {
      read: 22_523,
      duplicates: 322,
      null_values: 7_718,
      domain_errors: 35,
      condemned: 248,
      accepted: 14_200,
    });
  } finally {
    await lake.session[Symbol.asyncDispose]();
  }
});
