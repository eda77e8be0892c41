import { test } from 'node:test';
import { assertStrikes } from './hr-strikes.ts';

/** 200,000 histories in all, for each way of cooling down. */
for (const cooldown of ['one', 'all'] as const) {
  test(`strikes are those of a walk, cooldown ${cooldown}`, async () => {
    for (let seed = 1; seed <= 10; seed += 1) await assertStrikes(20_000, seed, cooldown);
  });
}
