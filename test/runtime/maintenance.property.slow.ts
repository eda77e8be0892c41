import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { InvalidInput } from '../../lib/core/errors.ts';
import { withQuery } from '../../lib/query/select.ts';
import { compactTables } from '../../lib/runtime/compact.ts';
import { expireTables, vacuumTables } from '../../lib/runtime/maintain.ts';
import { rollbackTable } from '../../lib/runtime/rollback-table.ts';
import { tagTable } from '../../lib/runtime/tag-table.ts';
import { Crash } from '../ports/faults.ts';
import { dying, successor } from '../support/dying.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';
import { NOW, readAll, SHOP } from './maintained-shop.ts';

type Op =
  | { readonly kind: 'run' | 'backfill'; readonly rows: number }
  | { readonly kind: 'expire' | 'vacuum'; readonly keep: number }
  | { readonly kind: 'compact' }
  | { readonly kind: 'tag'; readonly pick: number }
  | { readonly kind: 'rollback'; readonly pick: number; readonly reingest: boolean; readonly keyed: boolean };

/** What happens, and at which of its changes the process that does it ends, if it does. */
type Step = { readonly op: Op; readonly diesAt: number | undefined };

const op: fc.Arbitrary<Op> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('run' as const), rows: fc.integer({ min: 1, max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('backfill' as const), rows: fc.integer({ min: 0, max: 2 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('expire' as const, 'vacuum' as const),
      keep: fc.integer({ min: 1, max: 6 }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('compact' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('tag' as const), pick: fc.nat(20) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('rollback' as const),
      pick: fc.nat(20),
      reingest: fc.boolean(),
      keyed: fc.boolean(),
    }),
  },
);
const step: fc.Arbitrary<Step> = fc.record({
  op,
  diesAt: fc.option(fc.integer({ min: 1, max: 90 }), { nil: undefined }),
});

/** What the lake should be: the files whose rows each table has, by the order in which they landed. */
type State = { readonly items: readonly number[]; readonly events: readonly number[] };
type Model = {
  now: State;
  /** By run: what it left. */
  readonly left: Map<string, State>;
  /** Files that the next run takes. */
  waiting: State;
  landed: number;
  /** By file: the step at which a run took it last. */
  readonly taken: Readonly<Record<keyof State, Map<number, number>>>;
};

const NOTHING: State = { items: [], events: [] };
const both = (a: State, b: State): State => ({ items: [...a.items, ...b.items], events: [...a.events, ...b.events] });

/** A file has its number as id and amount, and an event for one of two keys. */
async function land(lake: TestLake, model: Model, files: number): Promise<void> {
  for (let file = 0; file < files; file += 1) {
    model.landed += 1;
    const n = model.landed;
    await lake.land('rows', `${n}.csv`, `id,amount\n${n},${n}\n`);
    await lake.land('events', `${n}.csv`, `id,amount\n${n % 2},${n}\n`);
    model.waiting = both(model.waiting, { items: [n], events: [n] });
  }
}

/** Does it in a process that may end, and again in the next ones until it is done. */
async function surely<T>(lake: TestLake, diesAt: number | undefined, act: (on: TestLake) => Promise<T>): Promise<T> {
  if (diesAt !== undefined) {
    try {
      return await act(dying(lake, diesAt).lake);
    } catch (cause) {
      if (!(cause instanceof Crash)) throw cause;
    }
  }
  return act(successor(lake));
}

async function apply(lake: TestLake, model: Model, { op, diesAt }: Step, at: number): Promise<string> {
  switch (op.kind) {
    case 'run':
    case 'backfill': {
      await land(lake, model, op.rows);
      const runId = `run-${at}`;
      // It takes whatever has landed, also what rollbacks left out.
      const backfill = op.kind === 'backfill' ? { backfill: {} } : {};
      if (op.kind === 'backfill') {
        const all = Array.from({ length: model.landed }, (_, file) => file + 1);
        model.waiting = { items: all, events: all };
        model.now = NOTHING;
      }
      await surely(lake, diesAt, async (on) => {
        const given = await on.answer({ runId, ...backfill });
        if (given.kind === 'ended' && given.result.status === 'SUCCEEDED') return;
        if (on.deps.isGone('anyone')) assert.fail(JSON.stringify(given));
        throw new Crash('the process ended');
      });
      model.now = both(model.now, model.waiting);
      for (const part of ['items', 'events'] as const) {
        for (const file of model.waiting[part]) model.taken[part].set(file, at);
      }
      model.waiting = NOTHING;
      model.left.set(runId, model.now);
      return op.kind === 'run' ? 'ran' : 'made anew';
    }
    case 'expire': {
      const { failed } = await surely(lake, diesAt, (on) =>
        expireTables(on.deps, { target: 'shop', ...NOW, keep: op.keep }),
      );
      assert.deepEqual(failed, []);
      return 'expired';
    }
    case 'vacuum': {
      const { failed } = await surely(lake, diesAt, (on) => vacuumTables(on.deps, { target: 'shop', ...NOW }));
      assert.deepEqual(failed, []);
      return 'vacuumed';
    }
    case 'compact': {
      const compact = { min_files: 2, all: true };
      const given = await compactTables(successor(lake).deps, { pipeline: 'shop', compact, retryIntervalMs: 0 });
      if (given.kind === 'ended') assert.equal(given.result.error, null);
      return given.kind === 'ended' ? 'compacted' : 'nothing to compact';
    }
    case 'tag': {
      const table = 'shop_silver.items';
      if ((await lake.metadata(table)) === undefined) return 'no table';
      await surely(lake, diesAt, (on) => tagTable(on.deps, { table, name: `tag-${at}` }));
      return 'tagged';
    }
    case 'rollback':
      return goBack(lake, model, op, diesAt);
  }
}

async function goBack(
  lake: TestLake,
  model: Model,
  { pick, reingest, keyed }: Extract<Op, { kind: 'rollback' }>,
  diesAt: number | undefined,
): Promise<string> {
  const runs = [...model.left.keys()];
  const to = runs[pick % Math.max(1, runs.length)];
  if (to === undefined) return 'no run';
  const [part, table] = keyed ? (['events', 'shop_silver.latest'] as const) : (['items', 'shop_silver.items'] as const);
  const then = model.left.get(to)?.[part] ?? [];
  let done = false;
  try {
    await surely(lake, diesAt, (on) => rollbackTable(on.deps, { table, to, reingest }));
    done = true;
  } catch (cause) {
    if (!(cause instanceof InvalidInput)) throw cause;
    assert.match(cause.message, /expired|is what it was|does not tell which/);
  }
  if (!done) return 'refused';
  // What runs have taken since, also where an earlier rollback left it out.
  const since = Number(to.slice('run-'.length));
  const lost = [...model.taken[part]].flatMap(([file, at]) =>
    at > since && !then.includes(file) && !model.waiting[part].includes(file) ? [file] : [],
  );
  model.now = { ...model.now, [part]: then };
  if (reingest) model.waiting = { ...model.waiting, [part]: [...model.waiting[part], ...lost] };
  return reingest ? 'went back, with files' : 'went back';
}

async function check(lake: TestLake, model: Model, last: Op['kind']): Promise<void> {
  await readAll(lake);
  if (model.left.size === 0) return;
  assert.deepEqual(await rowsOf(lake), expected(model.now));
  if (last === 'run' || last === 'tag') return;
  for (const [run, state] of model.left) await checkPast(lake, run, state);
}

const ITEMS = 'SELECT id FROM shop_silver.items ORDER BY ALL';
const LATEST = 'SELECT id, amount FROM shop_silver.latest ORDER BY ALL';

async function rowsOf(lake: TestLake): Promise<readonly unknown[]> {
  return [
    (await lake.rows('shop_silver.items', 'SELECT id FROM t ORDER BY ALL')).map(({ id }) => id),
    (await lake.rows('shop_silver.latest', 'SELECT id, amount FROM t ORDER BY ALL')).map(({ id, amount }) => [
      id,
      amount,
    ]),
    (await lake.rows('shop_silver.latest__log', 'SELECT amount FROM t ORDER BY ALL')).map(({ amount }) => amount),
  ];
}

function latest(events: readonly number[]): readonly (readonly [number, number])[] {
  return [0, 1].flatMap((key) => {
    const own = events.filter((event) => event % 2 === key);
    return own.length === 0 ? [] : [[key, Math.max(...own)] as const];
  });
}

const sorted = (files: readonly number[]): readonly number[] => [...files].sort((a, b) => a - b);

function expected({ items, events }: State): readonly unknown[] {
  return [sorted(items), latest(events), sorted(events)];
}

/** A moment is what it was, or says that it has expired. */
async function checkPast(lake: TestLake, run: string, { items, events }: State): Promise<void> {
  const wanted = [sorted(items), latest(events)];
  for (const [at, sql] of [ITEMS, LATEST].entries()) {
    try {
      const rows = await withQuery(lake.deps, { sql, asOf: run }, async (result) => {
        const all: unknown[] = [];
        for await (const page of result.pages())
          all.push(...page.map((row) => (at === 0 ? row['id'] : Object.values(row))));
        return all;
      });
      assert.deepEqual(rows, wanted[at], `${sql} as of ${run}`);
    } catch (cause) {
      if (!(cause instanceof InvalidInput)) throw cause;
      assert.match(cause.message, /expired/);
    }
  }
}

/** Lives of a lake; MAINTENANCE_CASES more or fewer of them, MAINTENANCE_SEED another series. */
const CASES = Number(process.env['MAINTENANCE_CASES'] ?? 3);
const SEED = Number(process.env['MAINTENANCE_SEED'] ?? 7);
/** In so many lives everything happens. */
const ENOUGH = 8;

test(`whatever is run, forgotten, removed and undone, tables are what they should be, and every moment or told to be gone (seed ${SEED})`, async () => {
  const seen = new Map<string, number>();
  const property = fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
    const lake = await openTestLake(SHOP);
    const taken = { items: new Map<number, number>(), events: new Map<number, number>() };
    const model: Model = { now: NOTHING, left: new Map(), waiting: NOTHING, landed: 0, taken };
    try {
      const first: Step = { op: { kind: 'run', rows: 2 }, diesAt: undefined };
      for (const [at, one] of [first, ...steps].entries()) {
        const did = await apply(lake, model, one, at);
        seen.set(did, (seen.get(did) ?? 0) + 1);
        await check(lake, model, one.op.kind);
      }
      const end: Step = { op: { kind: 'run', rows: 1 }, diesAt: undefined };
      await apply(lake, model, end, 999);
      await check(lake, model, 'rollback');
      const sums = await lake.rows('shop_gold.by_id', 'SELECT id FROM t ORDER BY ALL');
      assert.deepEqual(
        sums.map(({ id }) => id),
        [...new Set(sorted(model.now.items))],
      );
    } finally {
      lake.close();
    }
  });
  await fc.assert(property, { numRuns: CASES, seed: SEED, endOnFailure: true });
  if (CASES < ENOUGH) return;
  const back = (seen.get('went back') ?? 0) + (seen.get('went back, with files') ?? 0);
  for (const did of ['ran', 'made anew', 'expired', 'vacuumed'] as const) assert.ok((seen.get(did) ?? 0) > 0, did);
  assert.ok(back > 0, JSON.stringify([...seen]));
});
