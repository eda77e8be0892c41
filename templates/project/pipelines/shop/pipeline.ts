import { append, csv, definePipeline, month, unique, upsert } from '@strata-lake/strata';

/** Orders of a shop, and what they bring by month and country. */
export default definePipeline({
  name: 'shop',
  sources: {
    // Files of data/orders: rows that break this contract go to quarantine, and the others go on.
    orders: csv({
      columns: {
        order_id: { type: 'bigint', required: true },
        ordered_at: { type: 'timestamp', required: true },
        customer_id: { type: 'bigint', required: true },
        quantity: { type: 'int', required: true, min: 1 },
        price: { type: 'decimal(10,2)', required: true, min: '0' },
      },
    }),
    customers: csv({
      columns: {
        customer_id: { type: 'bigint', required: true },
        name: { type: 'string', required: true },
        country: { type: 'string', in: ['AT', 'DE', 'FR'] },
        updated_at: { type: 'timestamp', required: true },
      },
    }),
  },
  silver: {
    customers: {
      from: 'customers',
      mode: upsert({ key: 'customer_id', sequence: 'updated_at' }),
      description: 'Every customer, as last heard of.',
    },
    orders: {
      from: 'orders',
      sql: 'silver/orders.sql',
      mode: append({ dedupe: { key: 'order_id' } }),
      partitionBy: [month('ordered_at')],
      description: 'Every order once, with what it brings.',
    },
  },
  gold: {
    monthly_revenue: {
      sql: 'gold/monthly_revenue.sql',
      expect: { one_row_per_month_and_country: unique('order_month', 'country') },
      description: 'Revenue and orders by month and country of the customer.',
    },
  },
});
