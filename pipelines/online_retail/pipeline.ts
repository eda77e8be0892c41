import { append, csv, definePipeline, month, unique } from '@strata-lake/strata';

/** The UCI Online Retail invoices (Chen et al. 2012): one file per day, one row per invoice line. */
export default definePipeline({
  name: 'online_retail',
  owner: 'data-platform',
  tier: 1,
  description: 'Invoice lines of an online retailer, and what they bring by month, customer and country.',
  schedule: 'rate(1 day)',
  slo: { freshness: '26h', quarantineRate: 5 },
  sources: {
    lines: csv({
      columns: {
        InvoiceNo: { type: 'string', required: true, as: 'invoice_no' },
        StockCode: { type: 'string', required: true, as: 'stock_code' },
        Description: { type: 'string', as: 'description' },
        Quantity: { type: 'int', required: true, as: 'quantity' },
        InvoiceDate: { type: 'timestamp', required: true, as: 'invoice_ts' },
        UnitPrice: { type: 'decimal(12,3)', required: true, as: 'unit_price' },
        // The files write '17850.0', and nothing where the customer is not known.
        CustomerID: { type: 'bigint', parse: 'numeric', as: 'customer_id' },
        Country: { type: 'string', required: true, as: 'country' },
      },
      drift: 'fail',
    }),
  },
  silver: {
    invoice_lines: {
      from: 'lines',
      sql: 'silver/invoice_lines.sql',
      mode: append({ dedupe: 'row' }),
      partitionBy: [month('invoice_ts')],
      sortBy: ['stock_code'],
      expect: { positive_price: { condition: 'unit_price >= 0', policy: 'drop' } },
      description: 'Every distinct invoice line, cancellations marked.',
    },
  },
  gold: {
    monthly_revenue: {
      sql: 'gold/monthly_revenue.sql',
      expect: { one_row_per_month: unique('yyyymm') },
      export: { csv: { to: 'monthly_revenue.csv' } },
      description: 'Revenue and sold lines per calendar month, with its mean over three months and its growth.',
    },
    top_customers: {
      sql: 'gold/top_customers.sql',
      description: "The customers with the ten highest revenues of each country, and one line 'unknown'.",
    },
    country_share: {
      sql: 'gold/country_share.sql',
      expect: { one_row_per_country: unique('country') },
      description: 'The part of all revenue that each country brings.',
    },
  },
});
