import { append, csv, definePipeline, identity, month, scd2, unique } from '@strata-lake/strata';

/** A generated star schema, as `strata generate retail` writes it: sales of products to customers over nine months. */
export default definePipeline({
  name: 'retail',
  owner: 'data-platform',
  tier: 2,
  description: 'Sales of a retailer by month, region, category, customer and product.',
  sources: {
    customers: csv({
      columns: {
        customer_id: { type: 'bigint', required: true },
        customer_name: { type: 'string', required: true },
        age: { type: 'int', min: 18, max: 80, description: 'In years, when this version was written.' },
        gender: { type: 'string', in: ['F', 'M'] },
        country: { type: 'string', required: true },
        region: { type: 'string', required: true },
        updated_at: {
          type: 'timestamp',
          required: true,
          description: 'From when on the customer is as this version says.',
        },
      },
    }),
    products: csv({
      columns: {
        product_id: { type: 'bigint', required: true },
        category: { type: 'string', required: true },
        subcategory: 'string',
        product_name: { type: 'string', required: true },
        base_price: { type: 'decimal(10,2)', required: true, description: 'Of one piece.' },
        updated_at: {
          type: 'timestamp',
          required: true,
          description: 'From when on the product is as this version says.',
        },
      },
    }),
    transactions: csv({
      columns: {
        txn_id: { type: 'bigint', required: true },
        txn_ts: { type: 'timestamp', required: true, description: 'When it was sold, in UTC.' },
        customer_id: { type: 'bigint', required: true },
        product_id: { type: 'bigint', required: true },
        quantity: { type: 'int', required: true, description: 'Pieces.' },
        channel: { type: 'string', description: 'Where it was sold, such as web or store.' },
      },
    }),
  },
  silver: {
    // Both dimensions keep every version, so that a sale finds its customer's region and its product's price of the time.
    customers: {
      from: 'customers',
      sql: 'silver/customers.sql',
      mode: scd2({ key: 'customer_id', sequence: 'updated_at' }),
      columns: {
        age_group: 'Such as 25-34, by the age; unknown where there is none.',
        valid_to: 'Up to when this version holds, which is when the next begins; null of the latest.',
      },
      expect: { one_row_per_version: unique('customer_id', 'valid_from') },
      description: 'Every version of every customer with the group of its age, from valid_from up to valid_to.',
    },
    products: {
      from: 'products',
      mode: scd2({ key: 'product_id', sequence: 'updated_at' }),
      columns: { valid_to: 'Up to when this version holds, which is when the next begins; null of the latest.' },
      expect: { one_row_per_version: unique('product_id', 'valid_from') },
      description: 'Every version of every product, from valid_from up to valid_to.',
    },
    sales: {
      from: 'transactions',
      sql: 'silver/sales.sql',
      mode: append({ dedupe: { key: ['txn_id'] } }),
      partitionBy: [month('order_date'), identity('region')],
      sortBy: ['txn_ts'],
      columns: {
        order_date: 'The day of txn_ts.',
        yyyymm: 'The month of txn_ts as a number, such as 202503.',
        country: "The customer's at the time of the sale; null where he had no version then, as is region.",
        region: "The customer's at the time of the sale.",
        unit_price: "The product's at the time of the sale; null where it had no version then.",
        total_amount: 'unit_price times quantity, exact.',
      },
      expect: {
        positive_quantity: { condition: 'quantity > 0', policy: 'drop' },
        positive_price: { condition: 'unit_price > 0', policy: 'drop' },
        // Sales of customers or products that had no version at the time are kept with nulls; these count them.
        known_customer: { condition: 'country IS NOT NULL', policy: 'warn' },
        known_product: { condition: 'unit_price IS NOT NULL', policy: 'warn' },
      },
      description: 'One row per transaction with its customer, product and amount.',
    },
  },
  gold: {
    monthly_revenue: {
      sql: 'gold/monthly_revenue.sql',
      columns: {
        revenue: 'Sum of total_amount; sales without a price add nothing.',
        units: 'Pieces that were sold, those without a price too.',
      },
      expect: { one_row_per_group: unique('yyyymm', 'region', 'category') },
      description: 'Revenue and units per month, region and category.',
    },
    revenue_trend: {
      sql: 'gold/revenue_trend.sql',
      columns: {
        revenue: 'Of the month; 0 where nothing was sold.',
        revenue_ma3: 'Mean of this and the two months before it, fewer at the start.',
        mom_growth_pct: 'Change against the month before in percent; null in the first and after one without revenue.',
      },
      expect: { one_row_per_month: unique('yyyymm') },
      description: 'Revenue per calendar month, its mean over three months and its growth.',
    },
    top_customers: {
      sql: 'gold/top_customers.sql',
      columns: {
        region: 'Of the sales, which may be another than where the customer is now.',
        rank: 'From 1 within the region; equal revenues share one.',
        customer_name: 'The latest.',
      },
      description: 'The customers with the ten highest revenues of each region.',
    },
    top_products: {
      sql: 'gold/top_products.sql',
      columns: { rank: 'From 1; of equal revenues the lower product_id comes first.' },
      expect: { one_row_per_rank: unique('rank') },
      description: 'The fifty products with the highest revenue.',
    },
    category_share: {
      sql: 'gold/category_share.sql',
      columns: { share_pct: 'Of all revenue, in percent, rounded to two decimals.' },
      description: 'The part of all revenue that each category brings.',
    },
    region_kpis: {
      sql: 'gold/region_kpis.sql',
      columns: {
        customers: 'Those who bought something, each once.',
        avg_order_value: 'Revenue by the sales that have a price, rounded to cents.',
      },
      expect: { one_row_per_region: unique('region') },
      description: 'Orders, customers, units, revenue and mean order value of each region.',
    },
  },
});
