import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { MaintenanceRequest } from '../../lib/core/asked.ts';
import { InvalidInput, LockHeld, UnreadableTable } from '../../lib/core/errors.ts';
import type { OpenInput } from '../../lib/core/run.ts';
import { parseTableName } from '../../lib/core/tables.ts';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import type { SweepResult } from '../../lib/lake/maintain/sweep-result.ts';
import { takeLock } from '../../lib/lake/run/lock.ts';
import { readJson } from '../../lib/lake/run/run-folder.ts';
import { compactTables } from '../../lib/runtime/compact.ts';
import { counted } from '../../lib/runtime/counted.ts';
import { executeMaintenance, expireTables, vacuumTables } from '../../lib/runtime/maintain.ts';
import { renderAlert } from '../../lib/steps/end/alert-text.ts';
import { runSweep } from '../../lib/steps/maintain/sweep.ts';
import { changeTable } from '../../lib/table/change.ts';
import { Crash } from '../ports/faults.ts';
import { dying, successor } from '../support/dying.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const SHOP: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { rows: csv({ columns: { id: 'int' } }) },
    silver: { items: { from: 'rows', mode: append() } },
    gold: { total: { sql: 'total.sql' } },
  }),
  sql: { 'total.sql': 'SELECT count(*) AS n FROM silver.items' },
};

let made: TestLake;
before(async () => {
  made = await openTestLake(SHOP);
  for (const run of [1, 2, 3]) {
    await made.land('rows', `${run}.csv`, `id\n${run}\n`);
    await made.run({ runId: `run-${run}` });
  }
});
after(() => made.close());

const NOW = { older_than_ms: 0, force_retention: true };
const ALL: MaintenanceRequest = {
  operations: ['vacuum', 'compact', 'expire'],
  compact: { min_files: 2 },
  expire: { ...NOW, keep: 1 },
  vacuum: NOW,
};
const asked = (maintenance: MaintenanceRequest, run_id = 'm', rest: Partial<OpenInput> = {}): OpenInput => {
  return { pipeline: 'shop', run_id, dry_run: false, kind: 'maintenance', maintenance, ...rest };
};
const rowsOf = (lake: TestLake) =>
  lake.rows('shop_ops.runs', "SELECT run_id, kind, status FROM t WHERE kind <> 'run' ORDER BY started_at, run_id");
const resultOf = (lake: TestLake, id: string) =>
  readJson<SweepResult>(lake.store, `ops/shop/_maintenance/${id}/result.json`);
const contents = async (lake: TestLake) => [await lake.rows('shop_silver.items'), await lake.rows('shop_gold.total')];

async function keys(lake: TestLake, prefix: string): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { key } of lake.store.list(prefix)) found.push(key);
  return found;
}

/** The lake, and what its lists of removed files name: a vacuum that is forced removes older lists too. */
function listing(lake: TestLake): { readonly lake: TestLake; readonly listed: ReadonlySet<string> } {
  const listed = new Set<string>();
  const reopened = lake.reopen((deps) => ({
    ...deps,
    store: {
      ...deps.store,
      async write(key, bytes, condition) {
        const written = await deps.store.write(key, bytes, condition);
        if (!/\/_maintenance\/[^/]+\/removed\//.test(key)) return written;
        for (const one of (JSON.parse(new TextDecoder().decode(bytes)) as { keys: string[] }).keys) listed.add(one);
        return written;
      },
    },
  }));
  return { lake: reopened, listed };
}

test('one execution compacts, forgets and removes, in this order; each is a run of its own', async () => {
  const { lake, listed } = listing(await made.copy());
  const was = await contents(lake);
  const there = await keys(lake, '');
  const states: string[] = [];
  const onAws = { ...lake.deps, settings: { ...lake.deps.settings, billedBy: 'aws' as const } };
  const ended = await executeMaintenance(onAws, asked(ALL), {
    onEvent: (event) => {
      if (event.kind === 'started') states.push(event.state);
    },
  });
  assert.deepEqual(
    states.filter((state) => state !== 'RewriteMap'),
    [
      'OpenRewrite',
      ...states.filter((state) => state === 'Rewrite'),
      'CommitRewrite',
      'FinishRewrite',
      'Sweep',
      'Sweep',
    ],
  );
  assert.deepEqual([ended.status, ended.sweep], ['done', undefined]);
  assert.deepEqual(await rowsOf(lake), [
    { run_id: 'm', kind: 'compact', status: 'SUCCEEDED' },
    { run_id: 'm-expire', kind: 'expire', status: 'SUCCEEDED' },
    { run_id: 'm-vacuum', kind: 'vacuum', status: 'SUCCEEDED' },
  ]);
  const costs = await lake.rows(
    'shop_ops.runs',
    "SELECT kind, cost_usd, cost_rate FROM t WHERE kind <> 'run' ORDER BY run_id",
  );
  for (const { kind, cost_usd, cost_rate } of costs) {
    assert.ok(Number(cost_usd) > 0 && Number(cost_usd) < 0.1, `${kind}: ${cost_usd}`);
    assert.match(String(cost_rate), /^prices of us-east-1 of 20/);
  }
  assert.equal(costs.length, 3);
  const [compacted] = (await lake.metadata('shop_silver.items'))?.snapshots ?? [];
  assert.equal(compacted?.summary['operation'], 'replace', 'what the compaction has made is all that is left');
  assert.deepEqual(await contents(lake), was);
  const left = new Set(await keys(lake, ''));
  const gone = there.filter((key) => !left.has(key) && key.endsWith('.parquet'));
  assert.ok(gone.length >= 6 && gone.every((key) => listed.has(key)), gone.join());
  // To the vacuum of this clock all is so old that it has forgotten the expiry, but for its id.
  await assert.rejects(
    executeMaintenance(lake.deps, asked(ALL)),
    /run m-expire of shop: got the id of a run that has ended/,
  );
});

test('a dry run says what each would do, and writes nothing', async () => {
  const lake = await made.copy();
  const there = await keys(lake, '');
  const { plan, swept } = await executeMaintenance(lake.deps, asked(ALL, 'm', { dry_run: true }));
  assert.ok((plan ?? []).length > 0);
  assert.deepEqual(
    swept?.expire,
    await expireTables(lake.deps, { target: 'shop', olderThanMs: 0, forceRetention: true, keep: 1, dryRun: true }),
  );
  assert.ok((swept?.vacuum?.tables.length ?? 0) > 6);
  assert.deepEqual(await keys(lake, ''), there);
});

test('where time is up the next call goes on, and the answer is the same', async () => {
  const [quick, slow] = [await made.copy(), await made.copy()];
  const request = { target: 'shop', olderThanMs: 0, forceRetention: true, keep: 1, runId: 'e' };
  let ms = Date.parse('2026-06-01T00:00:00Z');
  const now = (): Date => {
    ms += 300_000;
    return new Date(ms);
  };
  const tired = slow.reopen((deps) => ({ ...deps, clock: { now } }));
  let calls = 0;
  const answer = await expireTables(tired.deps, {
    ...request,
    onEvent: (event) => {
      if (event.kind === 'started' && event.state === 'Sweep') calls += 1;
    },
  });
  assert.equal(calls, answer.tables.length, 'one table each');
  const whole = await expireTables(quick.deps, request);
  assert.deepEqual(await expireTables(quick.deps, request), whole, 'the same id again answers with the first result');
  assert.equal((await rowsOf(quick)).length, 1);
  assert.deepEqual(
    answer.tables.map(({ readable_since, ...table }) => table),
    whole.tables.map(({ readable_since, ...table }) => table),
  );
});

test('a vacuum removes compiled pipelines of earlier months that no plan needs, and none that one does', async () => {
  const copy = await made.copy();
  const lake = copy.reopen((deps) => ({ ...deps, clock: { now: () => new Date(Date.now() + 90 * 86_400_000) } }));
  const specs = () => keys(lake, 'ops/shop/_specs/');
  const needed = await specs();
  await lake.store.write('ops/shop/_specs/0123.json', new Uint8Array(1), { kind: 'any' });
  const vacuum = { target: 'shop', olderThanMs: 7 * 86_400_000 };
  assert.equal(needed.length, 1);
  const { tables } = await vacuumTables(lake.deps, { ...vacuum, dryRun: true });
  const { tables: removed } = await vacuumTables(lake.deps, vacuum);
  assert.deepEqual(removed, tables, 'what a dry run says');
  assert.deepEqual(await specs(), needed, 'tables have snapshots of its runs');
  await lake.land('rows', '4.csv', 'id\n4\n');
  await lake.run({ runId: 'run-4' });
  for (const run of [1, 2, 3]) await lake.store.remove(`ops/shop/_runs/run-${run}/plan.json`);
  await vacuumTables(lake.deps, vacuum);
  const [own, ...others] = await specs();
  assert.deepEqual(others, []);
  assert.equal((await readJson<{ spec_key: string }>(lake.store, 'ops/shop/_runs/run-4/plan.json')).spec_key, own);
  assert.notEqual(own, needed[0]);
});

test('a table that is left as it is makes the run one that failed, by name, and the others are dealt with', async () => {
  const lake = await made.copy();
  await changeTable(lake.deps, parseTableName('shop_gold.total'), () => ({
    requirements: [],
    updates: [{ action: 'set-properties', updates: { 'gc.enabled': 'false' } }],
  }));
  const { failed } = await expireTables(lake.deps, { target: 'shop', runId: 'e' });
  assert.deepEqual(
    failed.map(({ table }) => table),
    ['shop_gold.total'],
  );
  const [row] = await lake.rows('shop_ops.runs', "SELECT status, error FROM t WHERE run_id = 'e'");
  assert.equal(row?.['status'], 'FAILED');
  assert.match(String(row?.['error']), /^TablesLeft: 1 of 10 tables left as they are; shop_gold\.total: .*gc\.enabled/);
});

test('one that something else ends is in the books as failed, and so is its alert', async () => {
  const lake = await made.copy();
  const failing = lake.reopen((deps) => ({
    ...deps,
    store: {
      ...deps.store,
      names: (prefix) =>
        prefix === 'ops/' ? Promise.reject(new UnreadableTable('not today')) : deps.store.names(prefix),
    },
  }));
  await assert.rejects(expireTables(failing.deps, { target: 'shop', runId: 'e' }), /^UnreadableTable: not today$/);
  assert.deepEqual(await rowsOf(lake), [{ run_id: 'e', kind: 'expire', status: 'FAILED' }]);
  const { status, error, answer } = await resultOf(lake, 'e');
  assert.deepEqual([status, error, answer.tables], ['FAILED', { name: 'UnreadableTable', message: 'not today' }, []]);
  const request = asked({ operations: ['vacuum'] }, 'v');
  // As on AWS, where what comes after an error has no engine.
  const state = { status: 'nothing', request, run: request, round: 0, sweep: { left: ['vacuum'] } } as const;
  await assert.rejects(runSweep(state, counted(failing.deps)), UnreadableTable);
  assert.deepEqual((await rowsOf(lake)).at(-1), { run_id: 'v', kind: 'vacuum', status: 'FAILED' });
  const { message } = renderAlert(
    { pipeline: 'shop', runId: 'v', at: new Date(0) },
    {
      state: {
        ...{ request, run: request, status: 'nothing', sweep: { left: ['vacuum'] } },
        ...{ error: { Error: 'UnreadableTable', Cause: 'x' }, failure: { redrives: 0, swept: true } },
      },
      execution: {},
    },
  );
  assert.match(message, /^Vacuum v of pipeline shop failed\.[\s\S]*Published: what was forgotten and removed stays/);
  assert.match(message, /strata vacuum --aws shop\n {2}No row has changed/);
});

test('killed anywhere and begun again under its id, all is done, and every file that went is in the lists', async () => {
  const request = { target: 'shop', olderThanMs: 0, forceRetention: true, keep: 1 };
  const acts = [
    (lake: TestLake) => expireTables(lake.deps, { ...request, runId: 'e' }),
    (lake: TestLake) => vacuumTables(lake.deps, { ...request, runId: 'v' }),
  ];
  const whole = await made.copy();
  for (const act of acts) await act(whole);
  const data = async (lake: TestLake) =>
    (await keys(lake, '')).filter((key) => /^(silver|gold)\/.*\.(parquet|avro)$/.test(key));
  const counted = await made.copy();
  const changes: number[] = [];
  for (const act of acts) {
    const one = dying(counted, Number.POSITIVE_INFINITY);
    await act(one.lake);
    changes.push(one.changes());
  }
  for (const [nth, most] of changes.entries()) {
    for (let at = 1 + (nth % 3); at <= most; at += process.env['CRASH_POINTS'] === 'all' ? 1 : Math.ceil(most / 4)) {
      const { lake, listed } = listing(await made.copy());
      const there = await keys(lake, '');
      for (const act of acts.slice(0, nth)) await act(lake);
      await assert.rejects(acts[nth]?.(dying(lake, at).lake) ?? Promise.resolve(), Crash);
      const next = successor(lake);
      for (const act of acts.slice(nth)) await act(next);
      assert.deepEqual(await data(next), await data(whole), `operation ${nth} died before change ${at}`);
      assert.deepEqual(await contents(next), await contents(made));
      const left = new Set(await keys(next, ''));
      const unlisted = there.filter((key) => !left.has(key) && !listed.has(key) && !key.includes('.metadata.json'));
      assert.deepEqual(unlisted, []);
      assert.deepEqual(
        (await rowsOf(next)).map(({ run_id }) => run_id),
        ['e', 'v'],
      );
    }
  }
});

test('less than a week waits for its turn where nobody watches, and is refused where somebody does', async () => {
  const lake = await made.copy();
  const other = { ...lake.deps, settings: { ...lake.deps.settings, holder: () => 'another' } };
  await takeLock(other, { pipeline: 'shop', run_id: 'at-work' });
  const forced = { operations: ['expire'], expire: NOW } as const;
  await assert.rejects(executeMaintenance(lake.deps, asked(forced)), LockHeld);
  assert.deepEqual(await rowsOf(lake), [], 'nothing has happened to it');
  let left = 3;
  const isGone = (): boolean => {
    left -= 1;
    return left < 0;
  };
  const freed = lake.reopen((deps) => ({ ...deps, isGone }));
  await executeMaintenance(freed.deps, asked(forced, 'waits', { wait: true }), { retryIntervalMs: 0 });
  assert.deepEqual(await rowsOf(lake), [{ run_id: 'waits', kind: 'expire', status: 'SUCCEEDED' }]);
});

describe('an execution is refused', () => {
  const CASES: readonly (readonly [string, MaintenanceRequest, RegExp])[] = [
    [
      'less than a week',
      { operations: ['vacuum'], vacuum: { older_than_ms: 3_600_000 } },
      /got 1h; expected 168h or more/,
    ],
    [
      'a table of another pipeline',
      { operations: ['expire'], table: 'mall_silver.items' },
      /got table mall_silver\.items; expected one of/,
    ],
    ['an unknown table', { operations: ['expire'], table: 'shop_silver.itms' }, /no table shop_silver\.itms/],
  ];
  for (const [what, maintenance, words] of CASES) {
    test(what, async () => {
      const lake = await made.copy();
      await assert.rejects(executeMaintenance(lake.deps, asked(maintenance)), (cause) => {
        assert.ok(cause instanceof InvalidInput);
        assert.match(cause.message, words);
        return true;
      });
      assert.deepEqual([await rowsOf(lake), await keys(lake, 'ops/shop/_maintenance/')], [[], []]);
    });
  }
});

describe('an id is of one run only', () => {
  const taken = /--run-id: got (\S+), which (.*) of shop has; expected an id that nothing has yet/;
  test('a run may not have that of maintenance, nor the other way round', async () => {
    const lake = await made.copy();
    await compactTables(lake.deps, { pipeline: 'shop', runId: 'c', compact: { min_files: 2 } });
    await expireTables(lake.deps, { target: 'shop', runId: 'e' });
    for (const [runId, what] of [
      ['c', 'a compaction'],
      ['e', 'an expiry or a vacuum'],
    ]) {
      const answer = await lake.answer({ runId: runId ?? '' });
      assert.ok(answer.kind === 'ended' && answer.refused === true);
      assert.deepEqual(taken.exec(answer.result.error?.message ?? '')?.slice(1), [runId, what]);
    }
    await assert.rejects(expireTables(lake.deps, { target: 'shop', runId: 'run-1' }), (cause) => {
      assert.ok(cause instanceof InvalidInput);
      assert.deepEqual(taken.exec(cause.message)?.slice(1), ['run-1', 'a run']);
      return true;
    });
    await assert.rejects(vacuumTables(lake.deps, { target: 'shop', runId: 'c' }), taken);
    const compaction = await compactTables(lake.deps, { pipeline: 'shop', runId: 'run-2', compact: {} });
    assert.ok(compaction.kind === 'ended' && compaction.result.error?.name === InvalidInput.name);
    assert.match(compaction.result.error.message, taken);
  });
});

test('a forced expiry and a vacuum read no manifest twice, and look at the lock for a batch, not for an object', async () => {
  for (const operation of ['expire', 'vacuum'] as const) {
    const lake = await made.copy();
    for (let n = 0; n < 40; n += 1) {
      const key = `silver/shop/items/data/orphan-${n}.parquet`;
      await lake.store.write(key, new Uint8Array(1), { kind: 'any' });
    }
    const was = await lake.rows('shop_silver.items');
    const reads: string[] = [];
    const removed: string[] = [];
    const noting = lake.reopen((deps) => ({
      ...deps,
      store: {
        ...deps.store,
        read(key) {
          reads.push(key);
          return deps.store.read(key);
        },
        remove(key) {
          removed.push(key);
          return deps.store.remove(key);
        },
      },
    }));
    const forced = { target: 'shop_silver.items', olderThanMs: 0, forceRetention: true };
    if (operation === 'expire') await expireTables(noting.deps, { ...forced, keep: 1 });
    else await vacuumTables(noting.deps, forced);
    const manifests = reads.filter((key) => key.startsWith('silver/shop/items/') && key.endsWith('.avro'));
    assert.ok(manifests.length > 0);
    assert.deepEqual(manifests.toSorted(), [...new Set(manifests)].toSorted(), operation);
    const of = removed.filter((key) => key.startsWith('silver/shop/items/'));
    assert.ok(of.length >= (operation === 'vacuum' ? 40 : 2), of.join());
    const looks = reads.filter((key) => /\/lock\.json$/.test(key)).length;
    assert.ok(looks < 40, `${looks} looks at locks for ${of.length} objects`);
    assert.deepEqual(await lake.rows('shop_silver.items'), was);
  }
});
