import { definePipeline, parquet, scd2 } from '@strata-lake/strata';

/** A history as anyone would declare it, all settings by default. */
export default definePipeline({
  name: 'people',
  sources: {
    events: parquet({
      columns: {
        id: { type: 'bigint', required: true },
        since: { type: 'date', required: true },
        title: 'string',
        salary: 'int',
        note: 'string',
      },
    }),
  },
  silver: { history: { from: 'events', mode: scd2({ key: 'id', sequence: 'since' }) } },
});
