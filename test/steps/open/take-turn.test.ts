import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { LockHeld } from '../../../lib/core/errors.ts';
import type { OpenInput } from '../../../lib/core/run.ts';
import { markFiles, readMarks, removeMarks } from '../../../lib/lake/ops/marks.ts';
import { releaseLock, type TakeDeps, takeLock } from '../../../lib/lake/run/lock.ts';
import { findWaiter, type PlaceDeps } from '../../../lib/lake/run/waiting.ts';
import type { ObjectStore } from '../../../lib/ports.ts';
import { type Turn, takeTurn } from '../../../lib/steps/open/take-turn.ts';
import { type Actor, Died, explore, type Gate, gated } from '../../support/interleavings.ts';

type Deps = TakeDeps & PlaceDeps;
const LEASE = 20 * 60_000;

function depsOver(store: ObjectStore, changes: Partial<Deps> = {}): Deps {
  return {
    store,
    clock: { now: () => new Date('2026-01-01T00:00:00Z') },
    isGone: () => false,
    wait: async () => {},
    log: { info: () => {}, warn: () => {} },
    settings: { holder: (id) => `run:${id}`, leaseMs: LEASE, clocksAgree: true },
    ...changes,
  };
}

const asked = (run_id: string, more: Partial<OpenInput> = {}): OpenInput => ({
  pipeline: 'shop',
  run_id,
  dry_run: false,
  wait: true,
  started_by: 'events',
  execution: `arn:aws:states:::execution:shop:${run_id}`,
  ...more,
});
const waiter = (run_id: string) => ({ execution: `arn:aws:states:::execution:shop:${run_id}`, run_id });
const behind = (run_id: string): Turn => ({ kind: 'coalesced', behind: waiter(run_id) });
const giveBack = (deps: Deps, run_id: string, epoch: number): Promise<void> =>
  releaseLock(deps, { pipeline: 'shop', run_id, epoch });

async function placeOf(store: ObjectStore): Promise<Record<string, unknown>> {
  return JSON.parse(new TextDecoder().decode((await store.read('ops/shop/waiting.json')).bytes));
}

describe('of executions that nobody watches', () => {
  test('the first waits, the others end behind it, until it has its turn', async () => {
    const store = createMemoryStore();
    const deps = depsOver(store);
    assert.deepEqual(await takeTurn(deps, asked('a')), { kind: 'turn', epoch: 1 });
    await assert.rejects(takeTurn(deps, asked('b')), LockHeld);
    assert.deepEqual(await takeTurn(deps, asked('c')), behind('b'));
    await assert.rejects(takeTurn(deps, asked('b')), LockHeld, 'it waits on');
    await giveBack(deps, 'a', 1);
    assert.deepEqual(await takeTurn(deps, asked('d')), behind('b'), 'the one that waits is not passed');
    assert.deepEqual(await takeTurn(deps, asked('b')), { kind: 'turn', epoch: 2 });
    assert.deepEqual(await placeOf(store), { count: 2, free: true });
    await assert.rejects(takeTurn(deps, asked('e')), LockHeld, 'while b works the next one waits');
    assert.deepEqual(await takeTurn(deps, asked('f')), behind('e'));
  });

  test('one that has ended, or was not seen for as long as a lease, does not wait any more', async () => {
    for (const gone of ['ended', 'expired'] as const) {
      const store = createMemoryStore();
      let now = Date.parse('2026-01-01T00:00:00Z');
      const ended = new Set<string>();
      const deps = depsOver(store, {
        clock: { now: () => new Date(now) },
        hasEnded: async (execution) => ended.has(execution),
      });
      await takeLock(deps, { pipeline: 'shop', run_id: 'a' });
      await assert.rejects(takeTurn(deps, asked('b')), LockHeld);
      assert.deepEqual(await takeTurn(deps, asked('c')), behind('b'));
      if (gone === 'ended') ended.add(waiter('b').execution);
      else now += LEASE;
      if (gone === 'expired') await takeLock(deps, { pipeline: 'shop', run_id: 'a' });
      await assert.rejects(takeTurn(deps, asked('d')), LockHeld);
      assert.equal((await placeOf(store))['run_id'], 'd');
      if (gone === 'expired') assert.deepEqual(await takeTurn(deps, asked('b')), behind('d'), 'one waits, not two');
    }
  });

  test('one that waits shows that it does before half of a lease is over', async () => {
    const store = createMemoryStore();
    let now = Date.parse('2026-01-01T00:00:00Z');
    const deps = depsOver(store, { clock: { now: () => new Date(now) } });
    await takeLock(deps, { pipeline: 'shop', run_id: 'a' });
    const seen: unknown[] = [];
    for (const minutes of [0, 5, 5, 1]) {
      now += minutes * 60_000;
      await assert.rejects(takeTurn(deps, asked('b')), LockHeld);
      seen.push((await placeOf(store))['expires_at']);
    }
    assert.deepEqual(seen, [
      '2026-01-01T00:20:00.000Z',
      '2026-01-01T00:20:00.000Z',
      '2026-01-01T00:30:00.000Z',
      '2026-01-01T00:30:00.000Z',
    ]);
  });

  test('a place that is damaged is nobody’s', async () => {
    for (const text of ['', 'null', '{}', '[1]', '{"execution":7,"run_id":"b","expires_at":"x"}']) {
      const store = createMemoryStore();
      const deps = depsOver(store);
      await store.write('ops/shop/waiting.json', new TextEncoder().encode(text), { kind: 'any' });
      await takeLock(deps, { pipeline: 'shop', run_id: 'a' });
      await assert.rejects(takeTurn(deps, asked('b')), LockHeld);
      assert.deepEqual(await takeTurn(deps, asked('c')), behind('b'));
    }
  });

  test('one that a schedule has started leaves a mark before it ends behind another, so that this one compares', async () => {
    const store = createMemoryStore();
    const deps = depsOver(store);
    await takeLock(deps, { pipeline: 'shop', run_id: 'a' });
    await assert.rejects(takeTurn(deps, asked('b')), LockHeld);
    assert.deepEqual((await readMarks(store, 'shop')).files, []);
    assert.deepEqual(await takeTurn(deps, asked('c', { started_by: 'schedule' })), behind('b'));
    assert.equal((await readMarks(store, 'shop')).files, undefined);
  });
});

const BY_THEMSELVES: readonly (readonly [string, Partial<OpenInput>])[] = [
  ['that asks for models', { select: ['orders'] }],
  ['that leaves models out', { exclude: ['orders'] }],
  ['of a branch', { branch: 'daily', started_by: 'schedule' }],
  ['of a backfill', { backfill: {} }],
  ['of a retry', { retry: {} }],
  ['of a reprocessing', { reprocess: { source: 'orders' } }],
  ['of a rebuild', { rebuild: 'shop_silver.orders' }],
];

for (const [what, more] of BY_THEMSELVES) {
  test(`an execution ${what} waits for itself, and nobody ends behind it`, async () => {
    const store = createMemoryStore();
    const deps = depsOver(store);
    await takeLock(deps, { pipeline: 'shop', run_id: 'a' });
    await assert.rejects(takeTurn(deps, asked('b')), LockHeld);
    await assert.rejects(takeTurn(deps, asked('c', more)), LockHeld);
    await giveBack(deps, 'a', 1);
    assert.deepEqual(await takeTurn(deps, asked('c', more)), { kind: 'turn', epoch: 2 });
    assert.deepEqual(await takeTurn(deps, asked('d')), behind('b'));
  });
}

test('a run that a person asked for waits for itself', async () => {
  const { started_by: _, ...byHand } = asked('c');
  const deps = depsOver(createMemoryStore());
  await takeLock(deps, { pipeline: 'shop', run_id: 'a' });
  await assert.rejects(takeTurn(deps, asked('b')), LockHeld);
  await assert.rejects(takeTurn(deps, byHand), LockHeld);
});

/** Wrong orders, to see that they are found. */
type Mistake = 'lists the marks before it gives up its place' | 'looks who waits before it marks';

/** Executions over one store, and what they have taken. */
function world(mistake?: Mistake) {
  const store = createMemoryStore();
  const state = { lockIsFree: true, waiting: new Set<string>(), most: 0, taken: new Set<string>(), ended: 0 };
  const watched: ObjectStore = {
    ...store,
    async write(key, bytes, condition) {
      const outcome = await store.write(key, bytes, condition);
      if (outcome.kind === 'written' && key.endsWith('/lock.json')) {
        state.lockIsFree = new TextDecoder().decode(bytes).includes('"released":true');
      }
      return outcome;
    },
  };
  const about = (call: string): boolean => / (waiting|lock)\.json$|^writes upload-|^lists /.test(call);

  /** As the state machine has it: a call that died is made again, a held lock is waited for. */
  const execute = async (run_id: string, gate: Gate): Promise<void> => {
    const deps = depsOver(gated(watched, gate, about));
    for (;;) {
      try {
        const early = mistake === 'lists the marks before it gives up its place';
        const before = early ? await readMarks(deps.store, 'shop') : undefined;
        const turn = await takeTurn(deps, asked(run_id));
        if (turn.kind === 'turn') {
          const { keys } = before ?? (await readMarks(deps.store, 'shop'));
          for (const key of keys) state.taken.add(key);
          await removeMarks(deps.store, keys);
          await giveBack(deps, run_id, turn.epoch);
        }
        state.ended += 1;
        return;
      } catch (cause) {
        if (cause instanceof Died) continue;
        if (!(cause instanceof LockHeld)) throw cause;
        state.waiting.add(run_id);
        state.most = Math.max(state.most, state.waiting.size);
        await gate('polls', () => state.lockIsFree);
        state.waiting.delete(run_id);
      }
    }
  };
  /** A file lands: its event is marked, and an execution started. */
  const event = (name: string): Actor => ({
    name,
    async act(gate) {
      const marking = gated(watched, gate, about);
      if (mistake === 'looks who waits before it marks') {
        const other = await findWaiter(depsOver(marking), 'shop', waiter(name));
        await markFiles(marking, 'shop', [{ key: `bronze/shop/orders/${name}`, etag: name }]);
        if (other === undefined) return execute(name, gate);
        state.ended += 1;
        return;
      }
      for (let isMarked = false; !isMarked; ) {
        isMarked = await markFiles(marking, 'shop', [{ key: `bronze/shop/orders/${name}`, etag: name }]).then(
          () => true,
          (cause: unknown) => {
            if (cause instanceof Died) return false;
            throw cause;
          },
        );
      }
      await execute(name, gate);
    },
  });
  const works = async (): Promise<Actor> => {
    const deps = depsOver(watched);
    const epoch = await takeLock(deps, { pipeline: 'shop', run_id: 'r' });
    return {
      name: 'r',
      async act(gate) {
        await gate('ends');
        await giveBack(deps, 'r', epoch);
      },
    };
  };
  /** An execution that has the place of the one that waits. */
  const waits = async (name: string): Promise<Actor> => {
    await assert.rejects(takeTurn(depsOver(watched), asked(name)), LockHeld);
    return {
      name,
      async act(gate) {
        state.waiting.add(name);
        await gate('polls', () => state.lockIsFree);
        state.waiting.delete(name);
        await execute(name, gate);
      },
    };
  };
  const check = (events: number, executions: number) => async (): Promise<void> => {
    assert.equal(state.ended, executions, 'an execution is stuck');
    assert.deepEqual((await readMarks(store, 'shop')).keys, [], 'a mark is left, and nobody is awake to take it');
    assert.equal(state.taken.size, events, 'an event is lost');
    assert.ok(state.most <= 1, `${state.most} executions wait`);
  };
  return { event, works, waits, check };
}

const oneWaits = (mistake?: Mistake) => async () => {
  const { event, works, waits, check } = world(mistake);
  return { actors: [await works(), await waits('w'), event('e')], check: check(1, 2) };
};

test('in every order of an event, and of the one that waits taking its turn: nothing is lost, one waits', async () => {
  const orders = await explore({ preemptions: Number.POSITIVE_INFINITY, world: oneWaits() });
  assert.ok(orders > 400, `${orders} orders`);
});

test('whichever call dies, and is made again, in whatever order', async () => {
  const orders = await explore({ preemptions: 2, mortal: ['w', 'e'], world: oneWaits() });
  assert.ok(orders > 400, `${orders} orders`);
});

test('two events at once, while a run ends: nothing is lost, one waits', async () => {
  const orders = await explore({
    preemptions: 2,
    async world() {
      const { event, works, check } = world();
      return { actors: [await works(), event('d'), event('e')], check: check(2, 2) };
    },
  });
  assert.ok(orders > 400, `${orders} orders`);
});

for (const mistake of ['lists the marks before it gives up its place', 'looks who waits before it marks'] as const) {
  test(`an execution that ${mistake} is found to lose an event`, async () => {
    await assert.rejects(
      explore({ preemptions: Number.POSITIVE_INFINITY, world: oneWaits(mistake) }),
      /nobody is awake to take it.*in this order: r ends, /,
    );
  });
}
