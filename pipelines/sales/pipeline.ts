import { append, day, definePipeline, parquet, unique, upsert } from '@strata-lake/strata';

/** Many transactions in many small files, of which one customer makes a fifth, as `strata generate sales` writes them. */
export default definePipeline({
  name: 'sales',
  owner: 'sales-analytics',
  tier: 1,
  description: 'Transactions of customers, and what they come to by day, segment and bucket of amounts.',
  slo: { freshness: '1h', ready: 'D+1 01:00', p95: '40m', successRate: 99, mttr: '1h' },
  sources: {
    customers: parquet({
      columns: {
        customer_id: { type: 'bigint', required: true },
        segment: { type: 'string', required: true, in: ['VIP', 'STD'], description: 'VIP or standard.' },
        signup_date: { type: 'date', required: true },
      },
    }),
    // Their folders, day=2026-01-01, say when they were sent; event_ts says when they happened.
    transactions: parquet({
      columns: {
        customer_id: { type: 'bigint', required: true },
        amount: { type: 'decimal(10,2)', description: 'Null where it was not sent.' },
        event_ts: { type: 'timestamp', required: true, description: 'When it happened, in UTC.' },
      },
    }),
  },
  silver: {
    customers: {
      from: 'customers',
      mode: upsert({ key: 'customer_id', sequence: 'signup_date' }),
      expect: { one_row_per_customer: unique('customer_id') },
      description: 'One row per customer, as of the latest signup.',
    },
    transactions: {
      from: 'transactions',
      sql: 'silver/transactions.sql',
      mode: append(),
      partitionBy: [day('event_ts')],
      columns: {
        segment: "The customer's when the transaction was loaded; null where no file had brought him.",
        bucket: 'low: below 20, mid: below 100, high: from there on; unknown: no amount.',
        event_date: 'The day of event_ts, whichever folder the file lay in.',
      },
      description: "One row per transaction, with its customer's segment and the bucket of its amount.",
    },
  },
  gold: {
    daily_sales: {
      sql: 'gold/daily_sales.sql',
      partitionBy: [day('event_date')],
      refresh: 'touched',
      columns: {
        tx_count: 'Transactions, those without an amount too.',
        revenue: 'Sum of the amounts; null in the bucket unknown.',
      },
      expect: { one_row_per_group: unique('event_date', 'segment', 'bucket') },
      description: 'Transactions and revenue by day, segment and bucket of amounts.',
    },
  },
});
