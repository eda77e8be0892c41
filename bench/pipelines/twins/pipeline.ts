import { append, definePipeline, parquet } from '@strata-lake/strata';

const columns = {
  id: { type: 'bigint', required: true },
  customer_id: 'bigint',
  product_id: 'int',
  quantity: 'int',
  amount: 'decimal(12,2)',
  city: 'string',
  day: 'date',
  at: 'timestamp',
} as const;

/** Two tables of one shape, to be compared. */
export default definePipeline({
  name: 'twins',
  sources: { was: parquet({ columns }), now: parquet({ columns }) },
  silver: { was: { from: 'was', mode: append() }, now: { from: 'now', mode: append() } },
});
