import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countingStore } from '../../../lib/adapters/store/counting.ts';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { DEFAULT_COMPUTE } from '../../../lib/core/compute.ts';
import { addSpent, NOTHING_SPENT, type Requests, spentBy } from '../../../lib/core/requests.ts';
import type { RowCounts } from '../../../lib/core/row-counts.ts';
import type { RunPlan, RunRef, RunResult } from '../../../lib/core/run.ts';
import { runFolder, writeJson, writePlan } from '../../../lib/lake/run/run-folder.ts';
import { costOfRun } from '../../../lib/plan/cost.ts';
import { requestsAround } from '../../../lib/plan/run-requests.ts';
import { shapeOf } from '../../../lib/plan/run-shape.ts';
import { measureRun } from '../../../lib/runtime/lambda/run-metrics.ts';

const orders: RowCounts = { read: 100, accepted: 85, quarantined: 4, condemned: 1, duplicates: 10 };
const customers: RowCounts = { read: 100, accepted: 100, quarantined: 0, condemned: 0, duplicates: 0 };

function resultOf(run: RunRef, accounting: RunResult['accounting'] = { orders, customers }): RunResult {
  return {
    run_id: run.run_id,
    pipeline: run.pipeline,
    status: 'SUCCEEDED',
    accounting,
    rejected_files: [],
    left_files: [],
    skipped: { count: 0, names: [] },
    suspended_files: [],
    tables: {
      'shop_silver.orders': { rows_added: 85, files_added: 2, snapshot_id: '1' },
      'shop_gold.totals': { rows_added: 3, files_added: 1, snapshot_id: '2' },
    },
    warnings: [],
    previews: {},
    duration_ms: 60_000,
    steps: [{ step: 'Stage', level: 0, units: 2, ms: 30_000 }],
    error: null,
  };
}

function measured() {
  const store = createMemoryStore();
  let now = new Date('2026-01-01T00:00:00Z');
  const finish = async (
    run: RunRef,
    at: string,
    accounting?: RunResult['accounting'],
  ): Promise<Record<string, number>> => {
    now = new Date(at);
    const sources = {
      orders: { files_key: 'f', files: 3, bytes: 1_000 },
      customers: { files_key: 'f', files: 1, bytes: 24 },
    };
    await writeJson(store, runFolder.plan(run), { run, sources, spec: { compute: DEFAULT_COMPUTE } });
    await writeJson(store, runFolder.result(run), resultOf(run, accounting));
    const figures: Record<string, number> = {};
    await measureRun({ store, clock: { now: () => now } }, run, (metric, value) => {
      figures[metric] = value;
    });
    return figures;
  };
  return finish;
}

const run = (run_id: string, dry_run = false): RunRef => ({ pipeline: 'shop', run_id, dry_run });

test('a run that succeeded is measured by its result and its plan', async () => {
  const finish = measured();
  const figures = await finish(run('r-1'), '2026-01-01T00:00:00Z');
  assert.deepEqual(figures, {
    RowsRead: 200,
    RowsAccepted: 185,
    RowsQuarantined: 4,
    RowsCondemned: 1,
    RowsDuplicate: 10,
    FilesRead: 4,
    BytesRead: 1_024,
    FilesWritten: 3,
    QuarantineRate: 2.5,
    RunDuration: 60_000,
    EstimatedCost: costOfRun(resultOf(run('r-1')), DEFAULT_COMPUTE).usd,
    RunSucceeded: 1,
  });
  assert.ok((figures['EstimatedCost'] ?? 0) > 0);
});

function planOf(run_id: string): RunPlan {
  const plan = {
    run: run(run_id),
    created_at: '2026-01-01T00:00:00.000Z',
    sources: {},
    spec: { compute: DEFAULT_COMPUTE },
  };
  return plan as unknown as RunPlan;
}

test('what the run has cost is what its result says', async () => {
  const store = createMemoryStore();
  const cost = { ...costOfRun(resultOf(run('r-1')), DEFAULT_COMPUTE), usd: 0.25 };
  await writePlan({ store }, planOf('r-1'));
  await writeJson(store, runFolder.result(run('r-1')), { ...resultOf(run('r-1')), cost });
  const figures = new Map<string, number>();
  await measureRun({ store, clock: { now: () => new Date() } }, run('r-1'), (metric, value) => {
    figures.set(metric, value);
  });
  assert.equal(figures.get('EstimatedCost'), 0.25);
});

test('measuring asks S3 for as much as the cost of a run says', async () => {
  const inner = createMemoryStore();
  let asked = NOTHING_SPENT;
  const store = countingStore(inner, (call) => {
    asked = addSpent(asked, spentBy(call));
  });
  const around = (dryRun: boolean): Requests => requestsAround(shapeOf([]), dryRun);
  const [own, none] = [around(false), around(true)];
  for (const run_id of ['r-1', 'r-2']) {
    await writePlan({ store: inner }, planOf(run_id));
    await writeJson(inner, runFolder.result(run(run_id)), resultOf(run(run_id)));
    asked = NOTHING_SPENT;
    await measureRun({ store, clock: { now: () => new Date() } }, run(run_id), () => {});
    assert.deepEqual([asked.get, asked.put], [own.get - none.get, own.put - none.put], run_id);
  }
});

test('its freshness is the time since the run that succeeded before it', async () => {
  const finish = measured();
  assert.ok(!('Freshness' in (await finish(run('r-1'), '2026-01-01T00:00:00Z'))));
  assert.equal((await finish(run('r-2'), '2026-01-01T01:00:00Z'))['Freshness'], 3_600_000);
});

test('a Finish that is repeated measures nothing again', async () => {
  const finish = measured();
  await finish(run('r-1'), '2026-01-01T00:00:00Z');
  assert.deepEqual(await finish(run('r-1'), '2026-01-01T00:01:00Z'), {});
});

test('a dry run is not measured, and is no success', async () => {
  const finish = measured();
  assert.deepEqual(await finish(run('r-1', true), '2026-01-01T00:00:00Z'), {});
  assert.ok(!('Freshness' in (await finish(run('r-2'), '2026-01-01T01:00:00Z'))));
});

test('a run that read no rows rejected none of them', async () => {
  assert.equal((await measured()(run('r-1'), '2026-01-01T00:00:00Z', {}))['QuarantineRate'], 0);
});
