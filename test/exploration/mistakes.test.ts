import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { plant } from './mistakes.ts';
import { PLANTED } from './planted.ts';
import { replay } from './replay.ts';

/** The others are replayed, and all of them searched for, in mistakes.slow.ts. */
const EVERY_DAY = ['lease-not-checked-at-commit', 'mark-after-the-first-publication', 'vacuum-by-age-alone'];

describe('a mistake that is planted in the product', () => {
  test('finds the lines that it changes', () => {
    for (const mistake of PLANTED) {
      const text = readFileSync(new URL(`../../${mistake.file}`, import.meta.url), 'utf8');
      assert.notEqual(plant(mistake, text), text, mistake.name);
    }
  });

  for (const planted of PLANTED) if (EVERY_DAY.includes(planted.name)) replay(planted);
});
