import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
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

  const again = await lake.run('schedule', 'run', 'shop', '--once');
  assert.equal(again.code, 2, again.stderr);
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

test('a pipeline without schedules has none to follow', async () => {
  const named = await lake.run('schedule', 'run', 'plain', '--once');
  assert.equal(named.code, 1);
  assert.match(named.stderr, /plain has no schedules/);
});
