import { definePipeline, parquet, scd2 } from '@strata-lake/strata';

/** A table of which every hundredth key changes, in all of its buckets, and which says beside its files which of their rows are gone. */
export default definePipeline({
  name: 'spread_on_read',
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
    history: {
      from: 'events',
      mode: scd2({ key: 'id', sequence: 'since', track: ['title', 'salary'], buckets: 64, writeMode: 'merge-on-read' }),
    },
  },
});
