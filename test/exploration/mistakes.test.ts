import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { openLaboratory } from './laboratory.ts';
import type { Answers } from './memo-engine.ts';
import { withMistake } from './mistakes.ts';
import { PLANTED } from './planted.ts';

type Laboratories = typeof import('./laboratory.ts');

/** Statements are the same with a mistake as without. */
const ANSWERS: Answers = new Map();

describe('a mistake that is planted in the product', () => {
  for (const planted of PLANTED) {
    const { name, scenario, schedule, shows } = planted;
    test(`${name}: shows in the least schedule in which it was found, and only with the mistake`, async () => {
      const wrong = await withMistake<Laboratories>(planted, './laboratory.ts');
      await using mistaken = await wrong.openLaboratory(ANSWERS);
      const found = await mistaken.play(scenario, schedule);
      assert.equal(found.reached.length, schedule.events.length, 'every event comes');
      assert.match(found.broken ?? 'nothing', shows);
      await using right = await openLaboratory(ANSWERS);
      assert.equal((await right.play(scenario, schedule)).broken, undefined);
    });
  }
});
