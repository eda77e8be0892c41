import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { type Followed, followBranches, type LoopDeps } from '../../../lib/cli/schedule/loop.ts';
import type { RunResult } from '../../../lib/core/run.ts';
import type { BranchStanding } from '../../../lib/query/branches/list-branches.ts';
import { openCliLake } from '../lake.ts';

/** Its yearly branch is due on any day; the other fired once, long ago. */
const lake = openCliLake(
  'shop',
  `{ name: 'shop',
     schedules: { yearly: define.cron('0 0 1 1 *'), once: define.cron('cron(0 0 1 1 ? 2020)', { catchup: 'none' }) },
     sources: { rows: csv({ columns: { id: 'int' } }) },
     silver: { rows: { from: 'rows', mode: append() } },
     gold: { n: { sql: 'n.sql', branch: 'yearly', expect: { few: 'n < 3' } } } }`,
  { 'n.sql': 'SELECT count(*) AS n FROM silver.rows' },
);
lake.add(
  'plain',
  `{ name: 'plain', sources: { rows: csv({ columns: { id: 'int' } }) }, silver: { rows: { from: 'rows' } } }`,
);
before(() => lake.land('shop', 'rows', 'a.csv', 'id\n1\n2\n3\n'));
after(() => lake.close());

const standing = async () => (await lake.json<readonly BranchStanding[]>(0, 'schedule', 'list'))[0];
const YEAR = String(new Date().getUTCFullYear());

test('schedules are listed with what is due, and what is due is run once, and tried again when it failed', async () => {
  const before = await standing();
  assert.deepEqual([before?.pipeline, before?.branch, before?.due, before?.last], ['shop', 'yearly', [YEAR], null]);
  assert.equal(before?.next, `${Number(YEAR) + 1}-01-01T00:00:00.000Z`);
  const failed = await lake.run('schedule', 'run', '--once');
  assert.equal(failed.code, 2, failed.stderr);
  assert.match(failed.stderr, /of shop failed, and published nothing/);
  const { stdout } = await lake.run('schedule', 'list', 'shop');
  assert.match(
    stdout,
    new RegExp(
      `│ shop +│ yearly +│ 0 0 1 1 \\* +│ UTC +│ ${Number(YEAR) + 1}-01-01T00:00Z │ ${YEAR} +│ FAILED +│ ${YEAR} │`,
    ),
  );
  assert.match(stdout, /│ shop +│ once +│ cron\(0 0 1 1 \? 2020\) │ UTC +│ - +│ - +│ - +│ - +│/);

  const again = await lake.json<{ runs: RunResult[] }>(2, 'schedule', 'run', 'shop', '--once');
  assert.deepEqual(
    again.runs.map(({ status, branch }) => [status, branch?.period, branch?.attempt]),
    [['FAILED', YEAR, 2]],
  );
  assert.deepEqual([(await standing())?.last?.attempts, (await standing())?.due], [2, [YEAR]]);
});

test('a run of a branch says what it was for, and one that has nothing to do why', async () => {
  const done = await lake.json<RunResult>(0, 'run', 'shop', '--branch', 'once', '--period', '2020');
  assert.deepEqual([done.status, done.branch], ['SUCCEEDED', { name: 'once', period: '2020', attempt: 1 }]);
  const text = await lake.run('run', 'shop', '--branch', 'once', '--period', '2020');
  assert.equal(text.code, 0);
  assert.match(
    text.stdout,
    /^nothing to do for shop: the period 2020 of its branch once was done by run .* and is done once; to compute/,
  );
  const none = await lake.run('run', 'shop');
  assert.match(
    none.stdout,
    /^nothing to do for the models of shop that are of no branch; those of yearly, once: .* shop --branch <name>/,
  );
  const document = await lake.json<{ status: string; branch: unknown }>(
    0,
    'run',
    'shop',
    '--branch',
    'once',
    '--period',
    '2020',
  );
  assert.equal(document.status, 'NOTHING_TO_DO');
  const wrong = await lake.run('run', 'shop', '--branch', 'weekly');
  assert.deepEqual([wrong.code, /no branch "weekly" in shop/.test(wrong.stderr)], [1, true]);
  const plan = await lake.json<{ selected: { models: string[] } }>(0, 'plan', 'shop', '--branch', 'yearly');
  assert.deepEqual(plan.selected.models, ['silver.rows', 'gold.n']);
});

test('periods of before are told of beside the one that is due, and one that failed again is no success', async () => {
  const day = (ago: number): string => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10);
  const expect = `expect: { fair: "d <> DATE '${day(2)}'" }`;
  lake.add(
    'days',
    `{ name: 'days', schedules: { daily: define.cron('0 0 * * *', { catchup: 'all' }) },
       sources: { rows: csv({ columns: { id: 'int' } }) }, silver: { rows: { from: 'rows', mode: append() } },
       gold: { day: { sql: 'day.sql', branch: 'daily', ${expect} } } }`,
    { 'day.sql': 'SELECT run_date() AS d, count(*) AS n FROM silver.rows' },
  );
  await lake.land('days', 'rows', 'a.csv', 'id\n1\n');
  assert.equal((await lake.run('run', 'days', '--branch', 'daily', '--period', day(2))).code, 2);
  const { code, stdout, stderr } = await lake.run('run', 'days', '--branch', 'daily');
  assert.equal(code, 2);
  assert.match(
    stdout,
    new RegExp(
      `^run daily-${day(1)}-\\w+, period ${day(1)} of daily, went before it\nrun .* of days, period ${day(0)} of daily, `,
    ),
  );
  assert.match(
    stderr,
    new RegExp(
      `run daily-${day(2)}-\\w+ of days, period ${day(2)} of daily, failed, and published nothing\nAuditFailed: `,
    ),
  );
  const last = await lake.run('run', 'days', '--branch', 'daily', '--json');
  assert.equal(last.code, 2, 'the failed one alone, for the third time');
  const nothing = await lake.run('schedule', 'run', 'days', '--once');
  assert.deepEqual([nothing.code, nothing.stdout], [0, 'no branch has anything to do now\n']);
  const [standing] = await lake.json<readonly BranchStanding[]>(0, 'schedule', 'list', 'days');
  assert.deepEqual([standing?.due, standing?.given_up], [[], [day(2)]]);
  assert.match((await lake.run('schedule', 'list', 'days')).stdout, new RegExp(`${day(2)} \\(given up: --period\\)`));
});

test('a pipeline without schedules has none to follow', async () => {
  const named = await lake.run('schedule', 'run', 'plain', '--once');
  assert.equal(named.code, 1);
  assert.match(named.stderr, /plain has no schedules/);
});

const branch = (name: string, cron: string): Followed => ({
  pipeline: 'hr',
  branch: { name, cron, zone: 'UTC', catchup: 'last' },
});

/** A clock that sleeping moves; it ends the loop at a time. Runs take so many minutes. */
function world(until: string, { due = [] as readonly Followed[], minutes = 0, codes = [0] as readonly number[] } = {}) {
  let now = Date.parse('2024-11-01T06:59:00Z');
  const [ran, slept]: [string[], number[]] = [[], []];
  const deps: LoopDeps = {
    now: () => new Date(now),
    async sleep(ms) {
      slept.push(ms);
      now += ms;
      if (now >= Date.parse(until)) throw new Error('told to end');
    },
    due: async () => due,
    async run(one) {
      ran.push(`${new Date(now).toISOString().slice(11, 16)} ${one.branch.name}`);
      now += minutes * 60_000;
      return codes[(ran.length - 1) % codes.length] ?? 0;
    },
  };
  return { deps, ran, slept };
}

const [DAILY, STRIKES, MONTHLY] = [
  branch('daily', '0 7 * * *'),
  branch('strikes', '0 8 * * *'),
  branch('monthly', '0 7 1 * *'),
];

describe('following schedules', () => {
  test('runs each branch when it fires, those that fire together in their order, until it is told to end', async () => {
    const { deps, ran, slept } = world('2024-11-02T07:30:00Z');
    await assert.rejects(followBranches([MONTHLY, DAILY, STRIKES], { once: false }, deps), /told to end/);
    assert.deepEqual(ran, ['07:00 monthly', '07:00 daily', '08:00 strikes', '07:00 daily']);
    assert.ok(Math.max(...slept) <= 60_000);
  });

  test('begins with what is due; what fires while a run works is not missed', async () => {
    const { deps, ran } = world('2024-11-01T09:30:00Z', { due: [STRIKES], minutes: 75 });
    await assert.rejects(followBranches([DAILY, STRIKES], { once: false }, deps), /told to end/);
    assert.deepEqual(ran, ['06:59 strikes', '08:14 daily', '09:29 strikes']);
  });

  test('once does what is due and no more, and answers the worst code', async () => {
    const { deps, ran, slept } = world('2024-11-01T09:30:00Z', { due: [DAILY, STRIKES, MONTHLY], codes: [0, 2, 0] });
    assert.equal(await followBranches([DAILY, STRIKES, MONTHLY], { once: true }, deps), 2);
    assert.deepEqual([ran.length, slept], [3, []]);
  });

  test('ends where nothing fires any more', async () => {
    const { deps, ran } = world('2024-11-03T00:00:00Z', { codes: [2, 0] });
    assert.equal(await followBranches([branch('ending', 'cron(0 7 1 11 ? 2024)')], { once: false }, deps), 2);
    assert.deepEqual(ran, ['07:00 ending']);
  });
});
