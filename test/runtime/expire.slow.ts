import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { Crash } from '../ports/faults.ts';
import { dying, successor } from '../support/dying.ts';
import type { TestLake } from '../support/test-lake.ts';
import { contents, expire, openShop, readAll, runIds } from './maintained-shop.ts';

let made: TestLake;
before(async () => {
  made = await openShop();
});
after(() => made.close());

test('what an unfinished run needs stays: its bases, and its own snapshots', async () => {
  const lake = await made.copy();
  await lake.land('rows', 'x.csv', 'id,amount\n7,70\n');
  await lake.land('events', 'x.csv', 'id,amount\n7,70\n');
  const whole = await made.copy();
  for (const [file, source] of [
    ['x.csv', 'rows'],
    ['x.csv', 'events'],
  ] as const)
    await whole.land(source, file, 'id,amount\n7,70\n');
  assert.equal((await whole.run({ runId: 'dies' })).status, 'SUCCEEDED');
  const counted = dying(await lake.copy(), Number.POSITIVE_INFINITY);
  await counted.lake.answer({ runId: 'dies' });
  const all = counted.changes();
  for (const before of [0.3, 0.6, 0.8, 0.9, 0.97].map((share) => Math.floor(all * share))) {
    const one = await lake.copy();
    await dying(one, before)
      .lake.answer({ runId: 'dies' })
      .catch(() => undefined);
    const next = successor(one);
    const answer = await expire(next);
    assert.deepEqual(answer.failed, [], String(before));
    await readAll(next);
    await next.answer({ runId: 'dies' });
    assert.deepEqual(await contents(next), await contents(whole), `died before change ${before} of ${all}`);
    await expire(next);
    await readAll(next);
  }
});

test('killed before any change, a table is whole, and the next expiry goes on', async () => {
  const lake = await made.copy();
  const was = await contents(lake);
  const counted = dying(await lake.copy(), Number.POSITIVE_INFINITY);
  await expire(counted.lake);
  const all = counted.changes();
  assert.ok(all > 60, String(all));
  for (let at = 1; at <= all; at += 5) {
    const one = await lake.copy();
    await assert.rejects(expire(dying(one, at).lake), Crash);
    const next = successor(one);
    await readAll(next);
    assert.deepEqual((await expire(next)).failed, []);
    await readAll(next);
    assert.deepEqual(await contents(next), was);
    assert.deepEqual(await runIds(next, 'shop_silver.items'), ['run-6']);
  }
});
