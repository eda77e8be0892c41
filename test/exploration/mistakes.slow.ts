import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { withMistake } from './mistakes.ts';
import { PLANTED } from './planted.ts';
import { ANSWERS, type Laboratories, replay } from './replay.ts';

/** EXPLORATION=wide searches for each mistake; otherwise for one in three. All of them replay in any case. */
const STRIDE = ['wide', 'all'].includes(process.env['EXPLORATION'] ?? '') ? 1 : 3;

describe('a mistake that is planted in the product', () => {
  for (const [at, planted] of PLANTED.entries()) {
    const { name, scenario, bounds, schedule } = planted;
    replay(planted);
    if (at % STRIDE !== 0) continue;
    test(`${name}: is found, by no more events than that schedule has`, async (context) => {
      const wrong = await withMistake<Laboratories>(planted, './laboratory.ts');
      await using mistaken = await wrong.openLaboratory(ANSWERS);
      const { played, found } = await mistaken.search(scenario, bounds);
      assert.ok(found !== undefined, `not found in ${played} schedules`);
      context.diagnostic(`${name}: after ${played} schedules: ${JSON.stringify(found.schedule)}`);
      assert.equal(found.schedule.events.length, schedule.events.length, found.broken);
    });
  }
});
