import { append, csv, definePipeline, identity, month, unique } from '@strata-lake/strata';
import { currenciesOn } from './currencies.ts';

/**
 * The day whose currencies are accepted, whenever a transaction was booked: the feed is to be converted with rates of
 * today, which a currency that has been withdrawn since does not have. Move it on when ISO 4217 changes.
 */
const CURRENCIES_ON = '2026-01-01';

/** A feed of card transactions, and the ledger of the accounts behind them. */
export default definePipeline({
  name: 'transactions',
  owner: 'payments',
  tier: 1,
  description: 'Transactions as they were booked, their totals by day, currency and customer, and balances by month.',
  sources: {
    transactions: csv({
      key: 'transaction_id',
      columns: {
        TransactionID: { type: 'string', required: true, as: 'transaction_id' },
        CustomerID: { type: 'string', required: true, as: 'customer_id' },
        TransactionAmount: {
          ...{ type: 'decimal(18,2)', required: true, as: 'amount' },
          description: 'In the currency of the row; money that goes back is negative.',
        },
        // One that was withdrawn by that day, such as LTL or BGN, is a DOMAIN_ERROR.
        Currency: {
          ...{ type: 'string', required: true, as: 'currency', in: currenciesOn(CURRENCIES_ON) },
          description: 'Code of ISO 4217.',
        },
        // ISO 8601 with its offset, kept in UTC.
        TransactionTimestamp: {
          ...{ type: 'timestamptz', required: true, as: 'transaction_ts' },
          description: 'When it was booked, in UTC.',
        },
      },
    }),
    ledger: csv({
      key: 'id',
      columns: {
        id: { type: 'bigint', required: true },
        account_id: { type: 'string', required: true },
        amount: { type: 'decimal(18,2)', required: true },
        new_balance: { type: 'decimal(18,2)', required: true, description: 'Of the account, after this movement.' },
        tx_date: { type: 'date', required: true },
      },
    }),
  },
  silver: {
    transactions: {
      from: 'transactions',
      sql: 'silver/transactions.sql',
      // A row that is equal in every column was sent twice. One that reuses a key for something else needs a person.
      mode: append({ dedupe: { key: ['transaction_id', 'event_date'] }, onDuplicate: 'condemn' }),
      metadata: ['row_hash', 'source_file', 'attempt', 'ingested_at', 'run_id'],
      partitionBy: [month('transaction_ts')],
      columns: {
        transaction_id: 'Of one day: the feed uses a number again on another.',
        event_date: 'The day of transaction_ts in UTC.',
      },
      sortBy: ['transaction_ts'],
      expect: { one_row_per_key: unique('transaction_id', 'event_date') },
      description: 'One row per transaction and day.',
    },
    ledger: {
      from: 'ledger',
      mode: append({ dedupe: { key: 'id' } }),
      partitionBy: [month('tx_date')],
      sortBy: ['account_id', 'tx_date', 'id'],
      description: 'Every movement of every account, with the balance after it.',
    },
  },
  gold: {
    daily_totals: {
      sql: 'gold/daily_totals.sql',
      columns: { total_amount: 'Sum of the amounts, in the currency of the row.' },
      partitionBy: [month('event_date')],
      refresh: 'touched',
      expect: { one_row_per_group: unique('event_date', 'currency') },
      description: 'Transactions and their total by day and currency.',
    },
    customer_month: {
      sql: 'gold/customer_month.sql',
      columns: {
        month: 'Its first day, in UTC.',
        count: 'Transactions.',
        credit: 'Sum of the amounts above 0.',
        debit: 'Sum of the amounts below 0, without the sign.',
      },
      partitionBy: [identity('month')],
      refresh: 'touched',
      expect: { one_row_per_group: unique('customer', 'month', 'currency') },
      description: 'What each customer received and paid by month and currency.',
    },
    month_end_balance: {
      sql: 'gold/month_end_balance.sql',
      columns: {
        month: 'Its first day.',
        balance: 'After the last movement up to its end; null before the first of the account.',
      },
      expect: { one_row_per_group: unique('acct', 'month') },
      description: 'The balance of each account at the end of each month.',
    },
  },
});
