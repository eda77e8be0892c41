import assert from 'node:assert/strict';
import { test } from 'node:test';
import { InvalidInput, LockHeld } from '../../lib/core/errors.ts';
import { append, csv, definePipeline, scd2 } from '../../lib/define/index.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import type { Catalog } from '../../lib/ports.ts';
import { listRuns } from '../../lib/query/list-runs.ts';
import { recordedRuns } from '../../lib/query/recorded-runs.ts';
import { showRun } from '../../lib/query/runs/show-run.ts';
import { runFacts } from '../../lib/query/status/status-facts.ts';
import { byEnd, incidentsOf } from '../../lib/report/incidents.ts';
import { runFail } from '../../lib/steps/end/fail.ts';
import { runOpen } from '../../lib/steps/open/open.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const PIPELINE = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: {
      orders: csv({ columns: { id: 'bigint', amount: { type: 'decimal(10,2)', min: '0' } } }),
      people: csv({ columns: { id: 'bigint', at: 'int', name: 'string' }, key: ['id'] }),
    },
    silver: {
      orders: { from: 'orders', mode: append({ dedupe: 'row' }) },
      people: { from: 'people', mode: scd2({ key: 'id', sequence: 'at', missing: 'delete' }) },
    },
    gold: { total: { sql: 'total.sql' } },
  }),
  sql: { 'total.sql': 'SELECT sum(amount) AS amount FROM silver.orders' },
};

const START = Date.parse('2026-01-01T00:00:00Z');

async function withLake(use: (lake: TestLake) => Promise<void>): Promise<void> {
  const lake = await openTestLake(PIPELINE);
  try {
    await lake.land('orders', 'a.csv', 'id,amount\n1,1.00\n2,-1.00\n');
    await lake.land('people', 'a.csv', 'id,at,name\n1,10,a\n2,10,b\n');
    await use(lake);
  } finally {
    lake.close();
  }
}

/** The lock belongs to the run, and nobody can tell whether its functions still live. */
function asOnAws(deps: StepDeps, now: () => number): StepDeps {
  const settings = {
    ...deps.settings,
    holder: (runId: string) => `run:${runId}`,
    leaseMs: 600_000,
    clocksAgree: true as const,
    billedBy: 'aws' as const,
  };
  return { ...deps, isGone: () => false, clock: { now: () => new Date(now()) }, settings };
}

const asked = (run_id: string) => ({ pipeline: 'shop', run_id, dry_run: false });

async function lockOf(lake: TestLake): Promise<unknown> {
  if ((await lake.store.head('ops/shop/lock.json')) === undefined) return undefined;
  return JSON.parse(new TextDecoder().decode((await lake.store.read('ops/shop/lock.json')).bytes));
}

test('the lock belongs to the run: its own executions pass, others wait for the lease, a resumed run takes it over', async () => {
  await withLake(async (lake) => {
    let now = START;
    const deps = asOnAws(lake.deps, () => now);
    await runOpen(asked('a'), deps);
    const lease = { lease_ms: 600_000, beat: 0 };
    const lock = { epoch: 1, run_id: 'a', holder: 'run:a', expires_at: '2026-01-01T00:10:00.000Z', ...lease };
    assert.deepEqual(await lockOf(lake), lock);
    await assert.rejects(runOpen(asked('b'), deps), LockHeld);
    const again = await runOpen(asked('a'), deps);
    assert.deepEqual([again.status, again.run.epoch], ['planned', 2], 'an execution of the same run goes on');
    now += 601_000;
    const resumed = await runOpen(asked('b'), deps);
    assert.deepEqual([resumed.run.run_id, resumed.request.run_id], ['a', 'b']);
    assert.deepEqual(await lockOf(lake), { ...lock, epoch: 3, expires_at: '2026-01-01T00:20:01.000Z' });
    await assert.rejects(runOpen(asked('c'), deps), LockHeld);
  });
});

test('Fail gives back the lock of the run that failed, and says whether the one that was asked for may go on', async () => {
  const error = { Error: 'AuditFailed', Cause: 'x' };
  await withLake(async (lake) => {
    const deps = { ...asOnAws(lake.deps, () => START), recordFailed: async () => {} };
    const { run } = await runOpen(asked('a'), deps);
    const state = { request: asked('b'), run, error };
    assert.deepEqual(await runFail({ state, execution: {} }, deps), {
      run_id: 'a',
      redrives: 0,
      undone: true,
      go_on: true,
    });
    assert.deepEqual(await lockOf(lake), { epoch: 1, released: true });
    await runOpen(asked('b'), deps);
    const own = { request: asked('b'), run: { ...asked('b') }, error };
    const failed = await runFail({ state: own, execution: { RedriveCount: 2 } }, deps);
    assert.deepEqual(
      failed,
      { run_id: 'b', redrives: 2, undone: true },
      'as an execution of an earlier release has it',
    );
    assert.deepEqual(await lockOf(lake), { epoch: 2, released: true });
    await runOpen(asked('c'), deps);
    const early = { state: { ...asked('c'), error }, execution: {} };
    await runFail({ ...early, state: { ...early.state, error: { Error: 'LockHeld', Cause: 'by c' } } }, deps);
    assert.equal(
      ((await lockOf(lake)) as { run_id?: string }).run_id,
      'c',
      'who did not get the lock does not give it back',
    );
    await runFail(early, deps);
    assert.deepEqual(await lockOf(lake), { epoch: 3, released: true });
    // Nobody could enter the two that failed into the table of runs; the next one that publishes does.
    const failedRuns = async (): Promise<readonly unknown[]> =>
      (await listRuns(lake.deps, 'shop')).map(({ run_id, status, cost_usd, cost_rate }) => [
        ...[run_id, status, Number(cost_usd) > 0, String(cost_rate).replace(/of \d.*\d,/, 'of a day,')],
      ]);
    assert.deepEqual(await failedRuns(), []);
    assert.equal((await lake.answer({ runId: 'd' })).kind, 'nothing');
    const rate = 'prices of us-east-1 of a day, of its models alone';
    assert.deepEqual(await failedRuns(), [
      ['c', 'SUCCEEDED', true, '2.5 USD an hour'],
      ['b', 'FAILED', false, rate],
      ['a', 'FAILED', false, rate],
    ]);
    const entered = (await lake.rows('shop_ops.runs')).map(({ run_id, error }) => `${run_id} ${error}`);
    assert.deepEqual(entered.sort(), ['a AuditFailed: x', 'b AuditFailed: x', 'c null']);
  });
});

/** Which states used the catalog, and how; two runs, so that every table is there to be looked up. */
async function catalogUse(lake: TestLake): Promise<{ loads: ReadonlySet<string>; commits: ReadonlySet<string> }> {
  const [loads, commits] = [new Set<string>(), new Set<string>()];
  let current = '';
  const watched = lake.reopen((deps) => {
    const catalog: Catalog = {
      ...deps.catalog,
      load: (id) => {
        loads.add(current);
        return deps.catalog.load(id);
      },
      commit: (id, base, next) => {
        commits.add(current);
        return deps.catalog.commit(id, base, next);
      },
    };
    return { ...deps, catalog };
  });
  for (const file of ['b.csv', 'c.csv']) {
    const result = await watched.run({
      onEvent: ({ kind, state }) => {
        if (kind === 'started') current = state;
      },
    });
    assert.equal(result.status, 'SUCCEEDED');
    await lake.land('orders', file, 'id,amount\n2,-1.00\n3,3.00\n');
    await lake.land('people', file, 'id,at,name\n1,20,c\n');
  }
  return { loads, commits };
}

test('only Commit changes the catalog, and only Open looks into it as well', async () => {
  await withLake(async (lake) => {
    const { loads, commits } = await catalogUse(lake);
    assert.deepEqual([...commits], ['Commit']);
    assert.deepEqual([...loads].sort(), ['Commit', 'Open']);
  });
});

test('a run that failed while it published, and was finished by another, was an incident until then', async () => {
  await withLake(async (lake) => {
    const failing = lake.reopen((deps) => ({
      ...deps,
      catalog: {
        ...deps.catalog,
        async commit(id, ...rest) {
          if (id.layer === 'gold') throw new InvalidInput('no right to gold');
          return deps.catalog.commit(id, ...rest);
        },
      },
    }));
    assert.equal((await failing.run({ runId: 'a' })).status, 'FAILED');
    assert.equal((await failing.run({ runId: 'b' })).status, 'FAILED');
    const finished = await lake.answer({ runId: 'c' });
    assert.equal(finished.kind, 'nothing', 'that of before is finished first');
    const runs = byEnd(await runFacts(lake.deps, 'shop', true));
    assert.deepEqual(
      runs.map(({ run_id, succeeded, error, rejected }) => [run_id, succeeded, error, rejected]),
      [
        ['a', false, 'InvalidInput: no right to gold', 1],
        ['a', true, null, 1],
      ],
    );
    const [incident, ...others] = incidentsOf(runs);
    assert.deepEqual([incident?.failures, incident?.to, others], [['a'], runs[1]?.finished, []]);
    const { run } = await showRun(lake.deps, 'a', async () => undefined);
    assert.deepEqual([run['status'], run['error']], ['SUCCEEDED', null]);
    const [recorded] = await recordedRuns(lake.deps, 'shop', { ids: ['a'] });
    assert.equal(recorded?.run['status'], 'SUCCEEDED');
    const last = await recordedRuns(lake.deps, 'shop', { last: 10 });
    assert.deepEqual(
      last.map(({ run: { run_id, status } }) => [run_id, status]),
      [['a', 'SUCCEEDED']],
      'what is told of a run is told once',
    );
  });
});
