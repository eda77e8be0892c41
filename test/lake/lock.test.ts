import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createMemoryStore } from '../../lib/adapters/store/memory.ts';
import { InvalidInput, LockHeld } from '../../lib/core/errors.ts';
import { handOver, releaseLock, renewLock, requireHeld, type TakeDeps, takeLock } from '../../lib/lake/run/lock.ts';
import { clearOpenRun, pointTo, readOpenRun } from '../../lib/lake/run/open-run.ts';
import type { ObjectStore } from '../../lib/ports.ts';

const START = Date.parse('2026-01-01T00:00:00Z');
const LEASE = 60_000;

type Machine = { deps: TakeDeps; clock: number; waited: number; whileWaiting: (ms: number) => Promise<void> };

/** One of the machines that share a store, with a clock of its own. */
function machine(store: ObjectStore, holder: string, settings: Partial<TakeDeps['settings']> = {}): Machine {
  const self: Machine = {
    clock: START,
    waited: 0,
    whileWaiting: async () => {},
    deps: {
      store,
      clock: { now: () => new Date(self.clock) },
      isGone: () => false,
      log: { info: () => {}, warn: () => {} },
      async wait(ms) {
        self.waited += ms;
        await self.whileWaiting(ms);
      },
      settings: { holder: () => holder, leaseMs: LEASE, ...settings },
    },
  };
  return self;
}

const run = (run_id: string, epoch?: number) => ({ pipeline: 'shop', run_id, epoch });

async function lockOf(store: ObjectStore): Promise<Record<string, unknown>> {
  return JSON.parse(new TextDecoder().decode((await store.read('ops/shop/lock.json')).bytes));
}

async function put(store: ObjectStore, lock: unknown): Promise<void> {
  const text = typeof lock === 'string' ? lock : JSON.stringify(lock);
  await store.write('ops/shop/lock.json', new TextEncoder().encode(text), { kind: 'any' });
}

describe('the epoch of a lock', () => {
  test('rises with every taking, also after a release', async () => {
    const store = createMemoryStore();
    const { deps } = machine(store, 'one');
    for (const epoch of [1, 2, 3]) {
      assert.equal(await takeLock(deps, { pipeline: 'shop', run_id: 'r' }), epoch);
      await requireHeld(deps, run('r', epoch));
      await releaseLock(deps, run('r', epoch));
      await requireHeld(deps, run('r', epoch));
    }
    await assert.rejects(requireHeld(deps, run('r', 2)), LockHeld);
    assert.deepEqual(await lockOf(store), { epoch: 3, released: true });
  });

  test('goes on from that of the run pointer when a person has removed the lock', async () => {
    const store = createMemoryStore();
    const { deps } = machine(store, 'one');
    await pointTo(store, await readOpenRun(store, { pipeline: 'shop' }), { ...run('r'), dry_run: false, epoch: 7 });
    assert.equal(await takeLock(deps, { pipeline: 'shop', run_id: 'r' }), 8);
  });

  test('is kept by a run that goes on in the place of another, and by renewals, each of which changes the lock', async () => {
    const store = createMemoryStore();
    const one = machine(store, 'one');
    const epoch = await takeLock(one.deps, { pipeline: 'shop', run_id: 'a' });
    await handOver(one.deps, { ...run('a', epoch), dry_run: false, epoch }, 'b');
    assert.equal((await lockOf(store))['run_id'], 'b');
    for (const beat of [1, 2]) {
      one.clock -= 3_600_000;
      assert.equal(await renewLock(one.deps, run('b', epoch)), 'kept');
      assert.equal((await lockOf(store))['beat'], beat, 'also where the clock was put back');
    }
    assert.equal(await renewLock(one.deps, run('b', epoch + 1)), 'lost');
    assert.equal(await renewLock(machine(store, 'two').deps, run('b')), 'absent');
  });

  test('tells apart two that work on one run under one name', async () => {
    const store = createMemoryStore();
    const one = machine(store, 'run:r', { clocksAgree: true });
    const first = await takeLock(one.deps, { pipeline: 'shop', run_id: 'r' });
    const second = await takeLock(one.deps, { pipeline: 'shop', run_id: 'r' });
    await assert.rejects(
      requireHeld(one.deps, run('r', first)),
      /run r has lost the lock of pipeline shop.*run r took it/,
    );
    await requireHeld(one.deps, run('r', second));
    await releaseLock(one.deps, run('r', first));
    assert.equal((await lockOf(store))['released'], undefined, 'who lost a lock does not give it back');
    await assert.rejects(handOver(one.deps, { ...run('r', first), dry_run: false, epoch: first }, 'x'), LockHeld);
  });
});

describe('a lock that another has', () => {
  test('is respected at once while its lease lasts', async () => {
    const store = createMemoryStore();
    await takeLock(machine(store, 'one').deps, { pipeline: 'shop', run_id: 'a' });
    const two = machine(store, 'two');
    await assert.rejects(
      takeLock(two.deps, { pipeline: 'shop', run_id: 'b' }),
      /run a holds the lock of pipeline shop \(holder one, lease until 2026/,
    );
    assert.equal(two.waited, 0);
  });

  test('is taken at once from a process that is gone', async () => {
    const store = createMemoryStore();
    await takeLock(machine(store, 'one').deps, { pipeline: 'shop', run_id: 'a' });
    const two = machine(store, 'two');
    assert.equal(
      await takeLock({ ...two.deps, isGone: (holder) => holder === 'one' }, { pipeline: 'shop', run_id: 'b' }),
      2,
    );
    assert.equal(two.waited, 0);
  });

  const LEFT: readonly (readonly [string, unknown])[] = [
    ['an hour ago', { run_id: 'a', holder: 'elsewhere:1:1', expires_at: '2025-12-31T23:00:00.000Z' }],
    [
      'by a clock that was years ahead',
      { run_id: 'a', holder: 'elsewhere:1:1', expires_at: '2031-01-01T00:00:00.000Z' },
    ],
    ['with a time that is none', { run_id: 'a', holder: 'elsewhere:1:1', expires_at: 'soon' }],
    [
      'under a long lease',
      { epoch: 4, run_id: 'a', holder: 'x', expires_at: '2025-12-31T23:00:00.000Z', lease_ms: 90_000, beat: 3 },
    ],
  ];
  for (const [when, lock] of LEFT) {
    test(`by a host that is gone, left ${when}, is taken once it was seen unchanged for its lease`, async () => {
      const store = createMemoryStore();
      await put(store, lock);
      const { epoch = 0, lease_ms = 60_000 } = lock as { epoch?: number; lease_ms?: number };
      const two = machine(store, 'two');
      assert.equal(await takeLock(two.deps, { pipeline: 'shop', run_id: 'b' }), epoch + 1);
      assert.equal(two.waited, lease_ms);
    });
  }

  test('is left to a live holder, wherever the clocks of both jump', async () => {
    for (const jump of [-31_536_000_000, -3_600_000, -61_000, -1_000, 1_000, 61_000, 3_600_000, 31_536_000_000]) {
      for (const who of ['holder', 'taker']) {
        const store = createMemoryStore();
        const [one, two] = [machine(store, 'one'), machine(store, 'two')];
        const epoch = await takeLock(one.deps, { pipeline: 'shop', run_id: 'a' });
        if (who === 'holder') one.clock += jump;
        else two.clock += jump;
        let since = 0;
        two.whileWaiting = async (ms) => {
          since += ms;
          one.clock += ms;
          if (since >= LEASE / 3) assert.equal(await renewLock(one.deps, run('a', epoch)), 'kept');
          if (since >= LEASE / 3) since = 0;
        };
        await assert.rejects(takeLock(two.deps, { pipeline: 'shop', run_id: 'b' }), LockHeld, `${who}: ${jump} ms`);
        await requireHeld(one.deps, run('a', epoch));
      }
    }
  });

  test('is held and taken by the time since boot on one machine, wherever its clock jumps', async () => {
    for (const jump of [-3_600_000, 0, 3_600_000]) {
      const store = createMemoryStore();
      let ms = 1_000;
      const settings = { boot: 'b1', sinceBoot: () => ms };
      const [one, two] = [machine(store, 'one', settings), machine(store, 'two', settings)];
      const epoch = await takeLock(one.deps, { pipeline: 'shop', run_id: 'a' });
      two.clock += jump;
      one.clock += jump;
      ms += LEASE - 1;
      await assert.rejects(takeLock(two.deps, { pipeline: 'shop', run_id: 'b' }), LockHeld);
      assert.equal(await renewLock(one.deps, run('a', epoch)), 'kept');
      assert.equal((await lockOf(store))['beat'], 1);
      ms += LEASE - 1;
      await assert.rejects(takeLock(two.deps, { pipeline: 'shop', run_id: 'b' }), LockHeld);
      ms += 1;
      const other = machine(store, 'three', { ...settings, boot: 'b2' });
      other.clock = one.clock;
      await assert.rejects(
        takeLock(other.deps, { pipeline: 'shop', run_id: 'c' }),
        LockHeld,
        'of another boot it says nothing',
      );
      assert.equal(await takeLock(two.deps, { pipeline: 'shop', run_id: 'b' }), 2);
      assert.equal(two.waited, 0);
    }
  });

  test('is taken when it is given back while it is watched', async () => {
    const store = createMemoryStore();
    const [one, two] = [machine(store, 'one'), machine(store, 'two')];
    const epoch = await takeLock(one.deps, { pipeline: 'shop', run_id: 'a' });
    two.clock += 3_600_000;
    two.whileWaiting = () => releaseLock(one.deps, run('a', epoch));
    assert.equal(await takeLock(two.deps, { pipeline: 'shop', run_id: 'b' }), 2);
  });

  test('is taken when its lease has ended by the clock where all clocks agree, and not before', async () => {
    const store = createMemoryStore();
    await takeLock(machine(store, 'one').deps, { pipeline: 'shop', run_id: 'a' });
    const two = machine(store, 'two', { clocksAgree: true });
    two.clock += LEASE - 1;
    await assert.rejects(takeLock(two.deps, { pipeline: 'shop', run_id: 'b' }), LockHeld);
    two.clock += 1;
    assert.equal(await takeLock(two.deps, { pipeline: 'shop', run_id: 'b' }), 2);
    assert.equal(two.waited, 0);
  });

  test('goes to one of many takers', async () => {
    const store = createMemoryStore();
    await put(store, { run_id: 'a', holder: 'elsewhere:1:1', expires_at: '2025-12-31T23:00:00.000Z' });
    const taken = await Promise.allSettled(
      Array.from({ length: 8 }, (_, n) =>
        takeLock(machine(store, `m${n}`).deps, { pipeline: 'shop', run_id: `r${n}` }),
      ),
    );
    assert.equal(taken.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const one of taken) assert.ok(one.status === 'fulfilled' || one.reason instanceof LockHeld);
  });

  for (const text of ['', 'x', '{}', '[]', 'null', '{"epoch":"1","released":true}', '{"run_id":"a"}']) {
    test(`is no lock when it reads ${JSON.stringify(text)}`, async () => {
      const store = createMemoryStore();
      await put(store, text);
      await assert.rejects(takeLock(machine(store, 'one').deps, { pipeline: 'shop', run_id: 'r' }), InvalidInput);
    });
  }
});

describe('the run pointer', () => {
  const held = (run_id: string, epoch: number) => ({ pipeline: 'shop', run_id, dry_run: false, epoch });

  test('is moved by one of two that saw it the same', async () => {
    const store = createMemoryStore();
    const seen = await readOpenRun(store, { pipeline: 'shop' });
    assert.equal(await pointTo(store, seen, held('b', 2)), true);
    assert.equal(await pointTo(store, seen, held('a', 1)), false);
    assert.deepEqual((await readOpenRun(store, { pipeline: 'shop' })).run, {
      pipeline: 'shop',
      run_id: 'b',
      dry_run: false,
    });
  });

  test('is cleared by its own run alone, under the same lock', async () => {
    const store = createMemoryStore();
    await pointTo(store, await readOpenRun(store, { pipeline: 'shop' }), held('a', 2));
    for (const other of [held('b', 2), held('a', 1)]) await clearOpenRun(store, other);
    assert.equal((await readOpenRun(store, { pipeline: 'shop' })).run?.run_id, 'a');
    await clearOpenRun(store, held('a', 2));
    const { run: none, epoch } = await readOpenRun(store, { pipeline: 'shop' });
    assert.deepEqual([none, epoch], [undefined, 2]);
  });

  test('of an earlier release is read, and cleared by a run of then', async () => {
    const store = createMemoryStore();
    const text = JSON.stringify({ pipeline: 'shop', run_id: 'old', dry_run: false });
    await store.write('ops/shop/open-run.json', new TextEncoder().encode(text), { kind: 'any' });
    assert.equal((await readOpenRun(store, { pipeline: 'shop' })).run?.run_id, 'old');
    await clearOpenRun(store, { pipeline: 'shop', run_id: 'old', dry_run: false });
    assert.equal((await readOpenRun(store, { pipeline: 'shop' })).run, undefined);
  });
});
