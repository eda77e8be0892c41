import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Answers } from './memo-engine.ts';
import { withMistake } from './mistakes.ts';
import { PLANTED } from './planted.ts';

type Laboratories = typeof import('./laboratory.ts');

const ANSWERS: Answers = new Map();

describe('a mistake that is planted in the product', () => {
  for (const planted of PLANTED) {
    const { name, scenario, bounds, schedule } = planted;
    test(`${name}: is found, by no more events than its test has`, async (context) => {
      const wrong = await withMistake<Laboratories>(planted, './laboratory.ts');
      await using mistaken = await wrong.openLaboratory(ANSWERS);
      const { played, found } = await mistaken.search(scenario, bounds);
      assert.ok(found !== undefined, `not found in ${played} schedules`);
      context.diagnostic(`${name}: after ${played} schedules: ${JSON.stringify(found.schedule)}`);
      assert.equal(found.schedule.events.length, schedule.events.length, found.broken);
    });
  }
});
