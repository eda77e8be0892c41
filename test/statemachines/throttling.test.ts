import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { TaskState } from '../../lib/asl/definition.ts';
import { loadStateMachine } from '../../lib/asl/load.ts';

const REFUSED = 'Lambda.TooManyRequestsException';
const tasks = ['medallion.asl.json', 'maintenance.asl.json'].flatMap((file) => {
  const text = readFileSync(new URL(`../../statemachines/${file}`, import.meta.url), 'utf8');
  const { States } = loadStateMachine(text, file);
  const scopes = Object.values(States).flatMap((state) => (state.Type === 'Map' ? [state.ItemProcessor.States] : []));
  return [States, ...scopes].flatMap((states) =>
    Object.entries(states).flatMap(([name, state]) => (state.Type === 'Task' ? [{ file, name, state }] : [])),
  );
});
type Retrier = NonNullable<TaskState['Retry']>[number];

/** Numbers from 0 to 1, the same for a seed (mulberry32). */
function randomFrom(seed: number): () => number {
  let at = seed;
  return () => {
    at = (at + 0x6d2b79f5) | 0;
    let t = Math.imul(at ^ (at >>> 15), 1 | at);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** Seconds until attempt `attempt` (0: the first retry), as Step Functions waits with full jitter. */
function delayOf(
  { IntervalSeconds = 1, BackoffRate = 2, MaxDelaySeconds }: Retrier,
  attempt: number,
  random: number,
): number {
  return random * Math.min(IntervalSeconds * BackoffRate ** attempt, MaxDelaySeconds ?? Number.POSITIVE_INFINITY);
}

/**
 * A map of units that all begin at once, of which an account lets some work at a time: when the last is done, or undefined
 * if one is refused more often than its state tries. Time is a number here.
 */
function play(retrier: Retrier, { units, atOnce, seconds }: typeof ACCOUNT, random: () => number): number | undefined {
  const calls = Array.from({ length: units }, (_, unit) => ({ unit, at: 0, attempt: 0 }));
  const busyUntil: number[] = [];
  let ended = 0;
  while (calls.length > 0) {
    calls.sort((a, b) => a.at - b.at || a.unit - b.unit);
    const call = calls.shift();
    if (call === undefined) break;
    if (busyUntil.filter((until) => until > call.at).length < atOnce) {
      busyUntil.push(call.at + seconds);
      ended = Math.max(ended, call.at + seconds);
      continue;
    }
    if (call.attempt >= (retrier.MaxAttempts ?? 3)) return undefined;
    calls.push({ ...call, at: call.at + delayOf(retrier, call.attempt, random()), attempt: call.attempt + 1 });
  }
  return ended;
}

const ACCOUNT = { units: 11, atOnce: 10, seconds: 60 };
const RUNS = 1_000;

function runsOf(retrier: Retrier): readonly (number | undefined)[] {
  return Array.from({ length: RUNS }, (_, seed) => play(retrier, ACCOUNT, randomFrom(seed)));
}

describe('an account that lets ten calls work at once, eleven units of a minute', () => {
  for (const { file, name, state } of tasks) {
    it(`${file}: ${name} waits for its turn, before anything else is thought of`, () => {
      const [first, ...others] = state.Retry ?? [];
      assert.ok(first !== undefined);
      assert.deepEqual(first.ErrorEquals, [REFUSED]);
      assert.deepEqual(
        [first.MaxAttempts, first.MaxDelaySeconds, first.BackoffRate, first.JitterStrategy],
        [100, 60, 2, 'FULL'],
      );
      assert.ok(!others.some(({ ErrorEquals }) => ErrorEquals.includes(REFUSED)));
    });
  }

  it('no run of a thousand fails, and each ends soon after the turn has come', () => {
    const stage = tasks.find(({ name }) => name === 'Stage')?.state.Retry?.[0] ?? assert.fail();
    const ended = runsOf(stage);
    assert.equal(ended.filter((end) => end === undefined).length, 0);
    // The eleventh unit begins at 60 s at the earliest, and a minute after that at the latest.
    assert.ok(ended.every((end) => end !== undefined && end >= 120 && end <= 180));
  });

  it('with the attempts of other passing errors most runs would fail', () => {
    const [, passing] = tasks.find(({ name }) => name === 'Stage')?.state.Retry ?? [];
    const failed = runsOf(passing ?? assert.fail()).filter((end) => end === undefined).length;
    assert.ok(failed > RUNS * 0.8, `${failed} of ${RUNS}`);
  });

  it('a hundred units, ten times what the account lets work, end as well', () => {
    const stage = tasks.find(({ name }) => name === 'Stage')?.state.Retry?.[0] ?? assert.fail();
    for (let seed = 0; seed < 20; seed += 1) {
      const end = play(stage, { ...ACCOUNT, units: 100 }, randomFrom(seed));
      assert.ok(end !== undefined && end <= 60 * 20, `${end}`);
    }
  });
});
