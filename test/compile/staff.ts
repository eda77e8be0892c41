import { append, csv, definePipeline, scd2, upsert } from '../../lib/define/index.ts';
import { type Given, replaced } from './shop.ts';

/** A small pipeline of keyed tables without a mistake, for tests to break in one place. */
export const STAFF = definePipeline({
  name: 'staff',
  breaker: { rows: 10, window: '30m' },
  retention: { condemned: '90d' },
  sources: {
    jobs: csv({
      key: ['emp_id', 'start'],
      columns: {
        emp_id: 'bigint',
        title: 'string',
        start_date: { type: 'date', as: 'start' },
        end_date: 'date',
        salary: 'int',
        op: 'string',
        tags: 'list<string>',
        active: 'boolean',
        raw: 'binary',
      },
    }),
    people: csv({ columns: { emp_id: 'bigint', office: 'string', seen_at: 'timestamp' } }),
    badges: csv({ columns: { emp_id: 'bigint', badge: 'string' } }),
  },
  silver: {
    jobs: {
      from: 'jobs',
      mode: scd2({
        key: 'emp_id',
        sequence: 'start',
        validTo: 'end_date',
        tieBreak: 'salary desc, title nulls last',
        deleteWhen: "op = 'D'",
      }),
    },
    desks: { from: 'people', mode: upsert({ key: ['emp_id', 'office'], sequence: 'seen_at' }) },
    badges: {
      from: 'badges',
      mode: append({ dedupe: { key: 'badge' }, onDuplicate: 'condemn' }),
      metadata: ['row_hash', 'source_file', 'attempt', 'ingested_at', 'run_id'],
    },
  },
  gold: { staff: { sql: 'gold/staff.sql' } },
});

export const STAFF_SQL: Readonly<Record<string, string>> = {
  'gold/staff.sql': 'select title, count(*) as people from silver.jobs where is_current group by title',
};

/** A copy of the staff pipeline with the value at a path replaced; `undefined` removes it. */
export function staffWith(path: readonly string[], value: unknown, sql: Readonly<Record<string, string>> = {}): Given {
  return { definition: replaced(STAFF, path, value), sql: { ...STAFF_SQL, ...sql }, folder: 'staff' };
}
