import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPostgresSink } from '../../../lib/adapters/postgres/sink.ts';
import { generateHr, parseHrOptions } from '../../../lib/generate/hr.ts';
import { openPipelineLake } from '../../pipelines/runs.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { createTestEngine, makeScratch } from '../../support/test-engine.ts';
import { useDatabase } from './databases.ts';

const database = useDatabase();

/** By the names in PostgreSQL: the table of the lake, and what rows of both are compared by. */
const TABLES = {
  employees: ['hr_silver.employee_data', 'emp_id, name, age'],
  employee_history: ['hr_gold.employee_timeframe', 'emp_id, start_date, end_date, designation, salary, status'],
  leave_quota: ['hr_silver.leave_quota', 'emp_id, year, leave_quota'],
  leave_calendar: ['hr_silver.leave_calendar', 'date, reason'],
  leave_data: ['hr_gold.leave', 'emp_id, date, status, applied, cancelled'],
  count_by_designation: ['hr_gold.active_by_designation', 'designation, no_of_active_emp'],
  eight_percent: ['hr_gold.eight_percent', 'emp_id, upcoming_leaves, working_days, leave_percent, as_of'],
  eighty_percent: ['hr_gold.eighty_percent', 'emp_id, leaves_taken, leave_quota, leave_percent, period'],
  flagged_messages: ['hr_gold.flagged_messages', 'sender, receiver, message, date, strike_no'],
  strike_salary: ['hr_gold.strike_salary', 'emp_id, base_salary, strikes, current_salary, status, as_of'],
} as const;

test('hr serves its ten tables where the name of the secret is set, as the lake has them', async () => {
  process.env['HR_POSTGRES'] = 'set';
  const { default: pipeline } = await import('../../../pipelines/hr/pipeline.ts');
  const out = temporaryFolder('hr-served');
  await using session = await createTestEngine().open({ memoryBytes: 1e9, threads: 2, scratch: makeScratch() });
  await generateHr(parseHrOptions({ out, employees: 30, messages: 600 }), session);
  const landed = readdirSync(out).flatMap((source) =>
    readdirSync(join(out, source), { recursive: true, encoding: 'utf8' })
      .filter((file) => /\.(csv|json|jsonl)$/.test(file))
      .map((file) => ({ source, file, text: readFileSync(join(out, source, file), 'utf8') })),
  );
  const opened = await openPipelineLake(pipeline);
  const place = { ...database.place, secret: 'HR_POSTGRES' };
  const lake = opened.reopen((deps) => ({ ...deps, sink: () => createPostgresSink(place) }));
  try {
    for (const { source, file, text } of landed) await lake.land(source, file, text);
    // One who is away until the end of the year, and has been since October, is in both reports.
    const timeframes = landed.find(({ source }) => source === 'employee_timeframe')?.text.split('\n') ?? [];
    const someone = timeframes.map((line) => line.split(',')).find(([, , , end]) => end === '')?.[0];
    const away = Array.from({ length: 92 }, (_, day) =>
      new Date(Date.UTC(2024, 9, 1 + day)).toISOString().slice(0, 10),
    );
    const events = away.map((date) => `${someone},${date},ACTIVE\n`).join('');
    await lake.land('employee_leave_data', 'away.csv', `emp_id,date,status\n${events}`);
    const { status, serve } = await lake.run({ select: ['*'], run_date: '2024-12-18' });
    assert.deepEqual([status, serve?.error, serve?.tables.length], ['SUCCEEDED', null, 10]);
    for (const [name, [from, columns]] of Object.entries(TABLES)) {
      const texts = columns
        .split(', ')
        .map((column) => `CAST("${column}" AS VARCHAR)`)
        .join(', ');
      const sorted = (rows: readonly object[]): readonly string[] =>
        rows.map((row) => Object.values(row).join('|')).sort();
      const ours = sorted(await lake.rows(from, `SELECT ${texts} FROM t`));
      assert.ok(ours.length > 0, `${name} has no rows`);
      assert.deepEqual(sorted(await database.query(`SELECT ${texts} FROM hr.${name}`)), ours, name);
    }
  } finally {
    opened.close();
    delete process.env['HR_POSTGRES'];
  }
});
