import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import { append, cron, csv, definePipeline } from '../../../lib/define/index.ts';
import { listBranches } from '../../../lib/query/branches/list-branches.ts';
import { planRun } from '../../../lib/query/plan-run.ts';
import { openTestLake, type TestLake } from '../../support/test-lake.ts';
import { at, openStaff, periods } from './staff.ts';

const decoder = new TextDecoder();
const exported = async (lake: TestLake, path: string): Promise<string | undefined> => {
  const key = `exports/staff/${path}`;
  return (await lake.store.head(key)) === undefined ? undefined : decoder.decode((await lake.store.read(key)).bytes);
};
const selected = async (lake: TestLake, request: Parameters<TestLake['run']>[0]) => {
  const { branch, selected: models, status } = await lake.run(request);
  return [status, branch?.name, branch?.period, branch?.attempt, models?.join(' ')];
};

const NOVEMBER = '2024-11-01T09:00:00Z';

describe('branches', () => {
  let lake: TestLake;
  before(async () => {
    lake = await openStaff();
  });
  after(() => lake.close());

  test('a run of a branch does its models and those of none, on the date of its period, and says so in the books', async () => {
    const plan = await planRun(at(lake, NOVEMBER).deps, 'staff', { branch: 'monthly' });
    assert.deepEqual(plan.selected?.models, ['silver.leave', 'gold.all', 'gold.taken']);
    const run = await selected(at(lake, NOVEMBER), { runId: 'a', branch: 'monthly' });
    assert.deepEqual(run, ['SUCCEEDED', 'monthly', '2024-11', 1, 'silver.leave gold.all gold.taken']);
    assert.deepEqual(await periods(lake), ['monthly 2024-11 SUCCEEDED a 1']);
    assert.deepEqual(await lake.rows('staff_gold.taken', 'SELECT emp, period, n FROM t ORDER BY emp'), [
      { emp: 1, period: '2024-11', n: 1 },
      { emp: 2, period: '2024-11', n: 1 },
    ]);
    assert.equal(await lake.metadata('staff_gold.ahead'), undefined);
    assert.deepEqual(await lake.rows('staff_ops.branches', 'SELECT finished_at::VARCHAR AS at FROM t'), [
      { at: '2024-11-01 09:00:00+00' },
    ]);
  });

  test('a period is done once, whoever asks for it', async () => {
    for (const request of [{ branch: 'monthly' }, { branch: 'monthly', period: '2024-11' }]) {
      const answer = await at(lake, '2024-11-30T09:00:00Z').answer({ runId: 'b', ...request });
      assert.equal(answer.kind, 'nothing');
      assert.deepEqual(answer.kind === 'nothing' && answer.branch, {
        name: 'monthly',
        period: '2024-11',
        why: 'done',
        run_id: 'a',
        finished_at: '2024-11-01T09:00:00.000Z',
      });
    }
    await assert.rejects(planRun(at(lake, NOVEMBER).deps, 'staff', { branch: 'monthly' }), /2024-11 is done/);
    assert.deepEqual(await periods(lake), ['monthly 2024-11 SUCCEEDED a 1']);
  });

  test('of two that start at once for a period one does it', async () => {
    const march = at(lake, '2024-03-05T09:00:00Z');
    const both = await Promise.all(
      ['x', 'y'].map((runId) => march.answer({ runId, branch: 'monthly', period: '2024-03' })),
    );
    assert.deepEqual(both.map(({ kind }) => kind === 'ended').sort(), [false, true]);
    assert.equal((await march.answer({ runId: 'z', branch: 'monthly', period: '2024-03' })).kind, 'nothing');
    const [first] = await periods(lake);
    assert.match(String(first), /^monthly 2024-03 SUCCEEDED [xy] 1$/);
  });

  test('a run of no branch leaves models and sources of branches to their runs', async () => {
    await lake.land('quota', 'a.csv', 'emp,days\n1,20\n');
    const nothing = await lake.answer({ runId: 'c' });
    assert.deepEqual(nothing.kind === 'nothing' && nothing.branches, ['daily', 'monthly', 'yearly']);
    await lake.land('leave', 'b.csv', 'emp,day\n3,2024-12-02\n');
    assert.deepEqual(await selected(lake, { runId: 'd' }), [
      'SUCCEEDED',
      undefined,
      undefined,
      undefined,
      'silver.leave gold.all',
    ]);
    assert.equal(await lake.metadata('staff_silver.quota'), undefined);
    assert.equal((await periods(lake)).length, 2);
  });

  test('all periods that were missed are caught up in one execution, the oldest first, each on its own date', async () => {
    await at(lake, '2024-11-04T09:00:00Z').run({ runId: 'e', branch: 'daily' });
    const said: unknown[] = [];
    const log = { info: (_text: string, facts?: unknown) => said.push(facts), warn: () => {} };
    const later = at(lake, '2024-11-07T06:59:00Z').reopen((deps) => ({ ...deps, log }));
    assert.deepEqual((await later.run({ runId: 'f', branch: 'daily' })).branch, {
      name: 'daily',
      period: '2024-11-06',
      attempt: 1,
    });
    assert.deepEqual((await periods(lake)).slice(0, 3), [
      'daily 2024-11-04 SUCCEEDED e 1',
      'daily 2024-11-05 SUCCEEDED daily-2024-11-05-252f10c83610 1',
      'daily 2024-11-06 SUCCEEDED f 1',
    ]);
    assert.deepEqual(await lake.rows('staff_gold.ahead'), [{ as_of: '2024-11-06', n: 1 }]);
    const dates = await lake.rows(
      'staff_ops.runs',
      "SELECT run_date::VARCHAR AS d FROM t WHERE run_id LIKE 'daily-%' OR run_id IN ('e', 'f') ORDER BY d",
    );
    assert.deepEqual(
      dates.map(({ d }) => d),
      ['2024-11-04', '2024-11-05', '2024-11-06'],
    );
    assert.deepEqual(said, [
      { name: 'daily', period: '2024-11-05', attempt: 1, run_id: 'daily-2024-11-05-252f10c83610' },
    ]);
  });

  test('where none is caught up a period that was missed waits for who asks for it', async () => {
    const summer = at(lake, '2024-07-01T00:00:00Z');
    const missed = await summer.answer({ runId: 'g', branch: 'yearly' });
    assert.deepEqual(missed.kind === 'nothing' && missed.branch, { name: 'yearly', period: '2024', why: 'missed' });
    assert.equal(await exported(lake, 'all.csv'), undefined);
    // A schedule that fired then has been waiting since.
    const fired = { branch: 'yearly', fired_at: '2024-01-01T07:00:00Z' };
    assert.deepEqual((await planRun(summer.deps, 'staff', fired)).selected?.models.includes('silver.quota'), true);
    const asked = await summer.run({ runId: 'g', branch: 'yearly', period: '2024' });
    assert.deepEqual(asked.branch, { name: 'yearly', period: '2024', attempt: 1 });
    assert.deepEqual(await lake.rows('staff_silver.quota', 'SELECT emp, days FROM t'), [{ emp: 1, days: 20 }]);
  });

  test('an export of a branch is written by its runs alone, also of a table that they did not change', async () => {
    assert.equal(await exported(lake, 'all.csv'), 'n\r\n5\r\n');
    const rows = await lake.rows('staff_ops.exports', "SELECT run_id FROM t WHERE target = 'all.csv'");
    assert.deepEqual(rows, [{ run_id: 'g' }]);
    assert.deepEqual(
      [await exported(lake, 'taken/2024-11/1.txt'), await exported(lake, 'taken/2024-11/2.txt')],
      ['1\n', '1\n'],
    );
  });

  test('models that are named are run, whatever their branch, and no period is done by that', async () => {
    const run = await selected(lake, { runId: 'h', select: ['gold.ahead'], run_date: '2024-12-01' });
    assert.deepEqual(run, ['SUCCEEDED', undefined, undefined, undefined, 'gold.ahead']);
    const all = await selected(lake, { runId: 'i', exclude: ['gold.all'], run_date: '2024-12-01' }).catch(String);
    assert.match(String(all), /nothing/);
    assert.equal((await periods(lake)).length, 6);
    const anew = await planRun(lake.deps, 'staff', { backfill: {} });
    assert.deepEqual(anew.selected?.models, ['silver.leave', 'silver.quota', 'gold.all']);
  });

  test('are listed with their next firing, their last period and what is due', async () => {
    const { deps } = at(lake, '2025-01-01T07:00:00Z');
    const listed = await listBranches(deps, [await deps.specs('staff')]);
    assert.deepEqual(
      listed.map(({ branch, next, last, due, given_up }) => [branch, next, last?.period, due.length, given_up]),
      [
        ['daily', '2025-01-02T07:00:00.000Z', '2024-11-06', 56, []],
        ['monthly', '2025-02-01T07:00:00.000Z', '2024-11', 1, []],
        ['yearly', '2026-01-01T07:00:00.000Z', '2024', 1, []],
      ],
    );
  });

  test('what a branch cannot be asked for is refused before anything is done', async () => {
    const wrong = [
      [{ branch: 'weekly' }, /no branch "weekly" in staff: expected one of daily, monthly, yearly/],
      [
        { branch: 'monthly', period: '2024-11-01' },
        /"2024-11-01" is no period of the branch monthly: expected YYYY-MM/,
      ],
      [
        { branch: 'monthly', period: '2025-03' },
        /2025-03 of the branch monthly has not begun: it does at 2025-03-01T07:00/,
      ],
      [{ branch: 'monthly', select: ['gold.taken'] }, /takes all of it, on the date of its period/],
      [{ branch: 'monthly', run_date: '2024-11-01' }, /takes all of it, on the date of its period/],
      [{ branch: 'monthly', backfill: {} }, /takes all of it, on the date of its period/],
      [{ period: '2024-11' }, /a period without its branch: got 2024-11/],
    ] as const;
    for (const [request, message] of wrong) {
      const answer = await at(lake, NOVEMBER).answer({ runId: 'j', ...request });
      assert.equal(answer.kind === 'ended' && answer.refused, true, JSON.stringify(request));
      assert.match(answer.kind === 'ended' ? String(answer.result.error?.message) : '', message);
    }
    await assert.rejects(planRun(lake.deps, 'staff', { branch: 'weekly' }), InvalidInput);
  });
});

test('the date of a period is the day of its firing where the schedule is, by which it is named, whatever day it is for the pipeline', async () => {
  const definition = definePipeline({
    name: 'night',
    schedules: { monthly: cron('0 0 1 * *', { zone: 'Europe/Berlin' }) },
    sources: { leave: csv({ columns: { emp: 'bigint' } }) },
    silver: { leave: { from: 'leave', mode: append() } },
    gold: { dated: { sql: 'dated.sql', branch: 'monthly' } },
  });
  const sql = { 'dated.sql': 'SELECT run_date() AS day, run_time()::VARCHAR AS at, count(*) AS n FROM silver.leave' };
  const lake = await openTestLake({ name: 'night', definition, sql });
  await lake.land('leave', 'a.csv', 'emp\n1\n');
  const run = await at(lake, '2024-10-05T09:00:00Z').run({ runId: 'a', branch: 'monthly' });
  assert.equal(run.branch?.period, '2024-10');
  assert.deepEqual(await lake.rows('night_gold.dated'), [{ day: '2024-10-01', at: '2024-09-30 22:00:00+00', n: 1 }]);
  lake.close();
});

const errorOf = (answer: Awaited<ReturnType<TestLake['answer']>>): string =>
  answer.kind === 'ended' ? (answer.result.error?.message ?? '') : answer.kind;

const OPEN_BREAKER = {
  ...{ code: 'TYPE_ERROR', rows: 101, limit: 100, window_ms: 3_600_000, run_id: 'x' },
  ...{ opened_at: '2024-12-31T08:00:00.000Z', examples: [], closed_at: null },
};

describe('a period that fails', () => {
  const NOTE = 'ops/staff/_branches/monthly/2024-11.json';
  let lake: TestLake;
  before(async () => {
    lake = await openStaff();
    await lake.land('leave', 'bad.csv', 'emp,day\n1,2024-10-09\n1,2024-10-10\n');
    const failed = await at(lake, NOVEMBER).run({ runId: 'a', branch: 'monthly' });
    assert.deepEqual([failed.status, failed.error?.name], ['FAILED', 'AuditFailed']);
    assert.deepEqual(await periods(lake), ['monthly 2024-11 FAILED a 1']);
    // By which the next run knows of it where the function that ends a run writes to no table.
    assert.ok((await lake.store.head(NOTE)) !== undefined);
  });
  after(() => lake.close());

  test('succeeds at the next attempt of its branch, in place of its row, and is done then', async () => {
    const mended = await lake.copy();
    await mended.store.remove('bronze/staff/leave/bad.csv');
    const again = await at(mended, '2024-11-02T09:00:00Z').run({ runId: 'b', branch: 'monthly' });
    assert.deepEqual([again.status, again.branch], ['SUCCEEDED', { name: 'monthly', period: '2024-11', attempt: 2 }]);
    assert.deepEqual(await periods(mended), ['monthly 2024-11 SUCCEEDED b 2']);
    assert.equal(await mended.store.head(NOTE), undefined);
    const done = await at(mended, '2024-11-03T09:00:00Z').answer({ runId: 'c', branch: 'monthly' });
    assert.equal(done.kind, 'nothing');
    mended.close();
  });

  test('again does not keep the next from its own', async () => {
    const answer = await at(lake, '2024-12-01T09:00:00Z').answer({ runId: 'b', branch: 'monthly' });
    assert.ok(answer.kind === 'ended');
    assert.deepEqual([answer.result.status, answer.result.branch?.period], ['SUCCEEDED', '2024-12']);
    const told = answer.before?.map(({ status, branch, error }) => [
      status,
      branch?.period,
      branch?.attempt,
      error?.name,
    ]);
    assert.deepEqual(told, [['FAILED', '2024-11', 2, 'AuditFailed']]);
    const [again = '', own] = await periods(lake);
    assert.match(again, /^monthly 2024-11 FAILED monthly-2024-11-[0-9a-f]{12} 2$/);
    assert.equal(own, 'monthly 2024-12 SUCCEEDED b 1');
  });

  test('as the pipeline is refused is tried again by the next run of its branch, and no attempt at it is lost', async () => {
    const refused = await openStaff();
    const december = (runId: string, instant: string) => at(refused, instant).answer({ runId, branch: 'monthly' });
    await refused.store.write('ops/staff/breaker.json', new TextEncoder().encode(JSON.stringify(OPEN_BREAKER)), {
      kind: 'any',
    });
    for (const runId of ['d', 'e', 'f', 'g']) {
      assert.match(errorOf(await december(runId, '2025-01-01T09:00:00Z')), /^the circuit breaker of staff is open/);
    }
    const { deps } = at(refused, '2025-02-01T06:00:00Z');
    const standing = await listBranches(deps, [await deps.specs('staff')]);
    const { last, due } = standing.find(({ branch }) => branch === 'monthly') ?? {};
    assert.deepEqual(
      [last, due],
      [
        { period: '2025-01', status: 'FAILED', run_id: 'g', attempts: 0, finished_at: '2025-01-01T09:00:00.000Z' },
        ['2025-01'],
      ],
    );
    // A look at what would be done is none that fails.
    const dry = await at(refused, '2025-02-01T09:00:00Z').answer({ runId: 'dry', branch: 'monthly', dryRun: true });
    assert.match(errorOf(dry), /^the circuit breaker of staff is open/);
    assert.equal(await refused.store.head(NOTE.replace('2024-11', '2025-02')), undefined);
    await refused.store.remove('ops/staff/breaker.json');
    const answer = await december('h', '2025-02-01T09:00:00Z');
    const done = answer.kind === 'ended' ? [...(answer.before ?? []), answer.result] : [];
    assert.deepEqual(
      done.map(({ branch }) => [branch?.period, branch?.attempt]),
      [
        ['2025-01', 1],
        ['2025-02', 1],
      ],
    );
    refused.close();
  });

  test('is tried again also where a passing fault has interrupted what ends its run', async () => {
    for (const at_write of [1, 2]) {
      const weak = await openStaff();
      await weak.land('leave', 'bad.csv', 'emp,day\n1,2024-10-09\n1,2024-10-10\n');
      let writes = 0;
      const failing = at(weak, NOVEMBER).reopen((deps) => ({
        ...deps,
        store: {
          ...deps.store,
          async write(key, bytes, condition) {
            if (key === NOTE && ++writes === at_write) throw new Unavailable('busy');
            return deps.store.write(key, bytes, condition);
          },
        },
      }));
      assert.equal((await failing.run({ runId: 'a', branch: 'monthly' })).status, 'FAILED');
      const { deps } = at(weak, '2024-12-01T09:00:00Z');
      const monthly = (await listBranches(deps, [await deps.specs('staff')])).find(
        ({ branch }) => branch === 'monthly',
      );
      assert.deepEqual([writes > at_write, monthly?.due], [at_write === 1, ['2024-11', '2024-12']]);
      weak.close();
    }
  });
});
