import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type Followed, followBranches, type LoopDeps } from '../../../lib/cli/schedule/loop.ts';

const branch = (name: string, cron: string): Followed => ({
  pipeline: 'hr',
  branch: { name, cron, zone: 'UTC', catchup: 'last' },
});

/** A clock that sleeping moves; it ends the loop at a time. Runs take so many minutes. */
function world(until: string, { due = [] as readonly Followed[], minutes = 0, codes = [0] as readonly number[] } = {}) {
  let now = Date.parse('2024-11-01T06:59:00Z');
  const [ran, slept]: [string[], number[]] = [[], []];
  const deps: LoopDeps = {
    now: () => new Date(now),
    async sleep(ms) {
      slept.push(ms);
      now += ms;
      if (now >= Date.parse(until)) throw new Error('told to end');
    },
    due: async () => due,
    async run(one) {
      ran.push(`${new Date(now).toISOString().slice(11, 16)} ${one.branch.name}`);
      now += minutes * 60_000;
      return codes[(ran.length - 1) % codes.length] ?? 0;
    },
  };
  return { deps, ran, slept };
}

const [DAILY, STRIKES, MONTHLY] = [
  branch('daily', '0 7 * * *'),
  branch('strikes', '0 8 * * *'),
  branch('monthly', '0 7 1 * *'),
];

describe('following schedules', () => {
  test('runs each branch when it fires, those that fire together in their order, until it is told to end', async () => {
    const { deps, ran, slept } = world('2024-11-02T07:30:00Z');
    await assert.rejects(followBranches([MONTHLY, DAILY, STRIKES], { once: false }, deps), /told to end/);
    assert.deepEqual(ran, ['07:00 monthly', '07:00 daily', '08:00 strikes', '07:00 daily']);
    assert.ok(Math.max(...slept) <= 60_000);
  });

  test('begins with what is due; what fires while a run works is not missed', async () => {
    const { deps, ran } = world('2024-11-01T09:30:00Z', { due: [STRIKES], minutes: 75 });
    await assert.rejects(followBranches([DAILY, STRIKES], { once: false }, deps), /told to end/);
    assert.deepEqual(ran, ['06:59 strikes', '08:14 daily', '09:29 strikes']);
  });

  test('once does what is due and no more, and answers the worst code', async () => {
    const { deps, ran, slept } = world('2024-11-01T09:30:00Z', { due: [DAILY, STRIKES, MONTHLY], codes: [0, 2, 0] });
    assert.equal(await followBranches([DAILY, STRIKES, MONTHLY], { once: true }, deps), 2);
    assert.deepEqual([ran.length, slept], [3, []]);
  });

  test('ends where nothing fires any more', async () => {
    const { deps, ran } = world('2024-11-03T00:00:00Z', { codes: [2, 0] });
    assert.equal(await followBranches([branch('ending', 'cron(0 7 1 11 ? 2024)')], { once: false }, deps), 2);
    assert.deepEqual(ran, ['07:00 ending']);
  });
});
