import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createTurns, type Turns } from '../../lib/core/turns.ts';

/** Work that tells when it begins and ends, and ends when it is told to. */
function work(log: string[], turns: Turns) {
  const ends = new Map<string, (how: 'well' | 'badly') => void>();
  const begin = (name: string): Promise<string> =>
    turns.take(async () => {
      log.push(`${name}${turns.alone() ? ' alone' : ''}`);
      const how = await new Promise<'well' | 'badly'>((resolve) => ends.set(name, resolve));
      log.push(`${name} ends`);
      if (how === 'badly') throw new Error(`${name} failed`);
      return name;
    });
  const end = async (name: string, how: 'well' | 'badly' = 'well'): Promise<void> => {
    ends.get(name)?.(how);
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { begin, end };
}

describe('turns', () => {
  test('what fails beside others is done again alone, when those have ended and before others begin', async () => {
    const log: string[] = [];
    const turns = createTurns(3);
    const { begin, end } = work(log, turns);
    const [a, b] = [begin('a'), begin('b')];
    await end('a', 'badly');
    const c = begin('c');
    await end('nothing');
    assert.deepEqual(log, ['a', 'b', 'a ends']);
    await end('b');
    assert.deepEqual(log.slice(3), ['b ends', 'a alone']);
    await end('a');
    assert.deepEqual(log.slice(5), ['a ends', 'c']);
    await end('c');
    assert.deepEqual(await Promise.all([a, b, c]), ['a', 'b', 'c']);
  });

  test('what fails alone has failed, and the next is alone after it', async () => {
    const log: string[] = [];
    const turns = createTurns(2);
    const { begin, end } = work(log, turns);
    const both = Promise.allSettled([begin('a'), begin('b')]);
    await end('a', 'badly');
    await end('b', 'badly');
    await end('a', 'badly');
    await end('b');
    assert.deepEqual(log, ['a', 'b', 'a ends', 'b ends', 'a alone', 'a ends', 'b alone', 'b ends']);
    const [first, second] = await both;
    assert.equal(first?.status === 'rejected' && first.reason.message, 'a failed');
    assert.deepEqual(second, { status: 'fulfilled', value: 'b' });
  });

  test('what has no turn is alone while nothing has one', async () => {
    const turns = createTurns(2);
    assert.equal(turns.alone(), true);
    const { begin, end } = work([], turns);
    const both = [begin('a'), begin('b')];
    assert.equal(turns.alone(), false);
    await end('a');
    assert.equal(turns.alone(), false);
    await end('b');
    await Promise.all(both);
    assert.equal(turns.alone(), true);
  });

  test('of one at once everything is alone, and fails once', async () => {
    const log: string[] = [];
    const turns = createTurns(1);
    const { begin, end } = work(log, turns);
    const failed = assert.rejects(begin('a'), /a failed/);
    await end('a', 'badly');
    await failed;
    assert.deepEqual(log, ['a alone', 'a ends']);
  });
});
