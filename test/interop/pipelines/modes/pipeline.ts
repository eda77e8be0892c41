import { append, bucket, csv, definePipeline, full, identity, month, replace } from '../../../../lib/define/index.ts';

/** The same batches under each mode, so that every snapshot of every table follows from the files alone. */
export default definePipeline({
  name: 'modes',
  sources: {
    events: csv({ columns: { id: 'bigint', at: 'timestamp', region: 'string', amount: 'decimal(12,2)' } }),
  },
  silver: {
    appended: { from: 'events', mode: append(), partitionBy: [month('at')] },
    replaced: { from: 'events', mode: replace(), partitionBy: [month('at'), identity('region')] },
    latest: { from: 'events', mode: full() },
  },
  gold: {
    regions: { sql: 'gold/regions.sql', partitionBy: [bucket(4, 'region')], sortBy: ['region'] },
  },
});
