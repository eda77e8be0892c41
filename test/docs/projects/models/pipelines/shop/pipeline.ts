import { append, csv, definePipeline } from '@strata-lake/strata';

export default definePipeline({
  name: 'shop',
  vars: { min_amount: { type: 'decimal(10,2)', default: '10.00' }, since: { type: 'date', default: null } },
  sources: {
    orders: csv({
      columns: {
        order_id: { type: 'bigint', required: true },
        ordered_at: 'date',
        country: 'string',
        amount: 'decimal(10,2)',
      },
    }),
  },
  silver: { orders: { from: 'orders', mode: append({ dedupe: { key: 'order_id' } }) } },
  gold: { revenue: { sql: 'gold/revenue.sql' }, countries: { sql: 'gold/countries.sql' } },
});
