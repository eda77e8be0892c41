import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import type { RunState } from '../../../lib/core/run.ts';
import { decide, readBell } from '../../../lib/lake/gate/gate-folder.ts';
import { runAwaitDecision } from '../../../lib/steps/gate/await-decision.ts';
import { makeScratch } from '../../support/test-engine.ts';

const run = { pipeline: 'shop', run_id: 'r1', dry_run: false };
const awaiting = { run_id: 'r1', since: 's', expires_at: 'e', digest: 'd', because: ['a rate'], seconds: 60 };
const state: RunState = { status: 'planned', request: run, run, level: 1, levels: 1, awaiting };

test('people are told once, the bell is that of the last execution, and a decision wakes at once who came too late', async () => {
  const store = createMemoryStore({ scratch: makeScratch() });
  let failing = true;
  const told: { readonly subject: string; readonly message: string }[] = [];
  const woken: string[] = [];
  const deps = {
    store,
    clock: { now: () => new Date('2026-01-01T00:00:00Z') },
    log: { info: () => {}, warn: () => {} },
    alerts: {
      publish: async (alert: (typeof told)[number]) => {
        if (failing) throw new Error('throttled');
        told.push(alert);
      },
    },
    wake: async (token: string) => {
      woken.push(token);
    },
  };
  // What could not be sent is sent by the next attempt.
  await assert.rejects(runAwaitDecision({ state, token: 'one' }, deps), /throttled/);
  failing = false;
  assert.equal(await runAwaitDecision({ state, token: 'one' }, deps), state);
  await runAwaitDecision({ state, token: 'two' }, deps);
  assert.deepEqual(await readBell(store, run), { token: 'two' });
  assert.equal(told.length, 1);
  assert.equal(told[0]?.subject, 'Strata: shop awaits approval: strata review r1');
  assert.match(
    told[0]?.message ?? '',
    /r1 of shop awaits approval since s \(a rate\); it is rejected at e[\s\S]*strata approve r1 --by/,
  );
  assert.deepEqual(woken, []);
  await decide(store, run, { decision: 'approved', by: 'ann', reason: 'x', at: 'a', digest: 'd' });
  await runAwaitDecision({ state, token: 'three' }, deps);
  assert.deepEqual([woken, told.length], [['three'], 1]);
  const { awaiting: _awaiting, ...idle } = state;
  await assert.rejects(runAwaitDecision({ state: idle }, deps), /run r1 awaits nothing/);
});
