import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { createFileCatalog } from '../../lib/adapters/catalog/file.ts';
import { loadStateMachine } from '../../lib/asl/load.ts';
import { lowerStateMachine } from '../../lib/asl/lower.ts';
import { append, csv, definePipeline, month, query, replace, scd2, unique, upsert } from '../../lib/define/index.ts';
import { parseMetadata, renderMetadata } from '../../lib/iceberg/json.ts';
import { releaseQuarantine } from '../../lib/lake/ops/release.ts';
import { acquireAll, holdResources, keepOrRelease } from '../../lib/lake/resources.ts';
import { readJson } from '../../lib/lake/run/run-folder.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { listFiles } from '../../lib/query/list-files.ts';
import { withQuery } from '../../lib/query/select.ts';
import { medallionHandlers } from '../../lib/runtime/handlers.ts';
import { runStateMachine, type StateHandler } from '../../lib/runtime/state-machine.ts';
import { type CountedDeps, countResources } from '../support/counted-resources.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const MEDALLION = readFileSync(new URL('../../statemachines/medallion.asl.json', import.meta.url), 'utf8');
const CODEC = { parse: parseMetadata, render: renderMetadata };
/** CRASH_POINTS=all lets the store fail at every call; otherwise at one in six. */
const STRIDE = process.env['CRASH_POINTS'] === 'all' ? 1 : 6;

const HEADER = 'id,day,amount\n';

/** Every way of staging and merging, with rejected rows that are remembered, expectations, a breaker and touched gold. */
const PIPELINE = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    breaker: { rows: 100, window: '1h' },
    // Small units, so that rows are exchanged and merged.
    settings: { unitBytes: 30_000 },
    sources: {
      orders: csv({ key: 'id', columns: { id: 'bigint', day: 'date', amount: 'decimal(10,2)' } }),
      days: csv({ columns: { id: 'bigint', day: 'date', amount: 'decimal(10,2)' } }),
      people: csv({ columns: { id: 'bigint', day: 'date', amount: 'decimal(10,2)' }, drift: 'evolve' }),
    },
    silver: {
      orders: {
        from: 'orders',
        mode: append({ dedupe: 'row' }),
        partitionBy: [month('day')],
        expect: { once: unique('id', 'day', 'amount') },
      },
      people: { from: 'people', mode: scd2({ key: 'id', sequence: 'day', buckets: 2, missing: 'delete' }) },
      latest: { from: 'people', mode: upsert({ key: 'id', sequence: 'day', buckets: 2 }) },
      days: { from: 'days', mode: replace(), partitionBy: [month('day')] },
    },
    gold: {
      months: {
        sql: 'months.sql',
        partitionBy: [month('day')],
        refresh: 'touched',
        expect: { some: query('SELECT * FROM this WHERE n < 0') },
      },
      totals: { sql: 'totals.sql' },
    },
  }),
  sql: {
    'months.sql': 'SELECT day, count(*) AS n FROM silver.orders GROUP BY day',
    'totals.sql': 'SELECT count(*) AS n FROM silver.people JOIN silver.latest USING (id)',
  },
};

async function openWaiting(): Promise<TestLake> {
  const lake = await openTestLake(PIPELINE, { threads: 1, remember: true });
  const rows = (from: number, count: number): string =>
    Array.from({ length: count }, (_, i) => `${from + i},2026-0${1 + (i % 3)}-05,${i}.00\n`).join('');
  await lake.land('orders', 'a.csv', `${HEADER}${rows(1, 60)}`);
  await lake.land('people', 'a.csv', `${HEADER}${rows(1, 60)}`);
  await lake.land('days', 'a.csv', `${HEADER}${rows(1, 200)}`);
  await lake.run({ runId: 'before' });
  await lake.land('orders', 'b.csv', `${HEADER}${rows(50, 1200)}999,2026-02-31,4.00\n`);
  await lake.land('orders', 'c.csv', `${HEADER}${rows(2000, 1200)}`);
  await lake.land('days', 'b.csv', `${HEADER}${rows(1, 3)}`);
  await lake.land('people', 'b.csv', `id,day,amount,note\n5,2026-04-01,1.00,late\n6,nonsense,1.00,bad\n`);
  return lake;
}

/** Calls something again and again, with the store failing one call later each time, until it does not fail any more. */
async function failEverywhere<T>(counted: CountedDeps, what: string, act: () => Promise<T>): Promise<T> {
  for (let n = 1; ; n += STRIDE) {
    counted.failAt(n);
    try {
      const answer = await act();
      if (!counted.hasFailed()) return answer;
    } catch (cause) {
      if (!counted.hasFailed()) throw cause;
    }
    counted.failAt(Number.POSITIVE_INFINITY);
    await forgetAttempts(counted.deps.store);
    assert.deepEqual(counted.held(), [], `${what}: the store failed at its call ${n}`);
  }
}

/** A mark that a worker could not take away counts as its death; here that is not what is looked at. */
async function forgetAttempts(store: ObjectStore): Promise<void> {
  for await (const { key } of store.list('ops/shop/_runs/r/')) if (/attempt/.test(key)) await store.remove(key);
}

function withCounted(lake: TestLake): CountedDeps {
  const counted = countResources(lake.deps);
  return { ...counted, deps: { ...counted.deps, catalog: createFileCatalog(counted.deps.store, CODEC) } };
}

describe('what is acquired is given back, at whichever call the store fails', () => {
  test('by every state of a run', async () => {
    const lake = await openWaiting();
    const counted = withCounted(lake);
    const reached = new Set<string>();
    const handlers: Record<string, StateHandler> = {};
    const died = Object.assign(new Error('killed'), { name: 'Runtime.OutOfMemory' });
    for (const [state, handler] of Object.entries(medallionHandlers(counted.deps))) {
      handlers[state] = async (input) => {
        // Ended without an answer at the first level, so that the other states are gone through as well.
        if (state === 'Level' && !reached.has('PlanStage')) throw died;
        reached.add(state);
        return failEverywhere(counted, state, () => handler(input));
      };
    }
    const outcome = await runStateMachine({
      definition: lowerStateMachine(loadStateMachine(MEDALLION, 'medallion.asl.json')),
      input: { pipeline: 'shop', run_id: 'r', dry_run: false },
      handlers,
      readItems: (key) => readJson(lake.store, key),
      concurrency: 1,
      retryIntervalMs: 0,
    });
    assert.equal(outcome.status, 'SUCCEEDED', JSON.stringify(outcome));
    for (const state of ['Open', 'Level', 'PlanStage', 'Stage', 'PlanMerge', 'Merge', 'Audit', 'Commit', 'Finish']) {
      assert.ok(reached.has(state), `${state} was not reached`);
    }
    assert.deepEqual(await lake.rows('shop_silver.orders', 'SELECT count(*) AS n FROM t'), [{ n: 2460 }]);
    assert.deepEqual(counted.held(), []);
    lake.close();
  });

  test('by queries, and by what releases rows', async () => {
    const lake = await openWaiting();
    const counted = withCounted(lake);
    const sql = 'SELECT count(*) FROM shop_silver.people JOIN shop_silver.latest USING (id)';
    await failEverywhere(counted, 'query', () => withQuery(counted.deps, { sql }, async (result) => result.columns));
    await failEverywhere(counted, 'files', () => listFiles(counted.deps, 'shop', {}));
    await failEverywhere(counted, 'release', () =>
      releaseQuarantine(counted.deps, 'shop', 'release', { code: 'TYPE_ERROR' }),
    );
    lake.close();
  });
});

describe('resources', () => {
  const named = (name: string, gone: string[]): AsyncDisposable => ({
    [Symbol.asyncDispose]: async () => {
      gone.push(name);
    },
  });

  test('that were acquired before one that fails are given back, the last first', async () => {
    const gone: string[] = [];
    const acquired = acquireAll([
      async () => named('a', gone),
      async () => named('b', gone),
      () => Promise.reject(new Error('no c')),
    ]);
    await assert.rejects(acquired, /no c/);
    assert.deepEqual(gone, ['b', 'a']);
  });

  test('that cannot be made ready are given back, and kept otherwise', async () => {
    const gone: string[] = [];
    const failing = keepOrRelease(named('a', gone), () => Promise.reject(new Error('not ready')));
    await assert.rejects(failing, /not ready/);
    await keepOrRelease(named('b', gone), async () => {});
    assert.deepEqual(gone, ['a']);
  });

  test('that are held together are given back together', async () => {
    const gone: string[] = [];
    {
      await using held = holdResources();
      held.add(named('a', gone));
      held.add(named('b', gone));
    }
    assert.deepEqual(gone, ['b', 'a']);
  });
});
