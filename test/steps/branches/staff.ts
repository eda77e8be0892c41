import { append, cron, csv, definePipeline } from '../../../lib/define/index.ts';
import { openTestLake, type TestLake } from '../../support/test-lake.ts';

const definition = definePipeline({
  name: 'staff',
  schedules: {
    daily: cron('0 7 * * *', { catchup: 'all' }),
    monthly: cron('0 7 1 * *'),
    yearly: cron('cron(0 7 1 1 ? *)', { catchup: 'none' }),
  },
  sources: {
    leave: csv({ columns: { emp: 'bigint', day: 'date' } }),
    quota: csv({ branch: 'yearly', columns: { emp: 'bigint', days: 'int' } }),
  },
  silver: {
    leave: { from: 'leave', mode: append() },
    quota: { from: 'quota' },
  },
  gold: {
    all: { sql: 'all.sql', export: { csv: { to: 'all.csv' }, branch: 'yearly' } },
    ahead: { sql: 'ahead.sql', branch: 'daily' },
    taken: {
      sql: 'taken.sql',
      branch: 'monthly',
      expect: { of_few: 'n < 3' },
      export: { files: { name: 'taken/{period}/{emp}.txt', text: '{n}\n', period: 'period' } },
    },
  },
});

const sql = {
  'all.sql': 'SELECT count(*) AS n FROM silver.leave',
  'ahead.sql': 'SELECT run_date() AS as_of, count(*) AS n FROM silver.leave WHERE day > run_date()',
  'taken.sql': `SELECT emp, strftime(run_date(), '%Y-%m') AS period, count(*) AS n FROM silver.leave
    WHERE day < run_date() AND day >= run_date() - INTERVAL 1 MONTH GROUP BY emp`,
};

export const LEAVE = 'emp,day\n1,2024-09-02\n1,2024-10-07\n2,2024-10-08\n2,2024-11-04\n';

/** A pipeline with three branches, and models of none; leave has landed. */
export async function openStaff(): Promise<TestLake> {
  const lake = await openTestLake({ name: 'staff', definition, sql });
  await lake.land('leave', 'a.csv', LEAVE);
  return lake;
}

/** The lake at another time: its clock stands still there. */
export function at(lake: TestLake, instant: string): TestLake {
  return lake.reopen((deps) => ({ ...deps, clock: { now: () => new Date(instant) } }));
}

/** `monthly 2024-11 SUCCEEDED a 1`: what the table of branches says. */
export async function periods(lake: TestLake): Promise<readonly string[]> {
  const rows = await lake.rows(
    'staff_ops.branches',
    'SELECT branch, period, status, run_id, attempts FROM t ORDER BY branch, period, attempts',
  );
  return rows.map((row) => Object.values(row).join(' '));
}
