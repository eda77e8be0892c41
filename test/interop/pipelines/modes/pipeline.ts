import { append, bucket, csv, definePipeline, full, identity, month, replace, scd2, upsert } from '@strata-lake/strata';

const COLUMNS = {
  id: 'bigint',
  sensor: 'int',
  at: 'timestamp',
  region: 'string',
  amount: 'decimal(12,2)',
} as const;

/** The same batches under each mode, so that every snapshot of every table follows from the files alone. */
export default definePipeline({
  name: 'modes',
  sources: {
    // The same files, since keyed tables count repeated events and the others do not.
    sensors: csv({ columns: COLUMNS }),
    events: csv({ columns: COLUMNS }),
  },
  silver: {
    appended: { from: 'events', mode: append(), partitionBy: [month('at')] },
    replaced: { from: 'events', mode: replace(), partitionBy: [month('at'), identity('region')] },
    current: { from: 'sensors', mode: upsert({ key: 'sensor', sequence: 'id', buckets: 4 }) },
    versions: { from: 'sensors', mode: scd2({ key: 'sensor', sequence: 'id', track: ['region'] }) },
    latest: { from: 'events', mode: full() },
  },
  gold: {
    regions: { sql: 'gold/regions.sql', partitionBy: [bucket(4, 'region')], sortBy: ['region'] },
  },
});
