import { append, csv, definePipeline, identity } from '../../lib/define/index.ts';
import type { TestPipeline } from '../support/test-lake.ts';

/** Orders by kind, and prices that come later: enough to see runs that leave tables alone. */
export const SHOP: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: {
      orders: csv({ columns: { id: { type: 'bigint', required: true }, kind: 'string', amount: 'decimal(10,2)' } }),
      prices: csv({ columns: { kind: { type: 'string', required: true }, price: 'decimal(10,2)' } }),
    },
    silver: {
      orders: { from: 'orders', mode: append(), partitionBy: [identity('kind')], sortBy: ['id'] },
      prices: { from: 'prices', mode: append() },
    },
    gold: {
      totals: { sql: 'totals.sql', description: 'Amounts by kind.' },
      pricelist: { sql: 'pricelist.sql' },
    },
  }),
  sql: {
    'totals.sql': 'SELECT kind, sum(amount) AS amount FROM silver.orders GROUP BY kind',
    'pricelist.sql': 'SELECT kind, max(price) AS price FROM silver.prices GROUP BY kind',
  },
};

export const ORDERS = 'id,kind,amount\n';
export const PRICES = 'kind,price\n';
