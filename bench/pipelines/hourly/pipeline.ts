import { append, csv, definePipeline } from '@strata-lake/strata';

export default definePipeline({
  name: 'hourly',
  sources: { readings: csv({ columns: { id: 'bigint', at: 'timestamp', value: 'double' } }) },
  silver: { readings: { from: 'readings', mode: append() } },
  gold: { totals: { sql: 'totals.sql' } },
});
