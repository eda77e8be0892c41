import { defineModelTest } from '@strata-lake/strata';

export default defineModelTest({
  model: 'gold.monthly_revenue',
  tests: {
    'orders of customers that nobody knows count as unknown': {
      given: {
        'silver.orders': [
          { ordered_at: '2026-01-05 09:15:00', customer_id: 1, amount: '39.80' },
          { ordered_at: '2026-01-30 20:31:00', customer_id: 9, amount: '5.00' },
        ],
        'silver.customers': [{ customer_id: 1, country: 'AT' }],
      },
      expect: [
        { order_month: '2026-01-01', country: 'AT', revenue: '39.80' },
        { order_month: '2026-01-01', country: 'unknown', revenue: '5.00' },
      ],
    },
  },
});
