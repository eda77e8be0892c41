import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderPipeline } from '../../../lib/cli/output/status.ts';
import { InvalidInput } from '../../../lib/core/errors.ts';
import type { Awaiting } from '../../../lib/core/promote.ts';
import type { RunResult } from '../../../lib/core/run.ts';
import { parseTableName } from '../../../lib/core/tables.ts';
import { append, csv } from '../../../lib/define/index.ts';
import { listWaiting } from '../../../lib/lake/facts/facts-folder.ts';
import { type DecideRequest, decideRun, findGated } from '../../../lib/lake/gate/decide-run.ts';
import { digestOf, digestsOf, movedOn } from '../../../lib/lake/gate/digest.ts';
import { notEntered } from '../../../lib/lake/gate/record-approval.ts';
import { readOpenRun } from '../../../lib/lake/run/open-run.ts';
import { readPlan, runFolder } from '../../../lib/lake/run/run-folder.ts';
import { listAwaiting } from '../../../lib/query/gate/awaiting-runs.ts';
import { reviewRun } from '../../../lib/query/gate/review.ts';
import { listParities } from '../../../lib/query/list-parities.ts';
import { planWithCost } from '../../../lib/query/plan-cost.ts';
import { showRun } from '../../../lib/query/runs/show-run.ts';
import { collectFacts } from '../../../lib/query/status/status-facts.ts';
import { judgePipeline } from '../../../lib/report/status.ts';
import { compactTables } from '../../../lib/runtime/compact.ts';
import { expireTables, vacuumTables } from '../../../lib/runtime/maintain.ts';
import { releaseRows } from '../../../lib/runtime/release-rows.ts';
import { runCommit } from '../../../lib/steps/commit/commit.ts';
import { runFail } from '../../../lib/steps/end/fail.ts';
import { runGate } from '../../../lib/steps/gate/gate.ts';
import { runLevel } from '../../../lib/steps/level/level.ts';
import { runOpen } from '../../../lib/steps/open/open.ts';
import { commitChange } from '../../../lib/table/commit.ts';
import { prepareSnapshot } from '../../../lib/table/prepare.ts';
import { loadTable } from '../../../lib/table/read.ts';
import { dying } from '../../support/dying.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../../support/test-lake.ts';

function shop(promote: object = { gate: 'manual' }): TestPipeline {
  return {
    name: 'shop',
    definition: {
      name: 'shop',
      promote,
      sources: { rows: csv({ columns: { id: { type: 'int', required: true }, day: 'int', amount: 'int' } }) },
      silver: { items: { from: 'rows', mode: append({ dedupe: 'row' }) } },
      gold: { totals: { sql: 'totals.sql' } },
    },
    sql: { 'totals.sql': 'SELECT day, sum(amount) AS amount FROM silver.items GROUP BY day' },
  };
}

async function openShop(promote?: object): Promise<TestLake & AsyncDisposable> {
  const lake = await openTestLake(shop(promote));
  return Object.assign(lake, { [Symbol.asyncDispose]: async () => lake.close() });
}

async function awaiting(lake: TestLake, runId: string): Promise<Awaiting> {
  const answer = await lake.answer({ runId });
  assert.ok(answer.kind === 'awaiting', JSON.stringify(answer));
  assert.equal(answer.own, true);
  return answer.awaiting;
}

async function decide(lake: TestLake, runId: string, request: Partial<DecideRequest> = {}) {
  const { run, gate } = await findGated(lake.deps, runId);
  return decideRun(lake.deps, run, gate, { decision: 'approved', by: 'ann', reason: 'looks right', ...request });
}

const transitionsOf = ({ cost }: RunResult) => cost?.lines.find(({ item }) => item === 'state transitions')?.quantity;
const approvals = (lake: TestLake) =>
  lake.rows('shop_ops.approvals', 'SELECT run_id, decision, "by", reason FROM t ORDER BY run_id');
const refused = (parts: RegExp) => (error: unknown) => error instanceof InvalidInput && parts.test(error.message);

test('a run waits with all that it has prepared, publishes when it is approved, and no other begins meanwhile', async () => {
  await using opened = await openShop();
  let lake: TestLake = opened;
  await lake.land('rows', 'a.csv', 'id,day,amount\n1,1,10\n2,1,20\n');
  const waits = await awaiting(lake, 'r1');
  assert.match(waits.digest, /^[0-9a-f]{64}$/);
  assert.equal(Date.parse(waits.expires_at) - Date.parse(waits.since), 7 * 86_400_000);
  assert.equal(await lake.metadata('shop_silver.items'), undefined);
  assert.equal(await lake.metadata('shop_gold.totals'), undefined);
  const status = judgePipeline(await collectFacts(lake.deps, 'shop', { ahead: false }), Date.parse(waits.since));
  assert.deepEqual(status.awaiting, waits);
  assert.match(
    renderPipeline(
      { ...status, awaiting: { ...waits, differing: ['a of b', 'c of d'] } },
      { layout: { width: 200 }, hint: (text) => text, lake: 'lake' },
    ),
    /approval {6}run r1 awaits it until 2026-01-08T[^;\n]*; a of b; c of d\n[\s\S]*next:\n {2}review r1\n/,
  );
  assert.deepEqual(
    (await listAwaiting(lake.deps, undefined, new Date(waits.since))).map(({ pipeline, run_id, status }) => [
      pipeline,
      run_id,
      status,
    ]),
    [['shop', 'r1', 'AWAITING_APPROVAL']],
  );
  assert.deepEqual(await listAwaiting(lake.deps, 'shop', new Date(waits.expires_at)), []);
  const { awaiting: planned, resumes } = await planWithCost(lake.deps, 'shop');
  assert.deepEqual([planned, resumes], [waits, 'r1']);
  await assert.rejects(
    showRun(lake.deps, 'r1', async () => undefined),
    refused(/^nothing is told of a run before it has ended: run r1 of shop awaits approval since .*strata review r1;/),
  );
  await lake.land('rows', 'b.csv', 'id,day,amount\n3,2,30\n');
  const other = await lake.answer({ runId: 'r2' });
  assert.deepEqual(other, { kind: 'awaiting', pipeline: 'shop', awaiting: waits, own: false });

  const days = 3 * 86_400_000;
  const later = (deps: TestLake['deps']): TestLake['deps'] => {
    return { ...deps, clock: { now: () => new Date(deps.clock.now().getTime() + days) } };
  };
  lake = lake.reopen(later);
  const first = await decide(lake, 'r1');
  assert.deepEqual([first.before, first.approval.by, first.approval.digest], [false, 'ann', waits.digest]);
  // Decided, and not published yet: the run is rolled forward by whichever comes next.
  const next = await lake.answer({ runId: 'r2' });
  assert.ok(next.kind === 'awaiting' && next.own, JSON.stringify(next));
  assert.deepEqual(await lake.rows('shop_gold.totals'), [{ day: 1, amount: '30' }]);
  assert.deepEqual(await approvals(lake), [{ run_id: 'r1', decision: 'approved', by: 'ann', reason: 'looks right' }]);
  const published = await lake.run({ runId: 'r1' });
  assert.deepEqual([published.gate, transitionsOf(published)], ['waited', 20]);
  // What it waited for is no work: three days of it are not in its duration.
  assert.ok(published.duration_ms < 86_400_000, `${published.duration_ms}`);
  assert.deepEqual(
    await lake.rows('shop_ops.runs', "SELECT duration_ms < 86400000 AS short FROM t WHERE run_id = 'r1'"),
    [{ short: true }],
  );

  const again = await decide(lake, 'r1', { by: 'bob' });
  assert.deepEqual([again.before, again.approval.by], [true, 'ann']);
  await assert.rejects(
    decide(lake, 'r1', { decision: 'rejected' }),
    refused(/r1 cannot be rejected: got one that was approved by ann/),
  );

  await decide(lake, 'r2', { decision: 'rejected', by: 'bob', reason: 'day 2 is not over' });
  const undone = await lake.run({ runId: 'r2' });
  assert.equal(undone.status, 'FAILED');
  assert.match(undone.error?.message ?? '', /r2 was rejected by bob at .*: day 2 is not over; nothing is published/);
  assert.deepEqual(await lake.rows('shop_gold.totals'), [{ day: 1, amount: '30' }]);
  assert.deepEqual((await approvals(lake))[1], {
    run_id: 'r2',
    decision: 'rejected',
    by: 'bob',
    reason: 'day 2 is not over',
  });
  assert.equal((await readOpenRun(lake.store, { pipeline: 'shop' })).run, undefined);

  // What was rejected has not been taken in.
  await awaiting(lake, 'r3');
  await decide(lake, 'r3');
  assert.equal((await lake.run({ runId: 'r3' })).status, 'SUCCEEDED');
  assert.deepEqual(await lake.rows('shop_gold.totals'), [
    { day: 1, amount: '30' },
    { day: 2, amount: '30' },
  ]);
  await assert.rejects(decide(lake, 'r9'), refused(/no run "r9" awaits approval/));
});

const AUTO = {
  gate: { auto: [{ table: 'gold.totals', keys: ['day'], measures: ['amount'], tolerance: 50 }] },
  maxQuarantineRate: 25,
  forbid: ['NULL_VALUE_ERROR'],
};

test('conditions let a run through that meets all of them, and say of the others which they do not', async () => {
  await using lake = await openShop(AUTO);
  await lake.land('rows', 'a.csv', 'id,day,amount\n1,1,100\n2,2,100\n');
  const first = await awaiting(lake, 'r1');
  assert.deepEqual(first.because, ['shop_gold.totals as it was: it has not been published before']);
  await decide(lake, 'r1');
  assert.equal((await lake.run({ runId: 'r1' })).status, 'SUCCEEDED');

  await lake.land('rows', 'b.csv', 'id,day,amount\n3,2,100\n4,2,-50\n5,2,50\nx,2,1\n');
  const passed = await lake.run({ runId: 'r2' });
  assert.deepEqual([passed.status, passed.gate, transitionsOf(passed)], ['SUCCEEDED', 'passed', 11]);
  const auto = (await lake.rows('shop_ops.approvals', 'SELECT "by", reason FROM t WHERE run_id = \'r2\''))[0];
  assert.equal(auto?.['by'], 'conditions');
  assert.equal(
    auto?.['reason'],
    'at most 25 % of the records rejected: 1 of 4 records are rejected, 25 %; ' +
      'no record rejected with NULL_VALUE_ERROR: none is; ' +
      'no day gone from shop_gold.totals: none is; amount of shop_gold.totals within 50 %: 300 after 200, 50 %',
  );

  await lake.land('rows', 'c.csv', 'id,day,amount\n,2,300\n6,2,400\n');
  assert.deepEqual((await awaiting(lake, 'r3')).because, [
    'at most 25 % of the records rejected: 1 of 2 records are rejected, 50 %',
    'no record rejected with NULL_VALUE_ERROR: NULL_VALUE_ERROR in 1 rows',
    'amount of shop_gold.totals within 50 %: 700 after 300, 133.33 %',
  ]);
});

test('a key that is gone, and a run of one pipeline that is dry, are seen for what they are', async () => {
  const promote = { gate: { auto: [{ table: 'gold.totals', keys: ['day'] }] } };
  const pipeline = shop(promote);
  const lake = await openTestLake({
    ...pipeline,
    sql: { 'totals.sql': 'SELECT day, sum(amount) AS amount FROM silver.items GROUP BY day HAVING sum(amount) > 0' },
  });
  await lake.land('rows', 'a.csv', 'id,day,amount\n1,1,100\n2,2,100\n');
  assert.equal((await lake.run({ runId: 'dry', dryRun: true })).status, 'DRY_RUN');
  await awaiting(lake, 'r1');
  await decide(lake, 'r1');
  await lake.run({ runId: 'r1' });
  await lake.land('rows', 'b.csv', 'id,day,amount\n3,2,-100\n');
  assert.deepEqual((await awaiting(lake, 'r2')).because, ['no day gone from shop_gold.totals: 1 are']);
  lake.close();
});

test('a run that its conditions let through, and that was killed before that was written down, is gone on with', async () => {
  await using lake = await openShop({ gate: { auto: [] } });
  await lake.land('rows', 'a.csv', 'id,day,amount\n1,1,10\n');
  const killed = new AbortController();
  const dying = lake.reopen((deps) => ({
    ...deps,
    store: {
      ...deps.store,
      async write(key, bytes, condition) {
        if (key.endsWith('/approval.json')) {
          killed.abort(new Error('killed'));
          throw new Error('killed');
        }
        return deps.store.write(key, bytes, condition);
      },
    },
  }));
  await assert.rejects(dying.answer({ runId: 'r1', interrupted: killed.signal }), /killed/);
  await lake.answer({ runId: 'r2' });
  assert.deepEqual(await approvals(lake), [
    { run_id: 'r1', decision: 'approved', by: 'conditions', reason: 'there are none' },
  ]);
  assert.deepEqual(await lake.rows('shop_gold.totals'), [{ day: 1, amount: '10' }]);
});

test('of executions that nobody watches one waits for the decision, and the others end behind it', async () => {
  await using lake = await openShop();
  await lake.land('rows', 'a.csv', 'id,day,amount\n1,1,10\n');
  await awaiting(lake, 'r1');
  const open = (run_id: string, deps = lake.deps) =>
    runOpen({ pipeline: 'shop', run_id, dry_run: false, wait: true, started_by: 'events', execution: run_id }, deps);
  const first = await open('e1');
  assert.deepEqual([first.status, first.awaited?.run_id, first.request.run_id], ['awaiting', 'r1', 'e1']);
  const second = await open('e2');
  assert.deepEqual([second.status, second.behind], ['coalesced', { execution: 'e1', run_id: 'e1' }]);
  assert.equal((await open('e1')).status, 'awaiting');
  await decide(lake, 'r1');
  // The execution of the run itself, woken by that, does not end behind the one that waits for it.
  const copy = await lake.copy();
  const woken = await open('r1', copy.deps);
  copy.close();
  assert.deepEqual([woken.status, woken.run.run_id], ['planned', 'r1']);
  // It has its turn: first comes what was decided about, then what it was started for.
  const turn = await open('e1');
  assert.deepEqual([turn.status, turn.run.run_id, turn.request.run_id], ['planned', 'r1', 'e1']);
});

test('what was prepared and is another is not approved, and what was approved and is another is not published', async () => {
  await using lake = await openShop();
  await lake.land('rows', 'a.csv', 'id,day,amount\n1,1,10\n');
  const { digest } = await awaiting(lake, 'r1');
  await assert.rejects(
    decide(lake, 'r1', { digest: 'abc' }),
    refused(/another digest: got abc; expected [0-9a-f]{64}/),
  );
  await assert.rejects(decide(lake, 'r1', { digest: '' }), refused(/another digest: got ; expected [0-9a-f]{64}/));
  await assert.rejects(decide(lake, 'r1', { by: ' ' }), refused(/--by: got nothing/));
  const run = { pipeline: 'shop', run_id: 'r1', dry_run: false };
  const key = runFolder.table(run, 'gold.totals');
  const { bytes } = await lake.store.read(key);
  await lake.store.write(key, new TextEncoder().encode(`${new TextDecoder().decode(bytes)} `), { kind: 'any' });
  await assert.rejects(
    decide(lake, 'r1'),
    refused(/r1 cannot be approved: got another shop_gold.totals than was prepared/),
  );
  await lake.store.write(key, bytes, { kind: 'any' });
  assert.equal((await decide(lake, 'r1', { digest })).before, false);
  await lake.store.write(key, new TextEncoder().encode(`${new TextDecoder().decode(bytes)} `), { kind: 'any' });
  const ended = await lake.run({ runId: 'r1' });
  assert.deepEqual(await approvals(lake), [{ run_id: 'r1', decision: 'approved', by: 'ann', reason: 'looks right' }]);
  assert.match(
    ended.error?.message ?? '',
    /r1 is not as ann approved it: got another shop_gold.totals; nothing is published/,
  );
  assert.equal(await lake.metadata('shop_silver.items'), undefined);
});

test('of two who decide at one time one has decided, and the other is told who', async () => {
  await using lake = await openShop();
  await lake.land('rows', 'a.csv', 'id,day,amount\n1,1,10\n');
  await awaiting(lake, 'r1');
  const both = await Promise.allSettled([
    decide(lake, 'r1', { by: 'ann' }),
    decide(lake, 'r1', { by: 'bob', decision: 'rejected' }),
  ]);
  const won = both.filter((one) => one.status === 'fulfilled');
  const lost = both.filter((one) => one.status === 'rejected');
  assert.deepEqual([won.length, lost.length], [1, 1]);
  assert.match(String(lost[0]?.reason), new RegExp(`by ${won[0]?.value.approval.by} at `));
});

test('a run that nobody has decided about in time is rejected, by whoever comes first', async () => {
  await using lake = await openShop({ gate: 'manual', expires: '1h' });
  await lake.land('rows', 'a.csv', 'id,day,amount\n1,1,10\n');
  const { expires_at } = await awaiting(lake, 'r1');
  let late = Date.parse(expires_at);
  const now = (): Date => {
    late += 1000;
    return new Date(late);
  };
  const later = lake.reopen((deps) => ({ ...deps, clock: { now } }));
  const other = await lake.copy();
  const copy = other.reopen((deps) => ({ ...deps, clock: { now } }));
  await assert.rejects(
    decide(copy, 'r1'),
    refused(/r1 cannot be approved: got one that was rejected by expiry at .*nobody decided until/),
  );
  // A run of now undoes the one before, and takes its files.
  const next = await later.answer({ runId: 'r2' });
  assert.ok(next.kind === 'awaiting' && next.own, JSON.stringify(next));
  assert.deepEqual(await later.rows('shop_ops.approvals', 'SELECT run_id, decision, "by" FROM t'), [
    { run_id: 'r1', decision: 'rejected', by: 'expiry' },
  ]);
  assert.equal(await later.metadata('shop_silver.items'), undefined);
});

test('compaction, expiry, vacuum and a deploy meanwhile are no hindrance, other rows are', async () => {
  await using lake = await openShop();
  for (const [at, file] of ['a', 'b'].entries()) {
    await lake.land('rows', `${file}.csv`, `id,day,amount\n${at},1,10\n`);
    await awaiting(lake, file);
    await decide(lake, file);
    await lake.run({ runId: file });
  }
  await lake.land('rows', 'c.csv', 'id,day,amount\n9,1,10\n');
  await awaiting(lake, 'r1');
  const compact = { table: 'shop_silver.items', min_files: 2 };
  assert.equal((await compactTables(lake.deps, { pipeline: 'shop', runId: 'c1', compact })).kind, 'ended');
  const unkept = { target: 'shop', olderThanMs: 0, forceRetention: true };
  await expireTables(lake.deps, { ...unkept, keep: 1, runId: 'e1' });
  const [day] = [86_400_000];
  const nextDay = lake.reopen((deps) => ({
    ...deps,
    clock: { now: () => new Date(deps.clock.now().getTime() + day) },
  }));
  await vacuumTables(nextDay.deps, { ...unkept, runId: 'v1' });

  const { run, gate } = await findGated(lake.deps, 'r1');
  const plan = await readPlan(lake.store, run);
  assert.deepEqual(await movedOn(lake.deps, plan), []);
  assert.equal(digestOf(await digestsOf(lake.store, plan)), gate.digest);
  const other = await lake.copy();
  const id = parseTableName('shop_silver.items');
  const entry = (await loadTable(other.deps.catalog, id)) ?? assert.fail();
  const prepared = await prepareSnapshot(other.store, {
    base: entry,
    added: [],
    remove: { kind: 'all' },
    snapshotId: 99n,
    nowMs: other.deps.clock.now().getTime(),
    unique: 'u',
    summary: {},
  });
  await commitChange(other.deps, id, prepared);
  await assert.rejects(
    decide(other, 'r1'),
    refused(/got other rows published of shop_silver.items than it goes on from/),
  );
  other.close();
  // The next deploy knows of no gate, and computes another gold table.
  const { promote: _promote, ...definition } = Object(shop().definition) as { readonly promote: unknown };
  const changed = { ...shop(), definition, sql: { 'totals.sql': 'SELECT 7 AS day, 0 AS amount' } };
  const spec = await compileTest(changed, lake.scratch);
  const deployed = lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
  const waits = await deployed.answer({ runId: 'r1' });
  assert.ok(waits.kind === 'awaiting' && waits.own, JSON.stringify(waits));
  const rejecting = await deployed.copy();
  await decide(rejecting, 'r1', { decision: 'rejected' });
  assert.match((await rejecting.run({ runId: 'r1' })).error?.message ?? '', /r1 was rejected by ann/);
  assert.deepEqual(await rejecting.rows('shop_silver.items', 'SELECT count(*)::INT AS n FROM t'), [{ n: 2 }]);
  rejecting.close();
  await decide(deployed, 'r1');
  assert.equal((await deployed.run({ runId: 'r1' })).status, 'SUCCEEDED');
  assert.deepEqual(await lake.rows('shop_gold.totals'), [{ day: 1, amount: '30' }]);
  assert.deepEqual(await lake.rows('shop_silver.items', 'SELECT count(*)::INT AS n FROM t'), [{ n: 3 }]);
});

test('what was decided about runs goes a month after it, but for runs that wait and those of which tables have snapshots', async () => {
  await using lake = await openShop();
  for (const [at, decision] of (['rejected', 'approved', undefined] as const).entries()) {
    await lake.land('rows', `${at}.csv`, `id,day,amount\n${at},1,10\n`);
    await awaiting(lake, `r${at}`);
    if (decision === undefined) continue;
    await decide(lake, `r${at}`, { decision });
    await lake.run({ runId: `r${at}` });
  }
  await expireTables(lake.deps, { target: 'shop', olderThanMs: 0, forceRetention: true, keep: 1 });
  const other = new TextEncoder().encode('{}');
  await lake.store.write('ops/shop/_gates/condemned/1-2.json', other, { kind: 'any' });
  const folders = (of: TestLake) => of.store.folders('ops/shop/_gates/');
  // The store of a test counts from the epoch on.
  const vacuum = (of: TestLake, day: number, dryRun = false) => {
    const later = of.reopen((deps) => ({ ...deps, clock: { now: () => new Date(day * 86_400_000) } }));
    return vacuumTables(later.deps, { target: 'shop', dryRun });
  };
  const whole = await lake.copy();
  await vacuum(whole, 29);
  await vacuum(whole, 31, true);
  assert.deepEqual(await folders(whole), ['condemned', 'r0', 'r1', 'r2']);
  const counted = dying(await lake.copy(), Number.POSITIVE_INFINITY);
  await vacuum(counted.lake, 31);
  assert.deepEqual(await folders(counted.lake), ['condemned', 'r1', 'r2']);
  // Whoever dies on the way leaves nothing about which somebody could decide otherwise.
  const told = new Set<string>();
  const [record, decision] = ['gate', 'approval'].map((name) =>
    counted.keys.lastIndexOf(`ops/shop/_gates/r0/${name}.json`),
  );
  assert.ok(record !== undefined && decision !== undefined && 0 < record && record < decision, counted.keys.join());
  for (const at of [decision, decision + 1]) {
    const one = await lake.copy();
    await vacuum(dying(one, at + 1).lake, 31).catch(() => undefined);
    await assert.rejects(decide(one, 'r0'), (cause: Error) => {
      told.add(/no run "r0"|rejected by ann/.exec(cause.message)?.[0] ?? cause.message);
      return true;
    });
    if (at === decision) await vacuum(one, 32);
    assert.deepEqual(await folders(one), ['condemned', 'r1', 'r2']);
    one.close();
  }
  assert.deepEqual([...told], ['no run "r0"']);
  await vacuum(lake, 31);
  assert.equal((await decide(lake, 'r2')).before, false);
  assert.equal((await decide(lake, 'r1')).before, true);
  for (const one of [whole, counted.lake]) one.close();
});

test('that a run was rejected is in the books as soon as it ends, where Fail writes no table too, and once', async () => {
  await using lake = await openShop();
  await lake.land('rows', 'a.csv', 'id,day,amount\n1,1,10\n');
  await awaiting(lake, 'r1');
  await decide(lake, 'r1', { decision: 'rejected', by: 'bob' });
  const opened = await runOpen({ pipeline: 'shop', run_id: 'r1', dry_run: false }, lake.deps);
  const gated = await runGate(await runLevel(opened, lake.deps), lake.deps);
  assert.equal(gated.awaiting, undefined);
  const rejected = /r1 was rejected by bob at .*: looks right; nothing is published/;
  await assert.rejects(runCommit(gated, lake.deps), rejected);
  const bob = { run_id: 'r1', decision: 'rejected', by: 'bob', reason: 'looks right' };
  assert.deepEqual(await approvals(lake), [bob]);
  // As it is done again by a function whose answer was lost.
  await assert.rejects(runCommit(gated, lake.deps), rejected);
  const failed = { run: gated.run, request: gated.request, error: { Error: 'AuditFailed', Cause: 'rejected' } };
  await runFail({ state: failed, execution: {} }, { ...lake.deps, recordFailed: async () => undefined });
  assert.equal((await listWaiting(lake.store, 'shop')).length, 1);
  await awaiting(lake, 'r2');
  await decide(lake, 'r2');
  assert.equal((await lake.run({ runId: 'r2' })).status, 'SUCCEEDED');
  // The next run that publishes has taken in what Fail has left of the one before.
  assert.deepEqual(await listWaiting(lake.store, 'shop'), []);
  const ann = { run_id: 'r2', decision: 'approved', by: 'ann', reason: 'looks right' };
  assert.deepEqual(await approvals(lake), [bob, ann]);
  assert.deepEqual(await lake.rows('shop_ops.runs', 'SELECT run_id, status FROM t ORDER BY run_id'), [
    { run_id: 'r1', status: 'FAILED' },
    { run_id: 'r2', status: 'SUCCEEDED' },
  ]);
  const left = [bob, { ...bob, run_id: 'r0' }];
  assert.deepEqual(await notEntered(lake.deps, 'shop', left), left.slice(1));
});

test('a measure is compared under the name that it has now', async () => {
  await using lake = await openShop({ gate: { auto: [] } });
  await lake.land('rows', 'a.csv', 'id,day,amount\n1,1,10\n');
  await lake.run({ runId: 'r1' });
  const renamed = { gold: { totals: { sql: 'totals.sql', renamed: { total: 'amount' } } } };
  const promote = { gate: { auto: [{ table: 'gold.totals', measures: ['total'], tolerance: 50 }] } };
  const sql = { 'totals.sql': 'SELECT day, sum(amount) AS total FROM silver.items GROUP BY day' };
  const next = { ...shop(), definition: { ...Object(shop(promote).definition), ...renamed }, sql };
  const spec = await compileTest(next, lake.scratch);
  await lake.land('rows', 'b.csv', 'id,day,amount\n2,1,90\n');
  const waits = await awaiting(
    lake.reopen((deps) => ({ ...deps, specs: async () => spec })),
    'r2',
  );
  assert.deepEqual(waits.because, ['total of shop_gold.totals within 50 %: 100 after 10, 900 %']);
});

test('a run is named by its pipeline too where several have one of that id', async () => {
  await using lake = await openShop();
  for (const pipeline of ['bank', 'shop']) {
    const gate = new TextEncoder().encode(JSON.stringify({ run_id: 'january', digest: pipeline }));
    await lake.store.write(`ops/${pipeline}/_gates/january/gate.json`, gate, { kind: 'any' });
  }
  await assert.rejects(
    findGated(lake.deps, 'january'),
    refused(/run "january": got one of bank and one of shop; expected --pipeline to say which/),
  );
  assert.equal((await findGated(lake.deps, 'january', 'shop')).gate.digest, 'shop');
  await assert.rejects(findGated(lake.deps, 'january', 'other'), refused(/no run "january" awaits approval/));
});

test('files with condemned rows are read again when two have released these', async () => {
  await using lake = await openShop({ gate: { auto: [] } });
  await lake.land('rows', 'a.csv', 'id,day,amount\nx,1,10\n');
  await lake.run({ runId: 'r1' });
  await lake.land('rows', 'b.csv', 'id,day,amount\nx,1,10\n2,1,1\n');
  await lake.run({ runId: 'r2' });
  const again = (runId: string) => lake.run({ runId, reprocess: { source: 'rows', files: ['b.csv'] } });
  const statuses = () => lake.rows('shop_ops.quarantine', 'SELECT status FROM t ORDER BY run_id, status');
  const early = await again('r3');
  assert.equal(early.status, 'FAILED');
  assert.match(early.error?.message ?? '', /1 rows of these files are condemned.*two people to release them first/);
  assert.deepEqual(await statuses(), [{ status: 'quarantined' }, { status: 'condemned' }]);
  const ask = (by: string) =>
    releaseRows(lake.deps, 'shop', { files: ['b.csv'] }, { by, reason: 'the source has said so' });
  await assert.rejects(ask('ann'), refused(/ann has asked/));
  await ask('bob');
  assert.equal((await again('r4')).status, 'SUCCEEDED');
});

test('condemned rows that came twice are not others that did, for the two who have to ask for the same ones', async () => {
  await using lake = await openShop({ gate: { auto: [] } });
  for (const run of [1, 2, 3]) {
    await lake.land('rows', 'a.csv', `id,day,amount\nx,1,10\n${run},1,1\n`);
    await lake.land('rows', 'b.csv', `id,day,amount\ny,1,10\n${run},2,1\n`);
    await lake.run({ runId: `r${run}` });
  }
  const ask = (file: string, by: string): Promise<number> =>
    releaseRows(lake.deps, 'shop', { status: 'condemned', files: [file] }, { by, reason: 'the source has said so' });
  await assert.rejects(ask('a.csv', 'ann'), refused(/2 condemned rows of shop are not released yet: ann has asked/));
  await assert.rejects(ask('b.csv', 'bob'), refused(/2 condemned rows of shop are not released yet: bob has asked/));
  assert.equal(await ask('a.csv', 'bob'), 2);
});

test('who decides is shown what a run has found of other texts, which is in the books once it is published', async () => {
  const pipeline = shop();
  const texts = { current: 'totals.sql', same: 'same.sql', less: 'less.sql' };
  const lake = await openTestLake({
    ...pipeline,
    definition: { ...Object(pipeline.definition), gold: { totals: { sql: texts } } },
    sql: {
      ...pipeline.sql,
      'same.sql': 'SELECT day, sum(amount) AS amount FROM silver.items WHERE day IS NOT NULL GROUP BY day',
      'less.sql': 'SELECT day, sum(amount) AS amount FROM silver.items WHERE day > 1 GROUP BY day',
    },
  });
  await lake.land('rows', 'a.csv', 'id,day,amount\n1,1,10\n2,2,20\n');
  const answer = await lake.answer({ runId: 'r1', shadow: true });
  const differing = ['less of gold.totals differs from current: 1 of 2 rows'];
  assert.deepEqual(answer.kind === 'awaiting' && answer.awaiting.differing, differing);
  const { parities } = await reviewRun(lake.deps, 'r1', 5);
  assert.deepEqual(
    parities.map(({ right, equal }) => [right, equal]),
    [
      ['same', true],
      ['less', false],
    ],
  );
  const { awaiting: waits } = await collectFacts(lake.deps, 'shop', { ahead: false });
  assert.deepEqual(waits?.differing, differing);
  assert.deepEqual(await listParities(lake.deps, { pipelines: ['shop'], limit: 9 }), []);
  await decide(lake, 'r1', { decision: 'rejected' });
  await lake.run({ runId: 'r1' });
  assert.deepEqual(await listParities(lake.deps, { pipelines: ['shop'], limit: 9 }), []);
  await lake.answer({ runId: 'r2', shadow: true });
  await decide(lake, 'r2');
  await lake.run({ runId: 'r2' });
  const found = await listParities(lake.deps, { pipelines: ['shop'], limit: 9 });
  assert.deepEqual(
    found.map(({ run_id, right, equal }) => [run_id, right, equal]),
    [
      ['r2', 'less', false],
      ['r2', 'same', true],
    ],
  );
  lake.close();
});

test('of many files that are rejected with a forbidden code some are named', async () => {
  await using lake = await openShop({ gate: 'manual', forbid: ['SCHEMA_ERROR'] });
  for (let at = 0; at < 22; at += 1) await lake.land('rows', `${10 + at}.csv`, `other\n${at}\n`);
  await lake.land('rows', 'a.csv', 'id,day,amount\n1,1,1\n');
  const { because } = await awaiting(lake, 'r1');
  assert.match(
    because.join(),
    /^no record rejected with SCHEMA_ERROR: SCHEMA_ERROR of file bronze\/shop\/rows\/.*, and 2 more$/,
  );
});
