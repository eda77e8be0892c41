import { append, csv, day, definePipeline } from '@strata-lake/strata';

export default definePipeline({
  name: 'example',
  sources: {
    events: csv({
      columns: {
        event_id: { type: 'string', required: true },
        happened_at: { type: 'timestamp', required: true },
        kind: 'string',
      },
    }),
  },
  silver: {
    events: { from: 'events', mode: append({ dedupe: { key: 'event_id' } }), partitionBy: [day('happened_at')] },
  },
  gold: {
    events_by_day: { sql: 'gold/events_by_day.sql' },
  },
});
