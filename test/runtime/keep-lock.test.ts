import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setImmediate as settle } from 'node:timers/promises';
import { append, csv, definePipeline } from '../../lib/define/index.ts';
import { keepLock, RENEW_MS } from '../../lib/runtime/keep-lock.ts';
import { takeLock } from '../../lib/steps/lock.ts';
import { openTestLake } from '../support/test-lake.ts';

test('a lease grows for as long as the action takes, and no longer', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  const lake = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: csv({ columns: { id: 'int' } }) },
      silver: { orders: { from: 'orders', mode: append() } },
    }),
  });
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
    await takeLock(lake.deps, 'shop', 'run-1');
    const taken = await lease();
    const renewed = await keepLock(lake.deps, 'shop', tick);
    assert.ok(renewed > taken, `${renewed} is later than ${taken}`);
    assert.equal(await tick(), renewed);
  } finally {
    lake.close();
  }
});
