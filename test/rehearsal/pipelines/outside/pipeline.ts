import { append, definePipeline, kafka, postgres, secret, upsert } from '@strata-lake/strata';

/** Of the rehearsal alone: it takes a table of a PostgreSQL and a topic, and serves what it has made into that PostgreSQL. */
export default definePipeline({
  name: 'outside',
  serve: {
    postgres: {
      url: secret('OUTSIDE_URL'),
      schema: 'reports',
      tables: { prices: { from: 'silver.prices', key: 'id' } },
    },
  },
  sources: {
    prices: postgres({
      url: secret('OUTSIDE_URL'),
      table: 'shop.prices',
      cursor: 'changed_at',
      columns: {
        id: { type: 'bigint', required: true },
        price: 'decimal(10,2)',
        changed_at: { type: 'timestamptz', required: true },
      },
    }),
    said: kafka({ brokers: secret('OUTSIDE_KAFKA'), topic: 'said' }),
  },
  silver: {
    prices: { from: 'prices', mode: upsert({ key: 'id', sequence: 'changed_at' }) },
    said: { from: 'said', mode: append() },
  },
});
