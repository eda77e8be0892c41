import { definePipeline, parquet, scd2 } from '@strata-lake/strata';

/** A long history of many keys: what a keyed merge costs beside rewriting the table by hand. */
export default definePipeline({
  name: 'staff',
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
  silver: {
    history: { from: 'events', mode: scd2({ key: 'id', sequence: 'since', track: ['title', 'salary'], buckets: 64 }) },
  },
});
