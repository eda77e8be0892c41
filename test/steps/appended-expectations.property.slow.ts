import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvalidInput } from '../../lib/core/errors.ts';
import { append, csv, definePipeline, month, replace, rowCount, unique } from '../../lib/define/index.ts';
import { rollbackTable } from '../../lib/runtime/rollback-table.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';
import { answer } from './compact-lake.ts';

/** What a run says of a table that it adds to, which it finds by what is new, is what a look at all rows says. */

type Line = { readonly id: number | null; readonly month: number; readonly note: string | null };
type Op =
  | { readonly kind: 'run'; readonly lines: readonly Line[] }
  | { readonly kind: 'backfill' }
  | { readonly kind: 'compact'; readonly table: number }
  | { readonly kind: 'rollback'; readonly table: number; readonly pick: number };

const line: fc.Arbitrary<Line> = fc.record({
  id: fc.option(fc.integer({ min: 0, max: 40 }), { freq: 12 }),
  month: fc.integer({ min: 1, max: 3 }),
  note: fc.option(
    fc.constantFrom(
      'a',
      'b',
      'a long text, of which bounds have the beginning 1',
      'a long text, of which bounds have the beginning 2',
    ),
    { freq: 6 },
  ),
});
const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({ kind: fc.constant('run' as const), lines: fc.array(line, { minLength: 1, maxLength: 3 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('backfill' as const) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('compact' as const), table: fc.nat(2) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('rollback' as const), table: fc.nat(2), pick: fc.nat(20) }) },
);

const warn = <T extends object>(expectation: T): T & { policy: 'warn' } => ({ ...expectation, policy: 'warn' });
const expect = {
  ids: warn(unique('id')),
  pairs: warn(unique('note', 'id')),
  few: warn(rowCount({ min: 3, max: 7 })),
};
const TABLES = ['flat', 'months', 'replaced'];
const SHOP: TestPipeline = {
  name: 'shop',
  definition: definePipeline({
    name: 'shop',
    sources: { rows: csv({ columns: { id: 'bigint', day: 'date', note: 'string' } }) },
    silver: {
      flat: { from: 'rows', mode: append(), expect },
      months: { from: 'rows', mode: append({ dedupe: 'row' }), partitionBy: [month('day')], expect },
      replaced: { from: 'rows', mode: replace(), partitionBy: [month('day')], expect },
    },
  }),
};

/** By table and expectation: how much offends. */
type Broken = Readonly<Record<string, string>>;

async function brokenNow(lake: TestLake): Promise<Broken> {
  const broken: Record<string, string> = {};
  for (const table of TABLES) {
    const repeats = (columns: string): string =>
      `(SELECT count(*) FROM (SELECT ${columns} FROM t GROUP BY ${columns} HAVING count(*) > 1))`;
    const select = `SELECT ${repeats('id')} AS ids, ${repeats('id, note')} AS pairs, count(*) NOT BETWEEN 3 AND 7 AS few FROM t`;
    const [found = {}] = await lake.rows(`shop_silver.${table}`, select);
    for (const [name, count] of Object.entries(found))
      if (Number(count) > 0) broken[`${table} ${name}`] = `${Number(count)}`;
  }
  return broken;
}

function brokenIn(warnings: readonly string[]): Broken {
  const found = warnings.flatMap((text) => {
    const [, table, name, count] = /^silver\.(\w+): expectation (\w+) does not hold: (\d+) offending/.exec(text) ?? [];
    return table === undefined ? [] : [[`${table} ${name}`, `${count}`] as const];
  });
  return Object.fromEntries(found);
}

async function live(ops: readonly Op[]): Promise<void> {
  const lake = await openTestLake(SHOP);
  try {
    const runs: string[] = [];
    for (const [at, one] of ops.entries()) await apply(lake, one, at, runs);
  } finally {
    lake.close();
  }
}

async function apply(lake: TestLake, one: Op, at: number, runs: string[]): Promise<void> {
  if (one.kind === 'run' || one.kind === 'backfill') return runAndCompare(lake, one, at, runs);
  if (runs.length === 0) return;
  const table = `shop_silver.${TABLES[one.table]}`;
  if (one.kind === 'compact') {
    const given = await answer(lake, { table, min_files: 2, all: true });
    assert.notEqual(given.kind, 'locked');
    return;
  }
  const to = runs[one.pick % runs.length] ?? '';
  await rollbackTable(lake.deps, { table, to }).catch((cause: unknown) => {
    if (!(cause instanceof InvalidInput)) throw cause;
  });
}

async function runAndCompare(
  lake: TestLake,
  one: Extract<Op, { kind: 'run' | 'backfill' }>,
  at: number,
  runs: string[],
): Promise<void> {
  if (one.kind === 'run') {
    const lines = one.lines.map(
      ({ id, month: m, note }) => `${id ?? ''},2026-0${m}-01,${note === null ? '' : `"${note}"`}`,
    );
    await lake.land('rows', `${at}.csv`, `id,day,note\n${lines.join('\n')}\n`);
  } else if (runs.length === 0) return;
  const result = await lake.run({ runId: `run-${at}`, ...(one.kind === 'backfill' ? { backfill: {} } : {}) });
  assert.equal(result.status, 'SUCCEEDED', JSON.stringify(result.error));
  runs.push(`run-${at}`);
  assert.deepEqual(brokenIn(result.warnings), await brokenNow(lake));
}

/** Histories; EXPECTATION_CASES more or fewer of them, EXPECTATION_SEED another series. */
const CASES = Number(process.env['EXPECTATION_CASES'] ?? 8);
const SEED = Number(process.env['EXPECTATION_SEED'] ?? Date.now() % 2 ** 31);

test(`what runs say of tables over random histories (seed ${SEED})`, async () => {
  const histories = fc.array(op, { minLength: 4, maxLength: 12 });
  await fc.assert(fc.asyncProperty(histories, live), { numRuns: CASES, seed: SEED });
});
