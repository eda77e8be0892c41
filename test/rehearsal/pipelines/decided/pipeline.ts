import { append, csv, definePipeline } from '@strata-lake/strata';

/** Of the rehearsal alone: somebody decides about its runs, and its gold table has two texts. */
export default definePipeline({
  name: 'decided',
  promote: { gate: 'manual' },
  sources: { sales: csv({ columns: { shop: { type: 'string', required: true }, amount: 'bigint' } }) },
  silver: { sales: { from: 'sales', mode: append() } },
  gold: { totals: { sql: { current: 'gold/totals.sql', candidate: 'gold/totals_v2.sql' } } },
});
