import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as settle } from 'node:timers/promises';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { keepLock, RENEW_MS } from '../../lib/runtime/keep-lock.ts';
import { takeLock } from '../../lib/steps/lock.ts';
import { openTestLake } from '../support/test-lake.ts';

test('a lease grows for as long as the action takes, and no longer', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const opened = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: { id: 'int' } }) },
      silver: { orders: { from: 'orders', mode: append() } },
    }),
  });
  // As on AWS, where the run holds the lock and not the process.
  const lake = opened.reopen((deps) => ({ ...deps, settings: { ...deps.settings, holder: (run) => `run:${run}` } }));
  const lease = async (): Promise<string> => {
    const { bytes } = await lake.store.read('ops/shop/lock.json');
    return (JSON.parse(new TextDecoder().decode(bytes)) as { readonly expires_at: string }).expires_at;
  };
  const tick = async (): Promise<string> => {
    t.mock.timers.tick(RENEW_MS);
    for (let turn = 0; turn < 20; turn += 1) await settle();
    return lease();
  };
  try {
    let now = Date.parse('2026-01-01T00:00:00Z');
    const deps = { ...lake.deps, clock: { now: () => new Date(now) } };
    await takeLock(deps, 'shop', 'run-1');
    const taken = await lease();
    assert.equal(await keepLock(deps, 'shop', 'run-1', tick), taken, 'a lease that has just begun is left alone');
    now += RENEW_MS;
    assert.equal(await keepLock(deps, 'shop', 'another', tick), taken, 'a lock of another run is left alone');
    const renewed = await keepLock(deps, 'shop', 'run-1', tick);
    assert.ok(renewed > taken, `${renewed} is later than ${taken}`);
    assert.equal(await tick(), renewed);
  } finally {
    lake.close();
  }
});
