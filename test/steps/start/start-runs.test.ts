import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { Unavailable } from '../../../lib/core/errors.ts';
import { executionName, type Upload, uploadId } from '../../../lib/core/trigger.ts';
import type { AuditRow, Executions, JsonValue, ObjectStore } from '../../../lib/ports.ts';
import { type ReportedUpload, type StartAnswer, startRuns } from '../../../lib/steps/start/start-runs.ts';
import { Crash, type Fault, type StoreOperation, withStoreFaults } from '../../ports/faults.ts';

const upload = (name: string): Upload => ({ key: `bronze/shop/orders/${name}.csv`, etag: name, version: `v-${name}` });
const A = upload('a');
const B = upload('b');
const C = upload('c');
const A_AGAIN: Upload = { ...A, version: 'v-a2' };

/** Step Functions: a name is used once, whatever became of its execution. */
function stepFunctions() {
  const inputs = new Map<string, JsonValue>();
  let broken: Error | undefined;
  const executions: Executions = {
    async start(name, input) {
      if (broken !== undefined) throw broken;
      if (inputs.has(name)) return 'exists';
      inputs.set(name, input);
      return 'started';
    },
  };
  const fail = (error: Error | undefined): void => {
    broken = error;
  };
  return { inputs, executions, fail };
}

function starter(store: ObjectStore = createMemoryStore()) {
  const machine = stepFunctions();
  const rows: AuditRow[] = [];
  const books: { broken: Error | undefined } = { broken: undefined };
  const warnings: string[] = [];
  const deliver = (uploads: readonly Upload[], faults: readonly Fault<StoreOperation>[] = []): Promise<StartAnswer> => {
    const reported: readonly ReportedUpload[] = uploads.map((one, at) => ({ message: `m${at}`, upload: one }));
    return startRuns('shop', reported, {
      store: withStoreFaults(store, faults),
      executions: machine.executions,
      audit: {
        async append(more) {
          if (books.broken !== undefined) throw books.broken;
          rows.push(...more);
        },
      },
      clock: { now: () => new Date('2026-01-01T00:00:00Z') },
      log: { info: () => {}, warn: (event, fields) => void warnings.push(`${event}: ${fields?.['cause']}`) },
    });
  };
  return { store, machine, rows, books, warnings, deliver };
}

type Delivery = readonly Upload[];

/** Batches in the order in which they come, and the sets of uploads for which executions begin. */
const DELIVERIES: readonly (readonly [string, readonly Delivery[], readonly Delivery[]])[] = [
  ['one upload', [[A]], [[A]]],
  ['several uploads begin one execution', [[A, B, C]], [[A, B, C]]],
  ['an event twice in a batch', [[A, B, A]], [[A, B]]],
  [
    'a batch again',
    [
      [A, B],
      [A, B],
    ],
    [[A, B]],
  ],
  [
    'a batch again, in another order',
    [
      [A, B, C],
      [C, A, B],
    ],
    [[A, B, C]],
  ],
  ['an event again in a batch of its own', [[A, B], [B], [A]], [[A, B]]],
  ['an event again among new ones', [[A], [A, B]], [[A], [A, B]]],
  [
    'events again, spread over batches of new ones',
    [
      [A, B],
      [B, C],
      [C, A],
    ],
    [
      [A, B],
      [B, C],
    ],
  ],
  ['the same content uploaded again', [[A], [A_AGAIN]], [[A], [A_AGAIN]]],
  ['nothing', [[]], []],
];

for (const [what, batches, begun] of DELIVERIES) {
  test(`deliveries: ${what}`, async () => {
    const { machine, deliver } = starter();
    for (const batch of batches) assert.deepEqual((await deliver(batch)).failed, []);
    assert.deepEqual([...machine.inputs.keys()], begun.map(executionName));
  });
}

test('an execution waits for its turn, and its run has its name', async () => {
  const { machine, deliver } = starter();
  const name = executionName([A]);
  assert.deepEqual((await deliver([A])).started, [name]);
  const by = { wait: true, started_by: 'events' };
  assert.deepEqual(machine.inputs.get(name), { pipeline: 'shop', run_id: name, dry_run: false, ...by });
});

test('a marker tells what it is about and where it went', async () => {
  const { store, deliver } = starter();
  await deliver([A]);
  const { bytes } = await store.read(`ops/shop/_events/${uploadId(A)}.json`);
  assert.deepEqual(JSON.parse(new TextDecoder().decode(bytes)), { execution: executionName([A]), ...A });
});

test('what began is noted, what came again is not', async () => {
  const { rows, deliver } = starter();
  await deliver([A, B]);
  await deliver([B, A]);
  assert.deepEqual(
    rows.map(({ event, run_id, detail }) => [event, run_id, detail]),
    [['started', executionName([A, B]), `${A.key}, ${B.key}`]],
  );
});

test('a call that dies after its markers is made up for when the batch comes again', async () => {
  const { machine, deliver } = starter();
  machine.fail(new Crash());
  await assert.rejects(deliver([A, B]), Crash);
  machine.fail(undefined);
  assert.deepEqual((await deliver([B, A])).started, [executionName([A, B])]);
});

test('a call that dies after the start has started what it had to', async () => {
  const { machine, books, deliver } = starter();
  books.broken = new Crash();
  await assert.rejects(deliver([A, B]), Crash);
  books.broken = undefined;
  await deliver([A, B]);
  assert.deepEqual([...machine.inputs.keys()], [executionName([A, B])]);
});

const AMONG_MARKERS: readonly (readonly [string, readonly Delivery[], readonly Delivery[]])[] = [
  ['the same batch goes on under the same name', [[A, B]], [[A, B]]],
  ['batches put together otherwise lose nothing', [[B], [A]], [[B], [A, B]]],
  ['batches put together otherwise lose nothing, in the other order', [[A, C], [B]], [[A, B], [A, C], [B]]],
];

for (const [what, batches, begun] of AMONG_MARKERS) {
  test(`a call that dies among its markers: ${what}`, async () => {
    const { machine, deliver } = starter();
    const second = (key: string): boolean => key.includes(uploadId(B));
    await assert.rejects(
      deliver([A, B], [{ operation: 'write', call: 1, kind: 'crash-before', about: second }]),
      Crash,
    );
    for (const batch of batches) assert.deepEqual((await deliver(batch)).failed, []);
    assert.deepEqual([...machine.inputs.keys()].sort(), begun.map(executionName).sort());
  });
}

test('two calls with the same events at once begin one execution', async () => {
  const { machine, deliver } = starter();
  await Promise.all([deliver([A, B]), deliver([B, A])]);
  assert.deepEqual([...machine.inputs.keys()], [executionName([A, B])]);
});

test('two calls that share an event give it to one execution', async () => {
  const { store, machine, deliver } = starter();
  await Promise.all([deliver([A, B]), deliver([B, C])]);
  const marker = await store.read(`ops/shop/_events/${uploadId(B)}.json`);
  const { execution } = JSON.parse(new TextDecoder().decode(marker.bytes));
  assert.ok(machine.inputs.has(execution));
  assert.ok(machine.inputs.size <= 2);
});

test('a marker that cannot be written fails its own messages', async () => {
  const { machine, warnings, deliver } = starter();
  const aboutB = (key: string): boolean => key.includes(uploadId(B));
  const fault = { operation: 'write', call: 1, kind: 'unavailable-before', about: aboutB } as const;
  assert.deepEqual((await deliver([A, B, C, B], [fault])).failed, ['m1', 'm3']);
  assert.deepEqual([...machine.inputs.keys()], [executionName([A, B, C])]);
  assert.equal(warnings.length, 1);
});

test('a marker that names nothing fails its own messages, and says what to do', async () => {
  for (const text of ['', '{}', '{"execution":7}', 'null']) {
    const { store, machine, warnings, deliver } = starter();
    const key = `ops/shop/_events/${uploadId(B)}.json`;
    await store.write(key, new TextEncoder().encode(text), { kind: 'any' });
    assert.deepEqual((await deliver([A, B])).failed, ['m1']);
    assert.equal(machine.inputs.size, 1);
    assert.match(warnings[0] ?? '', /_events\/.*json names no execution; remove it/);
  }
});

test('a start that fails, fails the messages of that execution; they start it when they come again', async () => {
  const { machine, rows, deliver } = starter();
  await deliver([A]);
  machine.fail(new Unavailable('states:StartExecution is not possible now'));
  assert.deepEqual(await deliver([A, B]), { started: [], failed: ['m0', 'm1'] });
  assert.equal(rows.length, 1);
  machine.fail(undefined);
  assert.deepEqual(await deliver([A, B]), { started: [executionName([A, B])], failed: [] });
});
