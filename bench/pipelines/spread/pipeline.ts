import { definePipeline, parquet, scd2 } from '@strata-lake/strata';

/** A table of which every hundredth key changes, in all of its buckets, and which is written anew, bucket by bucket. */
export default definePipeline({
  name: 'spread',
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
      mode: scd2({ key: 'id', sequence: 'since', track: ['title', 'salary'], buckets: 64 }),
    },
  },
});
