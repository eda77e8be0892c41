import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { RunResult } from '../../lib/core/run.ts';
import { append, csv, definePipeline, full, month, replace, scd2, upsert } from '../../lib/define/index.ts';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { readLevelPlan, readPlan, runFolder } from '../../lib/lake/run/run-folder.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { type Asked, type SeenRun, watchRequests } from '../support/count-requests.ts';
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
  const { seen, onEvent, watch } = watchRequests();
  // No lock is renewed meanwhile, however long the run takes: how often is up to the clock.
  // Nor is a call of Level late, by a clock that stands still.
  const at = lake.deps.clock.now();
  const calm = (deps: StepDeps): StepDeps =>
    watch({ ...deps, clock: { now: () => at }, settings: { ...deps.settings, leaseMs: 3_600_000 } });
  const answer = await lake.reopen(calm).answer({ runId, onEvent });
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
    for (const { model, units } of models) {
      const table = `shop_${model}`;
      assert.equal(units.length, tables.find((one) => one.table === table)?.units, `${table}: planned, explained`);
      for (const unit of units) assert.ok(await lake.store.head(runFolder.unitResult(run, level, unit)), unit);
    }
    const planned = models.map(({ model }) => `shop_${model}`);
    const due: readonly string[] = tables
      .map(({ table }) => table)
      .filter((table) => planned.includes(table) || !isSpared(table, answer.result));
    assert.deepEqual(planned, due, 'tables');
  }
  // What Level itself asks for is the lists of units.
  const { Level: _, ...asked } = Object.fromEntries(seen.asked);
  assert.deepEqual(askedByResult(answer.result), asked, 'what each step asked for');
  const { cost } = answer.result;
  if (cost?.requests !== 'counted') assert.fail('the run was not counted');
  const lines = cost.lines.map(({ item, quantity }) => [item, quantity]);
  const counted = linesOf(seen);
  assert.deepEqual(Object.fromEntries(lines.filter(([item]) => String(item) in counted)), counted);
}

/** A table whose new rows are all repeated ones does not change, which shows only in the run: gold over it is spared then. */
function isSpared(table: string, { tables }: RunResult): boolean {
  const reads = { 'shop_gold.days': ['a'], 'shop_gold.both': ['a', 'b'] }[table] ?? [];
  return reads.length > 0 && reads.every((name) => (tables[`shop_silver.${name}`]?.snapshot_id ?? null) === null);
}

/** By step, as the test sees them. */
function askedByResult({ steps }: RunResult): Readonly<Record<string, Asked>> {
  const asked = new Map<string, Asked>();
  for (const { step, spent } of steps) {
    const sum = asked.get(step) ?? { get: 0, put: 0, bytesIn: 0, bytesOut: 0 };
    asked.set(step, {
      get: sum.get + (spent?.get ?? 0),
      put: sum.put + (spent?.put ?? 0),
      bytesIn: sum.bytesIn + (spent?.bytes_in ?? 0),
      bytesOut: sum.bytesOut + (spent?.bytes_out ?? 0),
    });
  }
  return Object.fromEntries(asked);
}

/** The lines that count. AWS itself looks at the lock before each call, reads and writes lists for maps, and measures the run at its end. */
function linesOf({ asked, calls, maps, transitions }: SeenRun): Readonly<Record<string, number>> {
  const sum = (what: keyof Asked): number => [...asked.values()].reduce((total, one) => total + one[what], 0);
  return {
    requests: calls,
    'state transitions': transitions,
    GET: sum('get') + calls + maps + 4,
    'PUT and LIST': sum('put') + 2 * maps + 1,
    'files read': sum('bytesIn'),
    'files written': sum('bytesOut'),
  };
}

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
