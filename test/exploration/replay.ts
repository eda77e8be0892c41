import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Answers } from '../support/memo-engine.ts';
import { openLaboratory } from './laboratory.ts';
import { withMistake } from './mistakes.ts';
import type { Planted } from './planted.ts';

export type Laboratories = typeof import('./laboratory.ts');

/** Statements are the same with a mistake as without. */
export const ANSWERS: Answers = new Map();

/** Plays the least schedule that shows a mistake, with the mistake and without. */
export function replay(planted: Planted): void {
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
