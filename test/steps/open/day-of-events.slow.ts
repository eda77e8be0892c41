import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { LockHeld } from '../../../lib/core/errors.ts';
import type { OpenInput } from '../../../lib/core/run.ts';
import { uploadId } from '../../../lib/core/trigger.ts';
import { readMarks, removeMarks } from '../../../lib/lake/ops/marks.ts';
import { releaseLock, renewLock } from '../../../lib/lake/run/lock.ts';
import { takeTurn } from '../../../lib/steps/open/take-turn.ts';
import { startRuns } from '../../../lib/steps/start/start-runs.ts';

const SECOND = 1_000;
const START = Date.parse('2026-01-01T00:00:00Z');

type Day = {
  /** Seconds between two uploads, and the seconds of a run. */
  readonly everySeconds: number;
  readonly runSeconds: number;
  readonly hours: number;
};

/** Messages that the queue hands on at a time. */
const BATCH = 1_000;

/** What Step Functions and the queue do, on a clock of its own: batches of 30 s or of 1,000, a look at the lock every 30 s. */
async function live({ everySeconds, runSeconds, hours }: Day) {
  let now = START;
  const store = createMemoryStore();
  const common = { store, clock: { now: () => new Date(now) }, log: { info: () => {}, warn: () => {} } };
  const settings = { holder: (id: string) => `run:${id}`, leaseMs: 20 * 60 * SECOND, clocksAgree: true as const };
  const running = new Set<string>();
  const deps = {
    ...common,
    isGone: () => false,
    wait: async () => {},
    settings,
    hasEnded: async (execution: string) => !running.has(execution),
  };
  const events: { readonly at: number; readonly act: () => Promise<void> }[] = [];
  const at = (ms: number, act: () => Promise<void>): void => {
    const later = events.findIndex((one) => one.at > ms);
    events.splice(later === -1 ? events.length : later, 0, { at: ms, act });
  };
  const seen = { started: 0, runs: 0, coalesced: 0, mostWaiting: 0, mostOpen: 0, latest: 0 };
  const landed = new Map<string, number>();
  let isWaiting = new Set<string>();
  const execute = async (input: OpenInput): Promise<void> => {
    seen.mostOpen = Math.max(seen.mostOpen, running.size);
    isWaiting = new Set([...isWaiting].filter((id) => id !== input.run_id));
    try {
      const turn = await takeTurn(deps, input);
      if (turn.kind === 'coalesced') {
        seen.coalesced += 1;
        running.delete(input.run_id);
        return;
      }
      seen.runs += 1;
      const { keys, files } = await readMarks(store, 'shop');
      const held = { pipeline: 'shop', run_id: input.run_id, epoch: turn.epoch };
      for (let after = 300; after < runSeconds; after += 300) {
        at(now + after * SECOND, async () => void (await renewLock(deps, held)));
      }
      at(now + runSeconds * SECOND, async () => {
        for (const { key } of files ?? []) {
          seen.latest = Math.max(seen.latest, now - (landed.get(key) ?? now));
          landed.delete(key);
        }
        await removeMarks(store, keys);
        await releaseLock(deps, held);
        running.delete(input.run_id);
      });
    } catch (cause) {
      if (!(cause instanceof LockHeld)) throw cause;
      isWaiting.add(input.run_id);
      seen.mostWaiting = Math.max(seen.mostWaiting, isWaiting.size);
      at(now + 30 * SECOND, () => execute(input));
    }
  };
  const executions = {
    async start(name: string, input: unknown) {
      seen.started += 1;
      running.add(name);
      at(now, () => execute({ ...(input as OpenInput), execution: name }));
      return 'started' as const;
    },
  };
  let batch: { readonly message: string; readonly upload: { readonly key: string; readonly etag: string } }[] = [];
  for (let second = 0; second < hours * 3_600; second += everySeconds) {
    at(START + second * SECOND, async () => {
      const key = `bronze/shop/orders/${second}.csv`;
      landed.set(key, now);
      const own = batch;
      const deliver = async (): Promise<void> => {
        if (batch !== own) return;
        batch = [];
        await startRuns('shop', own, { ...common, executions, audit: { append: async () => {} } });
      };
      if (own.length === 0) at(now + 30 * SECOND, deliver);
      own.push({ message: uploadId({ key, etag: 'x' }), upload: { key, etag: 'x' } });
      if (own.length === BATCH) await deliver();
    });
  }
  for (let next = events.shift(); next !== undefined; next = events.shift()) {
    now = next.at;
    await next.act();
  }
  return { ...seen, lost: landed.size, open: running.size };
}

test('a day of uploads every 5 s with runs of 60 s: one execution waits at most, and no upload is lost', async () => {
  const day = await live({ everySeconds: 5, runSeconds: 60, hours: 24 });
  assert.deepEqual([day.mostWaiting, day.lost, day.open], [1, 0, 0]);
  assert.deepEqual([day.started, day.runs + day.coalesced], [2_469, 2_469]);
  // Without coalescing each would have waited for its turn, and half of them would be waiting at the end of the day.
  assert.ok(day.runs <= 1_440 && day.mostOpen <= 3, `${day.runs} runs, ${day.mostOpen} executions open at once`);
  assert.ok(day.latest <= 180_000, `an upload was published after ${day.latest / SECOND} s`);
});

test('with runs of an hour all executions but one end within the second in which they begin', async () => {
  const day = await live({ everySeconds: 5, runSeconds: 3_600, hours: 24 });
  assert.deepEqual([day.mostWaiting, day.lost, day.open], [1, 0, 0]);
  assert.ok(day.runs <= 26 && day.mostOpen <= 3, `${day.runs} runs, ${day.mostOpen} executions open at once`);
});

test('ten thousand uploads in a minute are two runs, and no upload is lost', async () => {
  const minute = await live({ everySeconds: 0.006, runSeconds: 120, hours: 1 / 60 });
  assert.deepEqual([minute.started, minute.runs, minute.coalesced], [10, 2, 8]);
  assert.deepEqual([minute.mostWaiting, minute.lost, minute.open], [1, 0, 0]);
});
