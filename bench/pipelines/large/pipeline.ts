import { append, csv, definePipeline, month } from '@strata-lake/strata';

/** Files of any size through units of 256 MB. */
export default definePipeline({
  name: 'large',
  settings: { unitBytes: 256_000_000 },
  sources: {
    events: csv({
      columns: {
        event_id: { type: 'bigint', required: true, min: 1 },
        event_ts: { type: 'timestamp', required: true },
        device_id: { type: 'int', required: true, min: 1 },
        kind: { type: 'string', required: true },
        session: 'string',
        quantity: { type: 'int', min: 0, max: 1000 },
        price: { type: 'decimal(10,2)', min: '0' },
        score: 'double',
      },
    }),
  },
  silver: { events: { from: 'events', mode: append(), partitionBy: [month('event_ts')] } },
});
