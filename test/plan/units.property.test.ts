import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { StateEvent } from '../../lib/asl/state-event.ts';
import { append, csv, definePipeline, full, month, replace, scd2, upsert } from '../../lib/define/index.ts';
import { readLevelPlan, readPlan, runFolder } from '../../lib/lake/run/run-folder.ts';
import { costOfRun } from '../../lib/plan/cost.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { openTestLake } from '../support/test-lake.ts';

/** Lakes in which the units that were explained, planned and run are compared; PLAN_CASES more or fewer of them. */
const CASES = Number(process.env['PLAN_CASES'] ?? 6);
const SEED = Number(process.env['PLAN_SEED'] ?? Date.now() % 2 ** 31);

const keyed = { key: 'id', sequence: 'day', buckets: 3 } as const;
const MODES = {
  append: { mode: append() },
  'dedupe by row': { mode: append({ dedupe: 'row' }), partitionBy: [month('day')] },
  'dedupe by key': { mode: append({ dedupe: { key: 'id' } }) },
  condemn: { mode: append({ dedupe: { key: 'id' }, onDuplicate: 'condemn' }), metadata: ['row_hash'] },
  replace: { mode: replace(), partitionBy: [month('day')] },
  full: { mode: full() },
  upsert: { mode: upsert(keyed) },
  scd2: { mode: scd2(keyed) },
} as const;

const mode = fc.constantFrom(...(Object.keys(MODES) as (keyof typeof MODES)[]));
const landings = fc.array(fc.record({ source: fc.constantFrom('a', 'b'), rows: fc.integer({ min: 1, max: 400 }) }), {
  maxLength: 6,
});
const life = fc.record({
  a: mode,
  b: mode,
  refresh: fc.constantFrom('full', 'touched'),
  // Less would cut a bucket's kilobyte into hundreds of parts.
  unitBytes: fc.integer({ min: 4_000, max: 20_000 }),
  rounds: fc.array(landings, { minLength: 1, maxLength: 3 }),
});

test(`units explained are units planned and units run, and what a run costs counts its calls (seed ${SEED})`, async () => {
  await fc.assert(
    fc.asyncProperty(life, async ({ a, b, refresh, unitBytes, rounds }) => {
      const lake = await openTestLake(pipelineOf(MODES[a], MODES[b], refresh, unitBytes));
      try {
        for (const [round, files] of rounds.entries()) {
          for (const [i, { source, rows }] of files.entries()) {
            await lake.land(source, `${round}-${i}.csv`, content(round * 10 + i, rows));
          }
          await compareRound(lake, `r${round}`);
        }
      } finally {
        lake.close();
      }
    }),
    { numRuns: CASES, seed: SEED, endOnFailure: true },
  );
});

async function compareRound(lake: Awaited<ReturnType<typeof openTestLake>>, runId: string): Promise<void> {
  const explained = await planRun(lake.deps, 'shop');
  const events: StateEvent[] = [];
  const answer = await lake.answer({ runId, onEvent: (event) => events.push(event) });
  if (explained.status === 'NOTHING_TO_DO') {
    assert.equal(answer.kind, 'nothing');
    return;
  }
  assert.equal(answer.kind === 'ended' && answer.result.status, 'SUCCEEDED', JSON.stringify(answer));
  if (answer.kind !== 'ended') return;
  const run = { pipeline: 'shop', run_id: runId, dry_run: false };
  const plan = await readPlan(lake.store, run);
  for (const level of plan.spec.levels.keys()) {
    const tables = explained.levels.find((one) => one.level === level)?.tables ?? [];
    const { models } = await readLevelPlan(lake.store, run, level);
    for (const planned of models) {
      const table = `shop_${planned.model}`;
      assert.equal(
        planned.units.length,
        tables.find((one) => one.table === table)?.units,
        `${table}: planned, explained`,
      );
      for (const unit of planned.units) assert.ok(await lake.store.head(runFolder.unitResult(run, level, unit)), unit);
    }
    assert.deepEqual(
      models.map(({ model }) => `shop_${model}`),
      tables.map(({ table }) => table),
      'tables',
    );
  }
  const calls = events.filter(({ kind, state }) => kind === 'started' && !NO_CALL.test(state)).length;
  const lines = costOfRun(answer.result, plan.spec.compute).lines;
  assert.equal(lines.find(({ item }) => item === 'requests')?.quantity, calls, 'calls of functions');
}

/** States that are not a function's. */
const NO_CALL = /^(Is|More|Done|Nothing)|Map$/;

function pipelineOf(a: object, b: object, refresh: 'full' | 'touched', unitBytes: number) {
  const columns = { id: 'bigint', day: 'date', amount: 'decimal(10,2)' } as const;
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      settings: { unitBytes },
      sources: { a: csv({ columns }), b: csv({ columns }) },
      silver: { a: { from: 'a', ...a }, b: { from: 'b', ...b } },
      gold: { days: { sql: 'days.sql', partitionBy: [month('day')], refresh }, both: { sql: 'both.sql' } },
    } as Parameters<typeof definePipeline>[0]),
    sql: {
      'days.sql': 'SELECT day, sum(amount) AS amount FROM silver.a GROUP BY day',
      'both.sql': 'SELECT count(*) AS n FROM silver.a UNION ALL SELECT count(*) FROM silver.b',
    },
  };
}

/** Rows of ids that come again, over four months. */
function content(seed: number, rows: number): string {
  const row = (i: number): string => `${(seed * 5 + i) % 40},2026-0${1 + ((seed + i) % 4)}-1${i % 9},${i}.00\n`;
  return `id,day,amount\n${Array.from({ length: rows }, (_, i) => row(i)).join('')}`;
}
