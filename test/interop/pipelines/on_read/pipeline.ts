import { csv, definePipeline, scd2, upsert } from '@strata-lake/strata';

/** The keyed tables of the pipeline `modes`, merged on read. */
export default definePipeline({
  name: 'on_read',
  sources: {
    sensors: csv({
      columns: { id: 'bigint', sensor: 'int', at: 'timestamp', region: 'string', amount: 'decimal(12,2)' },
    }),
  },
  silver: {
    current: {
      from: 'sensors',
      mode: upsert({ key: 'sensor', sequence: 'id', buckets: 4, writeMode: 'merge-on-read' }),
    },
    versions: {
      from: 'sensors',
      mode: scd2({ key: 'sensor', sequence: 'id', track: ['region'], buckets: 4, writeMode: 'merge-on-read' }),
    },
  },
});
