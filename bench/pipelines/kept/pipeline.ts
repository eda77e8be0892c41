import { append, csv, definePipeline, month } from '@strata-lake/strata';

/** The same with bad rows set aside and a hash of every row. */
export default definePipeline({
  name: 'kept',
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
  silver: { events: { from: 'events', mode: append(), metadata: ['row_hash'], partitionBy: [month('event_ts')] } },
});
