import type { FingerprintSpec } from '../fingerprint.ts';

/** Gold tables, each after what it reads. */
export const GOLD = [
  'monthly_revenue',
  'revenue_trend',
  'top_customers',
  'top_products',
  'category_share',
  'region_kpis',
] as const;

/** What all sides must agree on. */
export const RETAIL_TABLES: readonly FingerprintSpec[] = [
  { table: 'silver.customers', key: ['customer_id', 'valid_from'], measures: ['age'] },
  { table: 'silver.products', key: ['product_id', 'valid_from'], measures: ['base_price'] },
  { table: 'silver.sales', key: ['txn_id'], measures: ['quantity', 'unit_price', 'total_amount', 'yyyymm'] },
  { table: 'gold.monthly_revenue', key: ['yyyymm', 'region', 'category'], measures: ['revenue', 'units'] },
  { table: 'gold.revenue_trend', key: ['yyyymm'], measures: ['revenue', 'revenue_ma3', 'mom_growth_pct'] },
  { table: 'gold.top_customers', key: ['region', 'customer_id'], measures: ['rank', 'revenue'] },
  { table: 'gold.top_products', key: ['rank'], measures: ['product_id', 'revenue', 'units'] },
  { table: 'gold.category_share', key: ['category'], measures: ['revenue', 'share_pct'] },
  {
    table: 'gold.region_kpis',
    key: ['region'],
    measures: ['orders', 'customers', 'units', 'revenue', 'avg_order_value'],
  },
];
