import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as settle } from 'node:timers/promises';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { keepLock } from '../../lib/lake/run/keep-lock.ts';
import { releaseLock, takeLock } from '../../lib/lake/run/lock.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const RENEW_MS = 20_000;
const START = Date.parse('2026-01-01T00:00:00Z');

/** A lake in which, as on AWS, the run holds the lock and not the process. */
async function openLake(): Promise<TestLake> {
  const opened = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: { id: 'int' } }) },
      silver: { orders: { from: 'orders', mode: append() } },
    }),
  });
  return opened.reopen((deps) => ({ ...deps, settings: { ...deps.settings, holder: (run) => `run:${run}` } }));
}

const kept = (run_id: string, epoch?: number) => ({ pipeline: 'shop', run_id, epoch: () => epoch });

async function leaseOf({ store }: TestLake): Promise<string> {
  const { bytes } = await store.read('ops/shop/lock.json');
  return (JSON.parse(new TextDecoder().decode(bytes)) as { readonly expires_at: string }).expires_at;
}

async function settleAll(): Promise<void> {
  for (let turn = 0; turn < 20; turn += 1) await settle();
}

test('a lease grows for as long as the action takes, and no longer', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const lake = await openLake();
  const tick = async (): Promise<string> => {
    t.mock.timers.tick(RENEW_MS);
    await settleAll();
    return leaseOf(lake);
  };
  try {
    let now = START;
    const deps = { ...lake.deps, clock: { now: () => new Date(now) } };
    await takeLock(deps, { pipeline: 'shop', run_id: 'run-1' });
    const taken = await leaseOf(lake);
    assert.equal(await keepLock(deps, kept('run-1'), tick), taken, 'a lease that has just begun is left alone');
    now += RENEW_MS;
    assert.equal(await keepLock(deps, kept('another'), tick), taken, 'a lock of another run is left alone');
    const renewed = await keepLock(deps, kept('run-1'), async () => {
      assert.equal(await leaseOf(lake), new Date(now + 60_000).toISOString(), 'renewed before the action begins');
      now += RENEW_MS;
      return tick();
    });
    assert.equal(renewed, new Date(now + 60_000).toISOString());
    assert.ok(renewed > taken, `${renewed} is later than ${taken}`);
    assert.equal(await tick(), renewed);
  } finally {
    lake.close();
  }
});

test('many short actions, none as long as a pause between renewals, keep the lock of a run', async () => {
  const lake = await openLake();
  try {
    let now = START;
    const deps = { ...lake.deps, clock: { now: () => new Date(now) } };
    await takeLock(deps, { pipeline: 'shop', run_id: 'run-1' });
    for (let action = 0; action < 10; action += 1) {
      now += RENEW_MS - 1;
      await keepLock(deps, kept('run-1'), async () => {});
      assert.ok(Date.parse(await leaseOf(lake)) > now, `the lease has ended before action ${action + 1}`);
    }
  } finally {
    lake.close();
  }
});

test('a renewal that is under way is waited for, after an error too', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const lake = await openLake();
  try {
    let now = START;
    let finish = (): void => {};
    const slow = new Promise<void>((resolve) => {
      finish = resolve;
    });
    const written: string[] = [];
    const store: ObjectStore = {
      ...lake.store,
      async write(key, bytes, condition) {
        await slow;
        written.push(key);
        return lake.store.write(key, bytes, condition);
      },
    };
    const deps = { ...lake.deps, clock: { now: () => new Date(now) } };
    await takeLock(deps, { pipeline: 'shop', run_id: 'run-1' });
    let over = false;
    const keeping = keepLock({ ...deps, store }, kept('run-1'), async () => {
      now += RENEW_MS;
      t.mock.timers.tick(RENEW_MS);
      throw new Error('no');
    }).catch((thrown: unknown) => {
      over = true;
      return String(thrown);
    });
    await settleAll();
    assert.equal(over, false, 'it came back while a renewal was under way');
    finish();
    assert.equal(await keeping, 'Error: no');
    assert.deepEqual(written, ['ops/shop/lock.json']);
  } finally {
    lake.close();
  }
});

test('a run whose lock another has taken is told so, once a renewal finds out, and not after it has ended', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const lake = await openLake();
  try {
    let now = START;
    const deps = { ...lake.deps, clock: { now: () => new Date(now) } };
    const epoch = await takeLock(deps, { pipeline: 'shop', run_id: 'run-1' });
    await keepLock(deps, kept('run-1', epoch), async (lost) => {
      t.mock.timers.tick(RENEW_MS);
      await settleAll();
      assert.equal(lost.aborted, false);
      now += 61_000;
      assert.equal(await takeLock(deps, { pipeline: 'shop', run_id: 'run-2' }), epoch + 1);
      t.mock.timers.tick(RENEW_MS);
      await settleAll();
      assert.equal(lost.aborted, true);
      assert.throws(() => lost.throwIfAborted(), { name: 'LockHeld', message: /run-1 has lost the lock/ });
    });
    let ended: number | undefined = epoch + 1;
    const second = { pipeline: 'shop', run_id: 'run-2', epoch: () => ended };
    await keepLock(deps, second, async (lost) => {
      await releaseLock(deps, { pipeline: 'shop', run_id: 'run-2', epoch: epoch + 1 });
      ended = undefined;
      await takeLock(deps, { pipeline: 'shop', run_id: 'run-3' });
      t.mock.timers.tick(RENEW_MS);
      await settleAll();
      assert.equal(lost.aborted, false);
    });
  } finally {
    lake.close();
  }
});
