import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import { openTestLake } from '../support/test-lake.ts';
import { FIRST, line, random, runWith, shop, stretches, without } from './ranged-lake.ts';

describe('keys in ranges', async () => {
  const lake = await openTestLake(shop('bigint'));
  after(() => lake.close());
  await runWith(lake, FIRST);
  let before = await stretches(lake);

  test('a first load is cut into files of some size, apart from each other', () => {
    assert.ok(before.length >= 3, `${before.length} files`);
  });

  test('a change of keys that are near each other writes their file anew and no other', async () => {
    const { low } = before[1] ?? assert.fail();
    const id = Number(low);
    await runWith(lake, [line(id, 2, 5), line(id + 1, 0, 6), line(id + 2, 2, 0, 'D')]);
    const now = await stretches(lake);
    assert.deepEqual(without(before, now), [before[1]]);
    assert.equal(now.length, before.length);
    before = now;
  });

  test('keys beyond all that are there come beside them', async () => {
    await runWith(lake, [line(9_000, 1, 5), line(9_001, 1, 6), line(1, 1, 6)]);
    const now = await stretches(lake);
    assert.deepEqual(without(before, now), []);
    assert.equal(now.length, before.length + 2);
    before = now;
  });

  test('what grows is cut', async () => {
    await runWith(
      lake,
      Array.from({ length: 4_000 }, (_, n) => line(9_000 + n, 3, random(n))),
    );
    const now = await stretches(lake);
    assert.deepEqual(
      without(before, now).map(({ low }) => low),
      [9_000n],
    );
    assert.ok(now.length >= before.length + 2, `${now.length} files, ${before.length} before`);
    before = now;
  });

  test('events everywhere write all anew, and files stay apart', async () => {
    const all = Array.from({ length: 400 }, (_, n) => line(random(n * 10) + 100, 7 - (n % 9), n));
    await runWith(lake, [...all, line(1, 9, 1), line(9_400, 9, 1)]);
    assert.ok(without(before, await stretches(lake)).length > 4);
  });
});
