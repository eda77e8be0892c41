import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Unavailable } from '../../../lib/core/errors.ts';
import type { RunResult, RunState } from '../../../lib/core/run.ts';
import { append, csv, definePipeline, upsert } from '../../../lib/define/index.ts';
import type { StepDeps } from '../../../lib/lake/deps.ts';
import { runFolder } from '../../../lib/lake/run/run-folder.ts';
import { runLevel } from '../../../lib/steps/level/level.ts';
import { runOpen } from '../../../lib/steps/open/open.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../../support/test-lake.ts';

/** Two levels: two sources, one of them keyed, and gold over both. */
function shop(unitBytes?: number): TestPipeline {
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      ...(unitBytes === undefined ? {} : { settings: { unitBytes } }),
      sources: {
        sales: csv({ columns: { id: 'bigint', who: 'bigint', amount: 'decimal(10,2)' } }),
        people: csv({ columns: { id: 'bigint', at: 'bigint', name: 'string' }, key: ['id'] }),
      },
      silver: {
        sales: { from: 'sales', mode: append({ dedupe: 'row' }) },
        people: { from: 'people', mode: upsert({ key: 'id', sequence: 'at', buckets: 2 }) },
      },
      gold: { total: { sql: 'total.sql' } },
    }),
    sql: {
      'total.sql':
        'SELECT p.name, sum(s.amount) AS amount FROM silver.sales s JOIN silver.people p ON s.who = p.id GROUP BY p.name',
    },
  };
}

async function land(lake: TestLake): Promise<void> {
  for (const file of [1, 2]) {
    const rows = Array.from({ length: 300 }, (_, i) => `${i * file},${i % 3},${i}.50\n`);
    await lake.land('sales', `${file}.csv`, `id,who,amount\n${rows.join('')}x${file},1,1.00\n`);
  }
  await lake.land('people', 'a.csv', 'id,at,name\n0,1,ann\n1,1,bob\n2,1,cy\n');
}

const TABLES = ['shop_silver.sales', 'shop_silver.people', 'shop_gold.total', 'shop_ops.quarantine'];

type Played = {
  readonly result: RunResult;
  readonly entered: readonly string[];
  readonly rows: readonly unknown[];
  /** Names of what the run wrote down. */
  readonly records: readonly string[];
};

/** One run over a still clock, which no call of Level is late by. */
async function play(pipeline: TestPipeline, change: (deps: StepDeps) => StepDeps = still): Promise<Played> {
  const lake = await openTestLake(pipeline);
  try {
    await land(lake);
    const entered: string[] = [];
    const result = await lake.reopen(change).run({
      runId: 'r-1',
      onEvent: ({ kind, state }) => {
        if (kind === 'entered') entered.push(state);
      },
    });
    const run = { pipeline: 'shop', run_id: 'r-1', dry_run: false };
    const records: string[] = [];
    for await (const { key } of lake.store.list(`${runFolder.root(run)}/`)) {
      if (/results|plan\.json|audit|units\.json/.test(key)) records.push(key);
    }
    const rows = await Promise.all(
      TABLES.map((table) => lake.rows(table, `SELECT ${columnsOf(table)} FROM t ORDER BY ALL`)),
    );
    return { result, entered, rows, records };
  } finally {
    lake.close();
  }
}

/** What does not follow from the names of files. */
function columnsOf(table: string): string {
  return table.endsWith('quarantine') ? 'codes, raw, line' : '*';
}

function still(deps: StepDeps): StepDeps {
  const at = deps.clock.now();
  return { ...deps, clock: { now: () => at } };
}

const insideOf = ({ steps }: RunResult): readonly string[] =>
  steps.flatMap(({ step, level, within }) => (within === undefined ? [] : [`${step} ${level}`]));

describe('a run of a few files', () => {
  test('does all its levels in one call: the rows and records of one that goes through maps, in 9 transitions', async () => {
    const one = await play(shop());
    const maps = await play(shop(4_000));
    const states = ['Open', 'IsThereWork', 'Level', 'WhatIsLeft', 'MoreLevels', 'Commit', 'Finish', 'IsOwnRun', 'Done'];
    assert.deepEqual(one.entered, states);
    assert.ok(maps.entered.includes('StageMap') && maps.entered.length > 30, `${maps.entered.length}`);
    assert.deepEqual(one.rows, maps.rows);
    assert.deepEqual(
      one.rows.map((rows) => (rows as readonly unknown[]).length),
      [599, 3, 3, 2],
    );
    const units = (names: readonly string[]): readonly string[] => names.filter((name) => !/sales/.test(name));
    assert.deepEqual(units(one.records), units(maps.records));
    assert.deepEqual(insideOf(one.result), [
      ...['PlanStage', 'Stage', 'PlanMerge', 'Merge', 'Audit'].map((step) => `${step} 0`),
      ...['PlanStage', 'Stage', 'PlanMerge', 'Audit'].map((step) => `${step} 1`),
    ]);
    const quantity = ({ result }: Played, item: string): number | undefined =>
      result.cost?.lines.find((line) => line.item === item)?.quantity;
    for (const played of [one, maps]) {
      assert.equal(quantity(played, 'state transitions'), played.entered.length);
      assert.equal(played.result.cost?.requests, 'counted');
    }
    assert.equal(quantity(one, 'requests'), 4);
  });

  test('leaves to maps what it has not begun within a minute', async () => {
    const late = (deps: StepDeps): StepDeps => {
      let now = deps.clock.now().getTime();
      // Each look at the clock is a quarter of a minute later.
      const later = (): Date => {
        now += 15_000;
        return new Date(now);
      };
      return { ...deps, clock: { now: later } };
    };
    const [slow, whole] = [await play(shop(), late), await play(shop())];
    assert.ok(slow.entered.filter((state) => state === 'Level').length > 1);
    assert.ok(slow.entered.includes('StageMap'));
    assert.deepEqual(slow.rows, whole.rows);
  });
});

describe('Level', () => {
  async function opened(lake: TestLake): Promise<{ readonly state: RunState; readonly deps: StepDeps }> {
    await land(lake);
    const deps = still(lake.deps);
    const state = await runOpen({ pipeline: 'shop', run_id: 'r-1', dry_run: false }, deps);
    return { state, deps };
  }

  test('goes on where a call has ended on the way, and writes no unit twice', async () => {
    const lake = await openTestLake(shop());
    try {
      const { state, deps } = await opened(lake);
      const published: string[] = [];
      let fails = true;
      const store = {
        ...deps.store,
        async publish(path: string, key: string) {
          if (fails && published.length === 3) throw new Unavailable('not now');
          published.push(key);
          return deps.store.publish(path, key);
        },
      };
      await assert.rejects(runLevel(state, { ...deps, store }), { name: 'Unavailable' });
      const before = await resultsIn(lake);
      fails = false;
      const done = await runLevel(state, { ...deps, store });
      assert.deepEqual([done.level, done.left], [2, 'nothing']);
      assert.ok(before.size > 0);
      const after = await resultsIn(lake);
      for (const [key, etag] of before) assert.equal(after.get(key), etag, key);
      assert.deepEqual(await runLevel(state, deps), done);
    } finally {
      lake.close();
    }
  });

  test('does not begin units of a level in which a worker has ended without an answer', async () => {
    const lake = await openTestLake(shop());
    try {
      const { state, deps } = await opened(lake);
      let kills = true;
      // A worker that is gone takes away no mark.
      const store = {
        ...deps.store,
        async remove(key: string) {
          if (!kills) return deps.store.remove(key);
        },
        async publish(path: string, key: string) {
          if (kills) throw new Unavailable('gone');
          return deps.store.publish(path, key);
        },
      };
      await assert.rejects(runLevel(state, { ...deps, store }), { name: 'Unavailable' });
      kills = false;
      const left = await runLevel(state, { ...deps, store });
      assert.deepEqual([left.level, left.left, left.stage?.alone], [0, 'stage', undefined]);
      assert.equal((await resultsIn(lake)).size, 0);
    } finally {
      lake.close();
    }
  });

  async function resultsIn(lake: TestLake): Promise<ReadonlyMap<string, string>> {
    const found = new Map<string, string>();
    for await (const { key, etag } of lake.store.list('ops/shop/_runs/r-1/')) {
      if (key.includes('/results/')) found.set(key, etag);
    }
    return found;
  }
});
