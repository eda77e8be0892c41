import { append, csv, definePipeline, full, identity, month, replace, scd2, upsert } from '@strata-lake/strata';
import { BAD_AMOUNTS } from '../life-files.ts';

const sale = { id: 'bigint', day: 'date', amount: 'decimal(10,2)' } as const;
const item = { sku: 'string', seq: 'bigint', price: 'decimal(10,2)', shop: 'string' } as const;

/** Every mode, both ways of refreshing gold, a quarantine that remembers, and a breaker at its very limit. */
export default definePipeline({
  name: 'life',
  // One row counted twice opens it.
  breaker: { rows: BAD_AMOUNTS, window: '7d' },
  sources: {
    sales: csv({ columns: sale }),
    feed: csv({ key: 'id', columns: sale }),
    days: csv({ columns: sale }),
    extract: csv({ columns: sale }),
    stock: csv({ columns: item }),
    prices: csv({ columns: item }),
  },
  silver: {
    sales: { from: 'sales', mode: append({ dedupe: 'row' }), partitionBy: [month('day')] },
    feed: { from: 'feed', mode: append({ dedupe: { key: 'id' }, onDuplicate: 'condemn' }), metadata: ['row_hash'] },
    days: { from: 'days', mode: replace(), partitionBy: [identity('day')] },
    extract: { from: 'extract', mode: full() },
    stock: { from: 'stock', mode: upsert({ key: 'sku', sequence: 'seq', buckets: 4 }) },
    prices: { from: 'prices', mode: scd2({ key: 'sku', sequence: 'seq', clusterBy: 'range', track: ['price'] }) },
  },
  gold: {
    months: { sql: 'months.sql', partitionBy: [identity('month')], refresh: 'touched' },
    // One object in the place of the one before, and a file for each row, which is there once.
    everything: {
      sql: 'everything.sql',
      export: { csv: { to: 'everything.csv' }, files: { name: 'of/{what}.txt', text: '{what}\n' } },
    },
  },
});
