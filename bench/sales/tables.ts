import type { FingerprintSpec } from '../fingerprint.ts';

/** What both sides must agree on. Two transactions may be equal in all columns. */
export const SALES_TABLES: readonly FingerprintSpec[] = [
  { table: 'silver.customers', key: ['customer_id'], measures: ['customer_id'], texts: ['segment', 'signup_date'] },
  {
    table: 'silver.transactions',
    key: [],
    measures: ['customer_id', 'amount'],
    texts: ['segment', 'bucket', 'event_ts', 'event_date'],
  },
  {
    table: 'gold.daily_sales',
    key: ['event_date', 'segment', 'bucket'],
    measures: ['tx_count', 'revenue'],
    texts: ['event_date', 'segment', 'bucket'],
  },
];
