import assert from 'node:assert/strict';
import type { StepDeps } from '../../lib/lake/deps.ts';
import { compactTables } from '../../lib/runtime/compact.ts';
import { runPipeline } from '../../lib/runtime/local.ts';
import { expireTables, vacuumTables } from '../../lib/runtime/maintain.ts';
import { rollbackTable } from '../../lib/runtime/rollback-table.ts';
import { requireReadable, requireServed, requireSettled } from './invariants.ts';
import { overtakenRule } from './overtaken.ts';
import { createScheduler, type Execution, type Schedule } from './scheduler.ts';
import type { Ground, Objects, World } from './world.ts';

/** What an actor does. `again` is a second start of the run `run-a`. `tidy` compacts, and a week later expires and vacuums. */
export type Doing = 'run' | 'again' | 'compact' | 'expire' | 'vacuum' | 'force-vacuum' | 'tidy' | 'rollback';

/** Who works on a lake at the same time, by name. A run lands a file of its own first. */
export type Scenario = {
  /** Runs that came before. */
  readonly runs: number;
  /** Their files have been joined. */
  readonly compacted?: true;
  /** A table is served elsewhere. */
  readonly serves?: true;
  readonly actors: Readonly<Record<string, Doing>>;
};

export type Played = Execution & {
  /** The first invariant that did not hold. */
  readonly broken: string | undefined;
};

const DAY_MS = 24 * 3_600_000;
const TABLE = 'shop_silver.items';
const RETRY = { retryIntervalMs: 0 };
const FORCED = { forceRetention: true, olderThanMs: 0 };

/** A lake in which some runs have been, each on a day of its own, a month ago. */
export async function prepare(
  ground: Ground,
  { runs, compacted, serves }: Pick<Scenario, 'runs' | 'compacted' | 'serves'>,
): Promise<{ objects: Objects; now: number }> {
  let objects: Objects = [];
  let now = Date.parse('2026-01-01T00:00:00Z');
  for (let n = 1; n <= runs; n += 1) {
    const world = await ground.open(objects, now, serves);
    await world.land(n);
    const deps = world.deps(`p${n}`, world.store, () => false);
    const answer = await runPipeline(deps, { pipeline: 'shop', runId: `run-${n}`, ...RETRY });
    assert.ok(answer.kind === 'ended' && answer.result.status === 'SUCCEEDED', JSON.stringify(answer));
    objects = await world.objects();
    now += DAY_MS;
  }
  if (compacted === true) {
    const world = await ground.open(objects, now, serves);
    await act(
      world.deps('pc', world.store, () => false),
      'pc',
      'compact',
    );
    objects = await world.objects();
  }
  return { objects, now: now + 30 * DAY_MS };
}

/** Carries out a schedule, then lets everything end, and holds the lake to its invariants on the way and in the end. */
export async function play(
  ground: Ground,
  scenario: Scenario,
  schedule: Schedule,
  base: { objects: Objects; now: number },
): Promise<Played> {
  const world = await ground.open(base.objects, base.now, scenario.serves);
  const landed = Array.from({ length: scenario.runs }, (_, at) => at + 1);
  let broken: string | undefined;
  const hold = async (invariant: () => Promise<void>): Promise<void> => {
    try {
      if (broken === undefined) await invariant();
    } catch (cause) {
      broken = cause instanceof Error ? cause.message : String(cause);
    }
  };
  const rule = overtakenRule((what) => {
    broken ??= what;
  });
  let weeks = 0;
  const late = (): void => {
    weeks += 1;
    world.late();
  };
  const scheduler = createScheduler(schedule, {
    late,
    async switched() {
      world.tick();
      await hold(() => requireReadable({ store: world.store, catalog: world.catalog() }));
    },
  });
  // What a run reads that its plan does not pin, as nothing is before it is written and no books are, may be forgotten while
  // the run stands still for a week: it fails, and the next one undoes it or finishes it.
  const planned = new Map<string, number>();
  const begun = new Map<string, number>();
  const forgotten = (name: string, cause: string): boolean => {
    // Tables are named in it, not folders of runs.
    const [, zone] = /no object \\*"(\w+)\/\w+\/[^_"/][^"]*\/(data|metadata)\//.exec(cause) ?? [];
    const until = zone === 'ops' ? weeks : (planned.get(name) ?? weeks);
    return zone !== undefined && until > (begun.get(name) ?? 0);
  };
  const actors = Object.entries(scenario.actors).map(([name, doing], at) => ({
    name,
    act: async () => {
      begun.set(name, weeks);
      const store = rule.asks(name, scheduler.store(name, rule.makes(name, world.store)), (key) => {
        if (/_(runs|compactions)\/[^/]+\/plan\.json$/.test(key)) planned.set(name, weeks);
      });
      const deps = world.deps(name, store, scheduler.isGone);
      if (doing === 'run') {
        landed.push(scenario.runs + 1 + at);
        await world.land(scenario.runs + 1 + at);
      }
      await act(deps, name, doing, late);
    },
  }));
  const execution = await scheduler.run(actors);
  // A store that refuses is a reason to fail.
  const mayFail = schedule.events.some(({ what }) => what === 'refused');
  for (const [name, cause] of execution.failures) {
    if (mayFail || forgotten(name, String(cause))) continue;
    broken ??= `${name} ended with ${String(cause)}`;
  }
  await hold(() => settle(world, scenario, landed));
  return { ...execution, broken };
}

/** Throws where the answer is one that a person would not expect. */
async function act(deps: StepDeps, name: string, doing: Doing, late: () => void = () => {}): Promise<void> {
  switch (doing) {
    case 'run':
      return requireFine(await runPipeline(deps, { pipeline: 'shop', runId: `run-${name}`, ...RETRY }));
    case 'again':
      return requireFine(await runPipeline(deps, { pipeline: 'shop', runId: 'run-a', ...RETRY }));
    case 'compact': {
      const compact = { min_files: 2, all: true };
      return requireFine(await compactTables(deps, { pipeline: 'shop', runId: `compact-${name}`, compact, ...RETRY }));
    }
    case 'expire':
      return requireDone(await orRefused(() => expireTables(deps, { target: 'shop', keep: 1 })));
    case 'vacuum':
      return requireDone(await orRefused(() => vacuumTables(deps, { target: 'shop' })));
    case 'force-vacuum':
      return requireDone(await orRefused(() => vacuumTables(deps, { target: 'shop', ...FORCED })));
    case 'tidy':
      await act(deps, name, 'compact');
      late();
      await act(deps, name, 'expire');
      return act(deps, name, 'vacuum');
    case 'rollback':
      await orRefused(() => rollbackTable(deps, { table: TABLE, to: 'run-1', reingest: true }));
  }
}

function requireFine(answer: {
  readonly kind: string;
  readonly result?: { readonly error: { readonly message: string } | null };
}): void {
  const { error = null } = answer.result ?? {};
  // A rollback that died bars the way, and says how to finish it.
  if (error?.message.startsWith('a rollback of shop_silver.items is unfinished; nothing was done') === true) return;
  assert.equal(error, null, JSON.stringify(answer));
}

function requireDone(answer: { readonly failed: readonly { readonly error: string }[] } | undefined): void {
  const failed = answer?.failed ?? [];
  assert.deepEqual(
    failed.filter(({ error }) => !error.includes('no answer to')),
    [],
  );
}

/** A command that needs the lake for itself may be refused while others work on it, and no answer of the store may come. */
async function orRefused<T>(command: () => Promise<T>): Promise<T | undefined> {
  try {
    return await command();
  } catch (cause) {
    if (cause instanceof Error && ['LockHeld', 'Unavailable', 'InvalidInput'].includes(cause.name)) return undefined;
    throw cause;
  }
}

const MOST_RUNS = 4;

/** Everything has ended, and time passes: runs go on with what is left, until nothing is, and maintenance tidies up. */
async function settle(world: World, scenario: Scenario, landed: readonly number[]): Promise<void> {
  world.late();
  const deps = world.deps('z', world.store, () => false);
  await runOut(world, deps, 'z');
  if (Object.values(scenario.actors).includes('compact')) await act(deps, 'z', 'compact');
  requireDone(await vacuumTables(deps, { target: 'shop', ...FORCED }));
  await requireReadable({ store: world.store, catalog: world.catalog() });
  await runOut(world, deps, 'y');
  await requireSettled(deps, landed, Object.values(scenario.actors).includes('rollback'));
  if (scenario.serves === true) await requireServed(deps, landed);
}

async function runOut(world: World, deps: StepDeps, name: string): Promise<void> {
  for (let n = 1; n <= MOST_RUNS; n += 1) {
    world.tick();
    const answer = await runPipeline(deps, { pipeline: 'shop', runId: `${name}-${n}`, ...RETRY });
    if (answer.kind === 'nothing') return;
    const refused = answer.kind === 'ended' ? String(answer.result.error?.message) : '';
    const [, to] = /Finish it first: strata rollback \S+ --to (\S+)/.exec(refused) ?? [];
    if (to === undefined) requireFine(answer);
    else await orRefused(() => rollbackTable(deps, { table: TABLE, to, reingest: true }));
  }
  assert.fail(`after ${MOST_RUNS} runs there is still something to do`);
}
