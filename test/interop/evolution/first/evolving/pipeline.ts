import { append, csv, definePipeline, identity } from '@strata-lake/strata';

/** The table before its columns grow; `class` is a partition column that grows too. */
export default definePipeline({
  name: 'evolving',
  sources: {
    readings: csv({
      columns: { id: 'int', class: 'int', score: 'float', price: 'decimal(9,2)', name: 'string' },
    }),
  },
  silver: { readings: { from: 'readings', mode: append(), partitionBy: [identity('class')] } },
});
