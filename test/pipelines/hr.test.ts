import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import pipeline from '../../pipelines/hr/pipeline.ts';
import { type Lake, openLake } from './lake.ts';

/** What the merge makes of the records, written a second time: one record per start, ended by its successor. */
const HISTORY = `
WITH records AS (
  SELECT DISTINCT ON (emp_id, start_date) * FROM batch.employee_timeframe
  ORDER BY emp_id, start_date, salary DESC, end_date NULLS FIRST
)
SELECT *, start_date AS valid_from,
  least(end_date, lead(start_date) OVER (PARTITION BY emp_id ORDER BY start_date)) AS valid_to,
  valid_to IS NULL AS is_current
FROM records`;

const NO_MESSAGES = `SELECT '' AS topic, 0 AS partition, 0 AS "offset", '' AS sender, TIMESTAMP '2020-01-01' AS sent_at, true AS flagged WHERE false`;
/** What counts the active people is made of. */
const ACTIVE = ['employee_timeframe', 'staff', 'strikes', 'strike_salary', 'employee_status', 'active_by_designation'];

async function withFiles(files: string, check: (lake: Lake) => Promise<void>): Promise<void> {
  const lake = await openLake(pipeline);
  try {
    await lake.load('employee_timeframe', files);
    await lake.stand('employee_timeframe', HISTORY);
    await lake.stand('employee_data', 'SELECT emp_id FROM silver.employee_timeframe WHERE false');
    await lake.stand('messages', NO_MESSAGES);
    for (const table of ACTIVE) await lake.build('gold', table);
    await check(lake);
  } finally {
    await lake.session[Symbol.asyncDispose]();
  }
}

async function withRecords(records: readonly string[], check: (lake: Lake) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-hr-'));
  try {
    const header = 'emp_id,designation,start_date,end_date,salary';
    await writeFile(join(folder, 'records.csv'), [header, ...records, ''].join('\n'));
    await withFiles(join(folder, '*.csv'), check);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const DAY = 86_400;
const RECORDS = [
  `1,Engineer,${10 * DAY},${20 * DAY},100`,
  `1,Engineer,${20 * DAY},,100`,
  // Its successor, with one that is paid less.
  `1,Senior Engineer,${30 * DAY},,200`,
  `1,Engineer,${30 * DAY},,150`,
  `2,,${5 * DAY},,50`,
  `3,Engineer,${5 * DAY},${6 * DAY},50`,
  `4,Engineer,${-DAY},,50`,
];

test('a successor ends the open record, and the last one is active', async () => {
  await withRecords(RECORDS, async (lake) => {
    assert.deepEqual(await lake.rows('FROM gold.employee_timeframe WHERE emp_id IN (1, 4)'), [
      row(1, 'Engineer', '1970-01-11', '1970-01-21', 100, 'INACTIVE'),
      row(1, 'Engineer', '1970-01-21', '1970-01-31', 100, 'INACTIVE'),
      row(1, 'Senior Engineer', '1970-01-31', null, 200, 'ACTIVE'),
      row(4, 'Engineer', '1969-12-31', null, 50, 'ACTIVE'),
    ]);
  });
});

function row(emp_id: number, designation: string, start: string, end: string | null, salary: number, status: string) {
  return { emp_id, designation, start_date: start, end_date: end, salary, status };
}

test('active people are counted by designation, those without one as UNKNOWN', async () => {
  await withRecords(RECORDS, async (lake) => {
    assert.deepEqual(await lake.rows('FROM gold.active_by_designation'), [
      { designation: 'Engineer', no_of_active_emp: 1 },
      { designation: 'Senior Engineer', no_of_active_emp: 1 },
      { designation: 'UNKNOWN', no_of_active_emp: 1 },
    ]);
  });
});

const REAL = fileURLToPath(new URL('../../../shared/data/hr', import.meta.url));
const real = existsSync(REAL) ? {} : { skip: 'the real employee files are not on this machine' };

test('the real files give the published figures', real, async () => {
  await withFiles(join(REAL, 'employee_timeframe_data*.csv'), async (lake) => {
    const [counts] = await lake.rows(`SELECT count(*) AS records, count(DISTINCT emp_id) AS people,
      count(*) FILTER (status = 'ACTIVE') AS active FROM gold.employee_timeframe`);
    assert.deepEqual(counts, { records: 47_599, people: 4_999, active: 4_106 });
    const [closed] = await lake.rows(
      'SELECT count(*) AS n FROM silver.employee_timeframe WHERE end_date IS NULL AND valid_to IS NOT NULL',
    );
    assert.deepEqual(closed, { n: 4_113 });
    const [broken] = await lake.rows(`SELECT count(*) AS n FROM (
      SELECT valid_to, lead(valid_from) OVER (PARTITION BY emp_id ORDER BY valid_from) AS next FROM silver.employee_timeframe
    ) WHERE next IS NOT NULL AND valid_to IS DISTINCT FROM next`);
    assert.deepEqual(broken, { n: 0 }, 'every history is continuous');
    const [sum] = await lake.rows('SELECT sum(no_of_active_emp)::INT AS n FROM gold.active_by_designation');
    assert.deepEqual(sum, { n: 4_106 });
  });
});
