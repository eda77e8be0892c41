import { append, csv, definePipeline } from '@strata-lake/strata';

/** Many files, or keys of which one has a fifth of the rows, to silver and to a figure for each key. */
export default definePipeline({
  name: 'clicks',
  sources: {
    clicks: csv({
      columns: {
        id: { type: 'bigint', required: true },
        account: { type: 'int', required: true },
        clicked: { type: 'timestamp', required: true },
        page: 'string',
        cents: { type: 'int', min: 0 },
      },
    }),
  },
  silver: { clicks: { from: 'clicks', mode: append() } },
  gold: { accounts: { sql: 'accounts.sql' } },
});
