import { append, csv, definePipeline } from '@strata-lake/strata';

/** Orders in the order of their numbers: what an append looks into that tells orders apart, and what a query reads. */
export default definePipeline({
  name: 'orders',
  sources: {
    orders: csv({
      columns: {
        order_id: { type: 'bigint', required: true },
        customer_id: { type: 'bigint', required: true },
        product_id: { type: 'bigint', required: true },
        amount: 'decimal(10,2)',
        note: 'string',
      },
    }),
  },
  silver: { orders: { from: 'orders', mode: append({ dedupe: { key: 'order_id' } }) } },
});
