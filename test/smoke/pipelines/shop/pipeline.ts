import { append, csv, definePipeline, month, upsert } from '@strata-lake/strata';

/** Small, and with what runs differ by: rows that are appended and rows with keys, partitions, a rule that stops a run, gold. */
export default definePipeline({
  name: 'shop',
  sources: {
    orders: csv({
      columns: {
        id: { type: 'bigint', required: true },
        customer: 'bigint',
        day: 'date',
        amount: 'decimal(12,2)',
        note: 'string',
      },
    }),
    customers: csv({ key: 'id', columns: { id: { type: 'bigint', required: true }, at: 'bigint', name: 'string' } }),
  },
  silver: {
    orders: { from: 'orders', mode: append(), partitionBy: [month('day')], expect: { no_fortune: 'amount < 1000000' } },
    customers: { from: 'customers', mode: upsert({ key: 'id', sequence: 'at' }) },
  },
  gold: { by_customer: { sql: 'by_customer.sql' } },
});
