import { append, bucket, csv, definePipeline, identity } from '@strata-lake/strata';

/** Wider types, a column more, and another partitioning. */
export default definePipeline({
  name: 'evolving',
  sources: {
    readings: csv({
      columns: {
        id: 'bigint',
        class: 'bigint',
        score: 'double',
        price: 'decimal(18,2)',
        name: 'string',
        note: 'string',
      },
      drift: 'ignore',
    }),
  },
  silver: { readings: { from: 'readings', mode: append(), partitionBy: [identity('class'), bucket(2, 'name')] } },
});
