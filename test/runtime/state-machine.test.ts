import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { loadStateMachine } from '../../lib/asl/load.ts';
import { lowerStateMachine } from '../../lib/asl/lower.ts';
import type { StateEvent } from '../../lib/asl/state-event.ts';
import { AuditFailed, InvalidInput, ObjectNotFound, Unavailable } from '../../lib/core/errors.ts';
import type { JsonValue } from '../../lib/ports.ts';
import { runStateMachine, type StateHandler, type StateMachineResult } from '../../lib/runtime/state-machine.ts';
import { changed, SMALL } from '../asl/small-machine.ts';

type Scene = {
  readonly machine?: unknown;
  readonly items?: readonly JsonValue[];
  readonly begin?: StateHandler;
  readonly work?: StateHandler;
  readonly readItems?: (key: string) => Promise<readonly JsonValue[]>;
  readonly concurrency?: number;
};

const INPUT = { run: 'r1', count: 1, units_key: 'ops/p/units.json' };

async function play(
  scene: Scene,
): Promise<{ result: StateMachineResult; events: readonly StateEvent[]; seen: JsonValue[] }> {
  const events: StateEvent[] = [];
  const seen: JsonValue[] = [];
  const text = JSON.stringify(scene.machine ?? SMALL);
  const result = await runStateMachine({
    definition: lowerStateMachine(loadStateMachine(text, 'm.asl.json')),
    input: INPUT,
    handlers: {
      Begin: scene.begin ?? (async (input) => input),
      Work: async (input) => {
        seen.push(input);
        return scene.work?.(input) ?? null;
      },
    },
    readItems: scene.readItems ?? (async () => scene.items ?? []),
    concurrency: scene.concurrency ?? 4,
    onEvent: (event) => events.push(event),
    retryIntervalMs: 0,
  });
  return { result, events, seen };
}

const numbers = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);
const unitOf = (input: JsonValue): number => (input as { unit: number }).unit;

describe('runStateMachine', () => {
  it('runs the items of a map, each with what ItemSelector selects, and keeps results out of the state', async () => {
    const { result, seen } = await play({ items: [{ id: 1 }, 'two', 0, null, [3]], work: async () => 'x'.repeat(99) });
    assert.deepEqual(
      seen,
      [{ id: 1 }, 'two', 0, null, [3]].map((unit) => ({ unit, run: 'r1', fixed: [1, { name: 'r1' }] })),
    );
    assert.deepEqual(result, { status: 'SUCCEEDED', output: { ...INPUT, mark: { text: 'run r1' } } });
  });

  it('reads items at the key in the state, and maps over none', async () => {
    const keys: string[] = [];
    const { result, seen } = await play({
      readItems: async (key) => {
        keys.push(key);
        return [];
      },
    });
    assert.deepEqual(keys, ['ops/p/units.json']);
    assert.deepEqual(seen, []);
    assert.equal(result.status, 'SUCCEEDED');
  });

  for (const [own, given, expected] of [
    [7, 3, 3],
    [2, 9, 2],
    [0, 5, 5],
  ] as const) {
    it(`runs at most ${expected} items at once for MaxConcurrency ${own} and ${given} workers`, async () => {
      let running = 0;
      let most = 0;
      await play({
        machine: changed('States.Each.MaxConcurrency', own),
        items: numbers(40),
        concurrency: given,
        work: async () => {
          most = Math.max(most, ++running);
          await new Promise(setImmediate);
          running -= 1;
          return null;
        },
      });
      assert.equal(most, expected);
    });
  }

  it('retries a retryable error up to its MaxAttempts, and no other', async () => {
    const attempts = { passing: 0, lasting: 0, other: 0 };
    const begin =
      (kind: keyof typeof attempts, error: Error, failures: number): StateHandler =>
      async (input) => {
        attempts[kind] += 1;
        if (attempts[kind] <= failures) throw error;
        return input;
      };
    const passing = await play({ begin: begin('passing', new Unavailable('later'), 2) });
    const lasting = await play({ begin: begin('lasting', new Unavailable('never'), 99) });
    const other = await play({ begin: begin('other', new AuditFailed('no'), 99) });
    assert.deepEqual(attempts, { passing: 3, lasting: 3, other: 1 });
    assert.equal(passing.result.status, 'SUCCEEDED');
    assert.deepEqual(lasting.result, { status: 'FAILED', error: 'Unavailable', cause: 'never' });
    assert.deepEqual(other.result, { status: 'FAILED', error: 'AuditFailed', cause: 'no' });
  });

  it('waits a hundred times for a refused call, which takes nothing from the attempts of other errors', async () => {
    const machine = changed('States.Begin.Retry', [
      {
        ErrorEquals: ['Lambda.TooManyRequestsException'],
        MaxAttempts: 100,
        MaxDelaySeconds: 60,
        JitterStrategy: 'FULL',
      },
      { ErrorEquals: ['Unavailable'], MaxAttempts: 1 },
    ]);
    const refused = Object.assign(new Error('Rate exceeded'), { name: 'Lambda.TooManyRequestsException' });
    const ends: StateMachineResult['status'][] = [];
    for (const refusals of [100, 101]) {
      let calls = 0;
      const begin: StateHandler = async (input) => {
        calls += 1;
        if (calls === 50) throw new Unavailable('later');
        if (calls <= refusals + 1) throw refused;
        return input;
      };
      ends.push((await play({ machine, begin })).result.status);
      assert.equal(calls, 102);
    }
    assert.deepEqual(ends, ['SUCCEEDED', 'FAILED']);
  });

  it('retries an item alone', async () => {
    const attempts = new Map<number, number>();
    const { result } = await play({
      items: numbers(5),
      work: async (input) => {
        const attempt = (attempts.get(unitOf(input)) ?? 0) + 1;
        attempts.set(unitOf(input), attempt);
        if (unitOf(input) === 3 && attempt < 3) throw new Unavailable('later');
        return null;
      },
    });
    assert.equal(result.status, 'SUCCEEDED');
    assert.deepEqual(Object.fromEntries(attempts), { 0: 1, 1: 1, 2: 1, 3: 3, 4: 1 });
  });

  it('fails with the threshold error once an item fails, lets running items end and starts no more', async () => {
    const ended: number[] = [];
    const { result, seen } = await play({
      items: numbers(50),
      concurrency: 3,
      work: async (input) => {
        if (unitOf(input) === 1) throw new ObjectNotFound('no file of unit 1');
        await new Promise(setImmediate);
        ended.push(unitOf(input));
        return null;
      },
    });
    assert.equal(result.status, 'FAILED');
    assert.deepEqual(result.status === 'FAILED' && [result.error, result.cause], [
      'States.ExceedToleratedFailureThreshold',
      '1 of 50 items of Each failed; the first with ObjectNotFound: no file of unit 1',
    ]);
    assert.ok(seen.length < 10, `${seen.length} items were started`);
    assert.equal(ended.length, seen.length - 1);
  });

  for (const [field, value, failing, status] of [
    ['ToleratedFailureCount', 2, 2, 'SUCCEEDED'],
    ['ToleratedFailureCount', 2, 3, 'FAILED'],
    ['ToleratedFailurePercentage', 30, 3, 'SUCCEEDED'],
    ['ToleratedFailurePercentage', 30, 4, 'FAILED'],
  ] as const) {
    it(`ends ${status} with ${failing} of 10 failed items and ${field} ${value}`, async () => {
      const { result } = await play({
        machine: changed(`States.Each.${field}`, value),
        items: numbers(10),
        concurrency: 1,
        work: async (input) => {
          if (unitOf(input) < failing) throw new AuditFailed('bad unit');
          return null;
        },
      });
      assert.equal(result.status, status);
    });
  }

  it('reports unreadable items as Step Functions does', async () => {
    const readers: readonly NonNullable<Scene['readItems']>[] = [
      () => Promise.reject(new ObjectNotFound('gone')),
      async () => ({ not: 'a list' }) as unknown as readonly JsonValue[],
    ];
    for (const readItems of readers) {
      const { result } = await play({ readItems });
      assert.equal(result.status === 'FAILED' && result.error, 'States.ItemReaderFailed');
    }
  });

  it('holds payloads to the limit of Step Functions, without trying again', async () => {
    let attempts = 0;
    const machine = changed('States.Begin.Retry.0.ErrorEquals', ['States.ALL']);
    const { result } = await play({
      machine,
      begin: async () => {
        attempts += 1;
        return 'é'.repeat(131_072);
      },
    });
    assert.equal(result.status === 'FAILED' && result.error, 'States.DataLimitExceeded');
    assert.equal(attempts, 1);
    assert.equal(
      (await play({ begin: async (input) => ({ ...(input as object), pad: 'x'.repeat(200_000) }) })).result.status,
      'SUCCEEDED',
    );
  });

  it('starts nothing when a task has no handler', async () => {
    const definition = lowerStateMachine(loadStateMachine(JSON.stringify(SMALL), 'm.asl.json'));
    const run = {
      definition,
      input: INPUT,
      readItems: async () => [],
      concurrency: 1,
      handlers: { Begin: async () => null },
    };
    await assert.rejects(runStateMachine(run), (error: unknown) => {
      return error instanceof InvalidInput && /no handler for Task state Work/.test(error.message);
    });
  });

  it('turns whatever a handler throws into an error with a name', async () => {
    const { result } = await play({ begin: () => Promise.reject('just text') });
    assert.deepEqual(result, { status: 'FAILED', error: 'Error', cause: 'just text' });
  });

  it('tells each transition that AWS bills: states of any type, retries, children of a map and what they enter', async () => {
    let failures = 0;
    const { events } = await play({
      items: numbers(2),
      work: async () => {
        failures += 1;
        if (failures === 1) throw new Unavailable('once');
        return null;
      },
    });
    const entered = events.filter(({ kind }) => kind === 'entered').map(({ state }) => state);
    const expected = ['Begin', 'Which', 'Each', ...['Each', 'Work', 'Each', 'Work', 'Work'], 'Mark', 'Done'];
    assert.deepEqual(entered.toSorted(), expected.toSorted());
  });

  it('reports starts, items, ends and failures with their durations', async () => {
    const { events } = await play({
      items: numbers(2),
      work: async (input) => {
        if (unitOf(input) === 1) throw new AuditFailed('bad');
        return null;
      },
    });
    const told = events.filter(({ kind }) => kind !== 'entered').map((event) => `${event.kind} ${event.state}`);
    assert.deepEqual(told.slice(0, 4), ['started Begin', 'succeeded Begin', 'started Each', 'items Each']);
    assert.deepEqual(told.slice(4, -1).sort(), ['failed Work', 'started Work', 'started Work', 'succeeded Work']);
    assert.equal(told.at(-1), 'failed Each');
    for (const event of events) assert.ok(!('durationMs' in event) || event.durationMs >= 0);
  });
});
