import { csv, definePipeline, scd2, upsert } from '../../lib/define/index.ts';
import type { TestPipeline } from '../support/test-lake.ts';

/** People by number and country, as a history and as they are now, and prices in full extracts. */
export const STAFF: TestPipeline = {
  name: 'staff',
  definition: definePipeline({
    name: 'staff',
    sources: {
      people: csv({
        columns: { id: 'int', country: 'string', at: 'date', job: 'string', note: 'string', op: 'string' },
      }),
      prices: csv({ columns: { item: 'string', at: 'timestamp', price: 'decimal(10,2)' } }),
    },
    silver: {
      people: {
        from: 'people',
        mode: scd2({ key: ['id', 'country'], sequence: 'at', track: ['job'], deleteWhen: "op = 'D'", buckets: 8 }),
      },
      people_now: {
        from: 'people',
        mode: upsert({ key: ['id', 'country'], sequence: 'at', deleteWhen: "op = 'D'", buckets: 8 }),
      },
      prices: { from: 'prices', mode: scd2({ key: 'item', sequence: 'at', missing: 'delete' }) },
    },
    gold: { jobs: { sql: 'jobs.sql' } },
  }),
  sql: { 'jobs.sql': 'SELECT job, count(*) AS people FROM silver.people WHERE is_current GROUP BY job' },
};

export const PEOPLE = 'id,country,at,job,note,op\n';
