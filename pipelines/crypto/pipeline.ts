import { definePipeline, http, identity, json, replace, unique, upsert } from '@strata-lake/strata';

/** What a markets API says of a coin. Fields that are not named here are left in bronze. */
const MARKET = {
  id: { type: 'string', required: true },
  symbol: { type: 'string', required: true },
  name: { type: 'string', required: true },
  current_price: { type: 'decimal(18,8)', description: 'Of one coin, in US dollars.' },
  market_cap: { type: 'decimal(20,2)', description: 'Price times the coins that there are, in US dollars.' },
  total_volume: { type: 'decimal(20,2)', description: 'Traded within 24 hours, in US dollars.' },
  // Says which day a row counts to, whenever it was fetched.
  last_updated: { type: 'timestamp', description: 'When the coin was as the row says, in UTC.' },
} as const;

/** Snapshots of coin markets, as an API answers them: JSON arrays, several a day. */
export default definePipeline({
  name: 'crypto',
  owner: 'markets',
  tier: 2,
  description: 'Snapshots of coin markets, their daily closes, and the ten coins that were traded most each day.',
  sources: {
    // Files of snapshots can be landed as well.
    markets: http({
      url: 'https://api.coingecko.com/api/v3/coins/markets',
      query: { vs_currency: 'usd', order: 'market_cap_desc' },
      pages: { count: 4, rows: 250 },
      ...{ key: ['id', 'last_updated'], columns: MARKET, drift: 'ignore' },
    }),
    closes: json({ layout: 'array', key: ['id', 'last_updated'], columns: MARKET, drift: 'ignore' }),
  },
  silver: {
    markets: {
      from: 'markets',
      sql: 'silver/markets.sql',
      // Every snapshot of a day is kept; one that is sent again with other figures counts by the larger ones.
      mode: upsert({
        key: ['id', 'last_updated'],
        sequence: 'last_updated',
        tieBreak: 'total_volume desc nulls last, market_cap desc nulls last, current_price desc nulls last',
      }),
      zorderBy: ['symbol', 'market_cap'],
      columns: { partition_date: 'The day of last_updated, in UTC.' },
      expect: { one_row_per_snapshot: unique('id', 'last_updated') },
      description: 'One row per coin and snapshot.',
    },
    daily_closes: {
      from: 'closes',
      sql: 'silver/daily_closes.sql',
      // A day that is sent again is corrected as a whole; other days stay.
      mode: replace(),
      partitionBy: [identity('partition_date')],
      columns: { partition_date: 'The day of last_updated, in UTC.' },
      sortBy: ['id'],
      expect: { dated: { condition: 'partition_date IS NOT NULL', policy: 'drop', code: 'NULL_SEQUENCE' } },
      description: 'The last snapshot of each coin and day, as the exchange closed it.',
    },
  },
  gold: {
    daily_top10: {
      sql: 'gold/daily_top10.sql',
      columns: {
        coins: 'How many there were, ten at most.',
        total_market_cap: 'Sum of their latest market_cap of the day, in US dollars.',
        avg_price: 'Mean of their latest prices of the day, in US dollars; a price that is not known is left out.',
      },
      expect: { one_row_per_day: unique('partition_date'), ten_at_most: 'coins BETWEEN 1 AND 10' },
      export: { csv: { to: 'Final_Report.csv' } },
      description: 'What the ten coins that were traded most each day were worth together.',
    },
  },
});
