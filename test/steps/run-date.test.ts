import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { InvalidInput } from '../../lib/core/errors.ts';
import { append, csv, definePipeline, identity, query } from '../../lib/define/index.ts';
import { checkTables } from '../../lib/query/check-tables.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { traceRows } from '../../lib/query/trace.ts';
import { Crash } from '../ports/faults.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const definition = definePipeline({
  name: 'staff',
  timezone: 'Europe/Berlin',
  sources: { leave: csv({ columns: { emp: 'bigint', region: 'string', day: 'date' } }) },
  silver: {
    leave: {
      from: 'leave',
      sql: 'leave.sql',
      mode: append(),
      expect: { no_past: { condition: 'day >= run_date() - INTERVAL 1 YEAR', policy: 'drop', code: 'TOO_OLD' } },
    },
  },
  gold: {
    ahead: { sql: 'ahead.sql', expect: { today: query('SELECT * FROM this WHERE as_of <> run_date()') } },
    flagged: { sql: 'flagged.sql' },
    monthly: { sql: 'monthly.sql' },
    by_region: { sql: 'region.sql', partitionBy: [identity('region')], refresh: 'touched' },
  },
});
const sql = {
  'leave.sql': 'SELECT *, run_date() AS taken_on FROM batch.leave',
  'ahead.sql': `SELECT emp, count(*) AS days, run_date() AS as_of FROM silver.leave WHERE day > run_date() GROUP BY emp`,
  'flagged.sql': 'SELECT emp FROM gold.ahead WHERE days > 1',
  'monthly.sql': "SELECT CAST(date_trunc('month', run_date()) AS DATE) AS period, count(*) AS n FROM silver.leave",
  'region.sql': 'SELECT region, count(*) AS n, max(run_date()) AS as_of FROM silver.leave GROUP BY region',
};

const opened: TestLake[] = [];
after(() => {
  for (const lake of opened) lake.close();
});

/** The lake on another day: its clock stands still there. */
function on(lake: TestLake, instant: string): TestLake {
  const found = lake.reopen((deps) => ({ ...deps, clock: { now: () => new Date(instant) } }));
  return found;
}

const JANUARY = '2026-01-30T22:59:00Z';
const LEAVE = 'emp,region,day\n1,n,2026-01-31\n1,n,2026-02-01\n2,s,2026-01-31\n3,s,2024-12-31\n';

async function openStaff(): Promise<TestLake> {
  const lake = await openTestLake({ name: 'staff', definition, sql });
  opened.push(lake);
  await lake.land('leave', 'a.csv', LEAVE);
  return lake;
}

const ahead = (lake: TestLake) => lake.rows('staff_gold.ahead', 'SELECT emp, days, as_of FROM t ORDER BY ALL');
const FIRST = [
  { emp: 1, days: 2, as_of: '2026-01-30' },
  { emp: 2, days: 1, as_of: '2026-01-30' },
];

describe('the run date', () => {
  test("is the day in the pipeline's zone, and makes models due on another of their grain, and what reads them", async () => {
    const lake = await openStaff();
    const first = await on(lake, JANUARY).run({ runId: 'a' });
    assert.deepEqual([first.status, first.accounting['leave']?.quarantined], ['SUCCEEDED', 1]);
    assert.deepEqual(await ahead(lake), FIRST);
    assert.deepEqual(await lake.rows('staff_silver.leave', 'SELECT DISTINCT taken_on FROM t'), [
      { taken_on: '2026-01-30' },
    ]);
    assert.deepEqual(await lake.rows('staff_gold.monthly'), [{ period: '2026-01-01', n: 3 }]);
    assert.deepEqual(await lake.rows('staff_ops.runs', 'SELECT run_id, run_date FROM t'), [
      { run_id: 'a', run_date: '2026-01-30' },
    ]);
    const statusOn = async (instant: string) =>
      (await checkTables(on(lake, instant).deps, 'staff', { select: ['ahead'] })).map(({ status }) => status);
    assert.deepEqual([await statusOn(JANUARY), await statusOn('2026-01-31T12:00:00Z')], [['holds'], ['fails']]);

    assert.equal((await on(lake, JANUARY).answer()).kind, 'nothing');
    // One minute later it is another day in Berlin.
    const next = on(lake, '2026-01-30T23:00:00Z');
    const { levels } = await planRun(next.deps, 'staff');
    assert.deepEqual(
      levels.flatMap(({ tables }) => tables.map(({ table, reason }) => `${table}: ${reason}`)),
      [
        'staff_gold.ahead: due: run date 2026-01-31, last 2026-01-30',
        'staff_gold.by_region: due: run date 2026-01-31, last 2026-01-30',
        'staff_gold.flagged: this run writes gold.ahead',
      ],
    );
    const { tables } = await next.run({ runId: 'b' });
    assert.deepEqual(Object.keys(tables).sort(), ['staff_gold.ahead', 'staff_gold.by_region', 'staff_gold.flagged']);
    assert.deepEqual(await ahead(lake), [{ emp: 1, days: 1, as_of: '2026-01-31' }]);
    assert.deepEqual(await lake.rows('staff_gold.flagged'), []);
    assert.equal((await next.answer()).kind, 'nothing');
    // A line makes the row that it made on the day on which it was taken.
    const traced = await traceRows(next.deps, { table: 'staff_silver.leave', where: 'emp = 2', limit: 9 });
    assert.deepEqual(
      traced.rows.flatMap(({ origins }) => origins.flatMap(({ lines }) => lines)),
      [4],
    );
    const february = on(lake, '2026-02-01T12:00:00Z');
    assert.ok(Object.keys((await february.run()).tables).includes('staff_gold.monthly'));
    assert.deepEqual(await ahead(lake), []);
    assert.deepEqual(await lake.rows('staff_gold.monthly'), [{ period: '2026-02-01', n: 3 }]);
  });

  test('may be given, and the same day gives the same rows', async () => {
    const lake = await openStaff();
    const first = await on(lake, '2026-02-05T10:00:00Z').run();
    assert.deepEqual([first.tables['staff_gold.by_region']?.rows_added, await ahead(lake)], [2, []]);
    // On the same day only the partition that is touched.
    await lake.land('leave', 'b.csv', 'emp,region,day\n3,n,2025-12-31\n');
    const same = await on(lake, '2026-02-05T11:00:00Z').run();
    assert.deepEqual(same.tables['staff_gold.by_region']?.rows_added, 1);
    const { tables } = await on(lake, '2026-02-05T10:00:00Z').run({ run_date: '2026-01-30', runId: 'then' });
    assert.ok(Object.keys(tables).includes('staff_gold.monthly'), Object.keys(tables).join());
    assert.deepEqual(await ahead(lake), FIRST);
    assert.deepEqual(await lake.rows('staff_gold.by_region'), [
      { region: 'n', n: 3, as_of: '2026-01-30' },
      { region: 's', n: 1, as_of: '2026-01-30' },
    ]);
    const [row] = await lake.rows('staff_ops.runs', "SELECT run_date FROM t WHERE run_id = 'then'");
    assert.deepEqual(row, { run_date: '2026-01-30' });
    assert.equal((await on(lake, '2026-02-06T10:00:00Z').answer({ run_date: '2026-01-30' })).kind, 'nothing');
    // Without it a run is of its own day again.
    await on(lake, '2026-02-06T10:00:00Z').run();
    assert.deepEqual(await ahead(lake), []);
  });

  test('is that of the plan when a run that died yesterday is gone on with', async () => {
    const lake = await openStaff();
    let dead = false;
    const alive = async <T>(effect: () => Promise<T>): Promise<T> => {
      if (dead) throw new Crash('the process ended');
      return effect();
    };
    const dying = on(lake, JANUARY).reopen((deps) => ({
      ...deps,
      store: {
        ...deps.store,
        async write(key, bytes, condition) {
          dead ||= key.endsWith('level-1/plan.json');
          return alive(() => deps.store.write(key, bytes, condition));
        },
        publish: (path, key) => alive(() => deps.store.publish(path, key)),
        remove: (key) => alive(() => deps.store.remove(key)),
      },
    }));
    await dying.answer({ runId: 'a' });
    const after = on(lake, '2026-02-01T12:00:00Z').reopen((deps) => ({
      ...deps,
      isGone: () => true,
      settings: { ...deps.settings, holder: () => 'other' },
    }));
    assert.equal((await after.run({ runId: 'a', run_date: '2026-02-02' })).status, 'SUCCEEDED');
    assert.deepEqual(await ahead(lake), FIRST);
    assert.deepEqual(await lake.rows('staff_gold.monthly'), [{ period: '2026-01-01', n: 3 }]);
  });

  test('what is no day is refused before anything is done', async () => {
    const lake = await openStaff();
    const expected = /run date: got "2026-02-30"; expected a day that there is, as YYYY-MM-DD/;
    await assert.rejects(
      planRun(lake.deps, 'staff', { run_date: '2026-02-30' }),
      (error) => error instanceof InvalidInput && expected.test(error.message),
    );
    const answer = await lake.answer({ run_date: '2026-02-30' });
    assert.ok(answer.kind === 'ended' && answer.refused === true, JSON.stringify(answer));
  });
});
