import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import type { AfterError, FailedState } from '../../../lib/core/failed-run.ts';
import type { OpenInput } from '../../../lib/core/run.ts';
import type { AuditRow, ObjectStore } from '../../../lib/ports.ts';
import type { Alert } from '../../../lib/steps/end/alert-text.ts';
import { runNotify } from '../../../lib/steps/end/notify.ts';
import { Crash, type Fault, type StoreOperation, withStoreFaults } from '../../ports/faults.ts';

const ARN = 'arn:aws:states:eu-west-1:1:execution:strata-shop:r-1';
const request: OpenInput = { pipeline: 'shop', run_id: 'r-1', dry_run: false, wait: true };
const run = { pipeline: 'shop', run_id: 'r-1', dry_run: false };
const error = { Error: 'AuditFailed', Cause: 'silver.orders: 3 rows' };
const failed = (state: Partial<FailedState> = {}, RedriveCount = 0): AfterError => ({
  state: { run, request, error, failure: { run_id: 'r-1', redrives: 0, undone: true }, ...state },
  execution: { Id: ARN, Name: 'r-1', RedriveCount },
});

/** As EventBridge reports the end of the execution, which has its input and its error alone. */
const ended = (of = error, RedriveCount = 0): AfterError => ({
  state: { ...request, request, error: of },
  execution: { Id: ARN, Name: 'r-1', RedriveCount },
  ended: true,
});

function notifier(store: ObjectStore = createMemoryStore()) {
  const alerts: Alert[] = [];
  const rows: AuditRow[] = [];
  const topic: { broken: Error | undefined } = { broken: undefined };
  const waits: number[] = [];
  const notify = (input: AfterError, faults: readonly Fault<StoreOperation>[] = []) =>
    runNotify(input, {
      store: withStoreFaults(store, faults),
      alerts: {
        async publish(alert) {
          if (topic.broken !== undefined) throw topic.broken;
          alerts.push(alert);
        },
      },
      audit: { append: async (more) => void rows.push(...more) },
      clock: { now: () => new Date('2026-01-02T03:04:05.000Z') },
      log: { info: () => {}, warn: () => {} },
      wait: async (ms) => void waits.push(ms),
    });
  return { store, alerts, rows, topic, waits, notify };
}

const resumed = { ...run, run_id: 'r-0' };
const second: OpenInput = { ...request, run_id: 'r-2' };

/** Failures in the order in which they are told, and the runs for which alerts go out. */
const TOLD: readonly (readonly [string, readonly AfterError[], readonly string[]])[] = [
  ['a failure', [failed()], ['r-1']],
  ['a failure that is told again by a retry or another path', [failed(), failed()], ['r-1']],
  ['a failure whose Fail failed', [{ state: { run, request, error }, execution: {} }], ['r-1']],
  ['a failure of Open', [{ state: { ...request, error, failure: { redrives: 0 } }, execution: {} }], ['r-1']],
  [
    'a lock that was lost while a map worked',
    [failed({ failure: { run_id: 'r-1', redrives: 0, lost: 'run r-1 has lost the lock' } })],
    [],
  ],
  ['a held lock', [failed({ error: { Error: 'LockHeld', Cause: 'r-0 holds it' } })], []],
  [
    'runs that fail one after the other',
    [failed(), failed({ request: second, run: { ...run, run_id: 'r-2' } })],
    ['r-1', 'r-2'],
  ],
  [
    'an execution that is redriven and stopped',
    [failed(), { state: { ...request, request, error }, execution: { RedriveCount: 1 } }],
    ['r-1', 'r-1'],
  ],
  [
    'a redrive that is told again',
    [failed({ failure: { redrives: 1 } }, 1), failed({ failure: { redrives: 1 } }, 1)],
    ['r-1'],
  ],
  [
    'a resumed run that is undone, then the run that was asked for',
    [failed({ run: resumed, failure: { redrives: 0, undone: true, go_on: true } }), failed()],
    ['r-0', 'r-1'],
  ],
  ['an execution that has ended, and told of it', [failed(), ended()], ['r-1']],
  ['one that ended outside of any state', [ended({ Error: 'States.DataLimitExceeded', Cause: 'too large' })], ['r-1']],
  ['one that is reported twice', [ended(), ended()], ['r-1']],
  [
    'one that ended because a lock was held',
    [failed({ error: { Error: 'LockHeld', Cause: 'r-0 holds it' } }), ended()],
    [],
  ],
  [
    'one that ended because a lock was lost',
    [failed({ failure: { run_id: 'r-1', redrives: 0, lost: 'run r-1 has lost the lock' } }), ended()],
    [],
  ],
  [
    'one that went on without a resumed run, and ended outside of any state',
    [failed({ run: resumed, failure: { redrives: 0, undone: true, go_on: true } }), ended()],
    ['r-0', 'r-1'],
  ],
  [
    'one that was redriven under another run_id, and told of it',
    [
      failed(),
      ended(),
      failed({ request: { ...request, run_id: 'r-1-r1' }, failure: { redrives: 1 } }, 1),
      ended(error, 1),
    ],
    ['r-1', 'r-1-r1'],
  ],
  ['one that was redriven, and stopped', [failed(), ended(), ended(error, 1)], ['r-1', 'r-1']],
  [
    'a run that stays open, with every execution that could not finish it',
    [
      failed({ run: resumed, failure: { redrives: 0, undone: false } }),
      failed({ run: resumed, request: second, failure: { redrives: 0, undone: false } }),
    ],
    ['r-1', 'r-2'],
  ],
];

for (const [what, inputs, runs] of TOLD) {
  test(`who is told of ${what}`, async () => {
    const { alerts, rows, notify } = notifier();
    const answers = [];
    for (const input of inputs) answers.push(await notify(input));
    assert.deepEqual(
      alerts.map(({ subject }) => /\(([^()]*)\)$/.exec(subject)?.[1]),
      runs,
    );
    assert.equal(answers.filter((answer) => (answer as { alerted: boolean }).alerted).length, runs.length);
    assert.deepEqual(
      rows.map((row) => row.run_id),
      runs,
    );
  });
}

test('a message that did not go out is sent when the function is called again', async () => {
  const { alerts, topic, notify } = notifier();
  topic.broken = new Unavailable('sns:Publish is not possible now');
  await assert.rejects(notify(failed()), Unavailable);
  topic.broken = undefined;
  assert.deepEqual(await notify(failed()), { alerted: true });
  assert.equal(alerts.length, 1);
});

test('a call that died before it sent the message is made up for, after a while', async () => {
  const { alerts, topic, waits, notify } = notifier();
  topic.broken = new Crash();
  await assert.rejects(notify(failed()), Crash);
  topic.broken = undefined;
  await notify(failed());
  assert.equal(alerts.length, 1);
  assert.equal(
    waits.reduce((sum, ms) => sum + ms, 0),
    10_000,
  );
});

test('an end is told of when the call for it is made again, by who may not look for what is not there', async () => {
  const store = createMemoryStore();
  const blind = { ...store, head: () => Promise.reject(new InvalidInput('s3:ListBucket')) };
  const { alerts, topic, notify } = notifier(blind);
  topic.broken = new Unavailable('not now');
  await assert.rejects(notify(ended()), Unavailable);
  topic.broken = undefined;
  assert.deepEqual([await notify(ended()), await notify(ended())], [{ alerted: true }, { alerted: false }]);
  assert.equal(alerts.length, 1);
});

test('a call that is at it is waited for', async () => {
  const store = createMemoryStore();
  const { alerts, notify, topic } = notifier(store);
  topic.broken = new Crash();
  await assert.rejects(notify(failed()), Crash);
  topic.broken = undefined;
  const key = 'ops/shop/_alerts/r-1.json';
  const sent = new TextEncoder().encode('{"status":"sent","attempt":0}');
  await Promise.all([notify(failed()), store.write(key, sent, { kind: 'any' })]);
  assert.deepEqual(alerts, []);
});

test('of two calls that find a dead one only one sends the message', async () => {
  const { alerts, topic, notify } = notifier();
  topic.broken = new Crash();
  await assert.rejects(notify(failed()), Crash);
  topic.broken = undefined;
  const answers = await Promise.all([notify(failed()), notify(failed())]);
  assert.deepEqual(answers.map((answer) => (answer as { alerted: boolean }).alerted).sort(), [false, true]);
  assert.equal(alerts.length, 1);
});

test('a store that cannot be reached ends the call before anybody is told', async () => {
  const { alerts, notify } = notifier();
  await assert.rejects(notify(failed(), [{ operation: 'write', call: 1, kind: 'unavailable-before' }]), Unavailable);
  assert.deepEqual(alerts, []);
});

test('a failure of nobody is an error', async () => {
  await assert.rejects(notifier().notify({ state: { error }, execution: {} }), InvalidInput);
});
