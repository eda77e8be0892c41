import { definePipeline, parquet, scd2 } from '@strata-lake/strata';

/** The same history, its keys in buckets. */
export default definePipeline({
  name: 'people_in_buckets',
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
  silver: { history: { from: 'events', mode: scd2({ key: 'id', sequence: 'since', clusterBy: 'hash' }) } },
});
