import assert from 'node:assert/strict';
import { rmSync } from 'node:fs';
import { after, test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { CONCURRENCY } from '../../../lib/core/concurrency.ts';
import type { RunPlan } from '../../../lib/core/run.ts';
import { factsOfFailed } from '../../../lib/lake/facts/failed-work.ts';
import { runFolder, writeJson } from '../../../lib/lake/run/run-folder.ts';
import { emptyResult } from '../../../lib/lake/run/unit-record.ts';
import { rateOf } from '../../../lib/plan/model-cost.ts';
import type { ObjectStore } from '../../../lib/ports.ts';
import { makeScratch } from '../../support/test-engine.ts';

const scratch = makeScratch();
after(() => rmSync(scratch, { recursive: true, force: true }));

const run = { pipeline: 'p', run_id: 'r', dry_run: false };
const model = (name: string) => ({ id: `silver.${name}`, layer: 'silver', name, from: name, reads: [] });
const PLAN = {
  run,
  created_at: '2026-01-01T00:00:00.000Z',
  spec: { name: 'p', levels: [['silver.a', 'silver.ab']], models: [model('a'), model('ab')] },
  tables: {},
} as unknown as RunPlan;

/** A run folder in which such units of `a` and `ab` have ended, of two of each, and a merge of `ab` has or has not. */
async function folderWith(done: readonly string[], merged: boolean | undefined): Promise<ObjectStore> {
  const store = createMemoryStore({ scratch });
  const planned = ['a', 'ab'].map((name) => ({
    model: `silver.${name}`,
    units: [`${name}-0`, `${name}-1`],
    contract: {},
  }));
  await writeJson(store, runFolder.levelPlan(run, 0), { level: 0, models: planned, ms: 1 });
  for (const unit of done) {
    const result = {
      ...emptyResult(unit, `silver.${unit.split('-')[0]}`),
      counts: { read: 10, accepted: 9, quarantined: 1, condemned: 0, duplicates: 0 },
      inputs: { brought: 3, kept: 4, skipped: 5 },
      ms: 7,
      ...(unit.endsWith('-1') && { spilled_bytes: 11 }),
    };
    await writeJson(store, runFolder.unitResult(run, 0, unit), result);
  }
  if (merged !== undefined) {
    await writeJson(store, runFolder.mergeUnits(run, 0), [{ level: 0, unit: 'merge-0' }]);
    await writeJson(store, runFolder.unit(run, 0, 'merge-0'), { kind: 'compact', model: 'silver.ab', inputs: [] });
    const result = { ...emptyResult('merge-0', 'silver.ab'), ms: 5 };
    if (merged) await writeJson(store, runFolder.unitResult(run, 0, 'merge-0'), result);
  }
  return store;
}

const ALL = ['a-0', 'a-1', 'ab-0', 'ab-1'];
const CASES: readonly (readonly [string, readonly string[], boolean | undefined, string, readonly string[]])[] = [
  ['the model that it names', ALL, undefined, 'X: silver.a: bad', ['a FAILED 2 14', 'ab UNDONE 2 14']],
  ['one whose name begins alike', ALL, undefined, 'X: write silver.ab: bad', ['a UNDONE 2 14', 'ab FAILED 2 14']],
  ['a table, and its log', ALL, undefined, 'X: p_silver.ab__log: bad', ['a UNDONE 2 14', 'ab FAILED 2 14']],
  ['a part of a name', ALL, undefined, 'X: other.silver.a_b', ['a UNDONE 2 14', 'ab UNDONE 2 14']],
  ['the only one not done', ['a-0', 'a-1', 'ab-0'], undefined, 'Timeout', ['a UNDONE 2 14', 'ab FAILED 1 7']],
  ['one that has not begun', ['a-0', 'a-1'], undefined, 'Timeout', ['a UNDONE 2 14', 'ab FAILED 0 0']],
  ['one whose merge is not done', ALL, false, 'Timeout', ['a UNDONE 2 14', 'ab FAILED 2 14']],
  ['nobody, where several are not done', ['a-0', 'ab-0'], undefined, 'Timeout', ['a UNDONE 1 7', 'ab UNDONE 1 7']],
  ['nobody, where all are', ALL, true, 'Timeout', ['a UNDONE 2 14', 'ab UNDONE 3 19']],
  ['two that it names: nobody', ALL, undefined, 'silver.a, silver.ab', ['a UNDONE 2 14', 'ab UNDONE 2 14']],
];

for (const [name, done, merged, error, expected] of CASES) {
  test(`a run fails by ${name}`, async () => {
    const store = await folderWith(done, merged);
    const { model_runs } = await factsOfFailed(store, PLAN, error, rateOf(undefined, {}));
    const told = model_runs.map((row) => {
      assert.equal(row['error'], row['status'] === 'FAILED' ? error : null);
      return `${String(row['model']).slice('silver.'.length)} ${row['status']} ${row['units']} ${row['duration_ms']}`;
    });
    assert.deepEqual(told, expected);
  });
}

test('what units had done by then counts', async () => {
  const store = await folderWith(['a-0', 'a-1'], undefined);
  const { model_runs, quality } = await factsOfFailed(store, PLAN, 'silver.a', rateOf(undefined, {}));
  const [row] = model_runs;
  assert.deepEqual([row?.['rows_in'], row?.['bytes_read'], row?.['bytes_written']], [20, 6, null]);
  assert.deepEqual([row?.['spilled_bytes'], row?.['peak_memory_bytes']], [11, null]);
  assert.deepEqual([model_runs.length, quality], [1, []]);
  const none = await factsOfFailed(createMemoryStore({ scratch }), PLAN, 'x', rateOf(undefined, {}));
  assert.deepEqual(none.model_runs, []);
});

test('of many units little is under way at a time, and no object is read twice: what ends a run has little memory and time', async () => {
  const store = await folderWith(ALL, true);
  const many = Array.from({ length: 40 }, (_, n) => `a-${n}`);
  for (const unit of many) await writeJson(store, runFolder.unitResult(run, 0, unit), emptyResult(unit, 'silver.a'));
  const models = [
    { model: 'silver.a', units: many, contract: {} },
    { model: 'silver.ab', units: ['ab-0', 'ab-1'], contract: {} },
  ];
  await writeJson(store, runFolder.levelPlan(run, 0), { level: 0, models, ms: 1 });
  const reads: string[] = [];
  let [under, most] = [0, 0];
  const counted: ObjectStore = {
    ...store,
    async read(key) {
      reads.push(key);
      under += 1;
      most = Math.max(most, under);
      await setImmediate();
      under -= 1;
      return store.read(key);
    },
  };
  const { model_runs } = await factsOfFailed(counted, PLAN, 'x', rateOf(undefined, {}));
  assert.deepEqual(
    model_runs.map(({ units }) => units),
    [40, 3],
  );
  assert.equal(new Set(reads).size, reads.length);
  assert.ok(most > 1 && most <= CONCURRENCY, String(most));
});
