import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RunAnswer } from '../../lib/remote/run-request.ts';
import { awaitTurn } from '../../lib/runtime/await-turn.ts';

const LOCKED: RunAnswer = { kind: 'locked', message: 'run r-0 holds it' };
const NOTHING: RunAnswer = {
  kind: 'nothing',
  pipeline: 'shop',
  runId: 'r-1',
  skipped: { count: 0, names: [] },
  suspended: [],
  removed: [],
};

/** Asks with a clock that only waiting moves; the lock is free after so many times of asking. */
async function ask(freeAfter: number, waitMs: number) {
  const pauses: number[] = [];
  const told: string[] = [];
  let now = 0;
  let asked = 0;
  const turns = {
    wait: async (ms: number) => {
      pauses.push(ms);
      now += ms;
    },
    now: () => now,
    onWait: (message: string) => told.push(message),
  };
  const answer = await awaitTurn(async () => (asked++ < freeAfter ? LOCKED : NOTHING), waitMs, turns);
  return { answer: answer.kind, pauses, told };
}

const CASES: readonly (readonly [string, number, number, Awaited<ReturnType<typeof ask>>])[] = [
  ['no lock', 0, 5_000, { answer: 'nothing', pauses: [], told: [] }],
  ['a lock and no wish to wait', 9, 0, { answer: 'locked', pauses: [], told: [] }],
  ['a lock that goes', 2, 5_000, { answer: 'nothing', pauses: [1_000, 1_000], told: [LOCKED.message] }],
  ['a lock that stays', 9, 1_500, { answer: 'locked', pauses: [1_000, 500], told: [LOCKED.message] }],
  [
    'as long as it takes',
    4,
    Number.POSITIVE_INFINITY,
    { answer: 'nothing', pauses: [1_000, 1_000, 1_000, 1_000], told: [LOCKED.message] },
  ],
];
for (const [name, freeAfter, waitMs, expected] of CASES) {
  test(name, async () => assert.deepEqual(await ask(freeAfter, waitMs), expected));
}
