import { describe } from 'node:test';
import { PLANTED } from './planted.ts';
import { replay } from './replay.ts';

/** The others are replayed, and all of them searched for, in mistakes.slow.ts. */
const EVERY_DAY = ['lease-not-checked-at-commit', 'mark-after-the-first-publication', 'vacuum-by-age-alone'];

describe('a mistake that is planted in the product', () => {
  for (const planted of PLANTED) if (EVERY_DAY.includes(planted.name)) replay(planted);
});
