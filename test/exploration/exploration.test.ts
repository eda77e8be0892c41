import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import type { Bounds } from './explore.ts';
import { type Laboratory, openLaboratory } from './laboratory.ts';
import type { Scenario } from './play.ts';
import type { Event, Schedule } from './scheduler.ts';

/** Small bounds, for every day; exploration.slow.ts has the large ones. */
const SCENARIOS: readonly (readonly [Scenario['actors'], Bounds])[] = [
  [
    { a: 'run', b: 'run' },
    { pauses: 1, faults: 0 },
  ],
];

/** What the exploration has found once, and has been mended: the least that had to happen. */
const FOUND: readonly (readonly [string, Omit<Scenario, 'runs'>, Schedule])[] = [
  [
    'a run that is overtaken while its files are read sends no alert: another goes on with it',
    { actors: { a: 'run', b: 'run' } },
    schedule({
      actor: 'a',
      before: 'read ops/shop/_runs/run-a/level-0/units/silver.items-00000.json',
      what: 'late',
      next: 'b',
    }),
  ],
  [
    'a rollback that a compaction comes before, while it is prepared, is prepared again',
    { actors: { a: 'compact', b: 'rollback' } },
    {
      first: 'b',
      events: [{ actor: 'b', before: 'write silver/shop/items/metadata/v3.metadata.json', what: 'pause', next: 'a' }],
    },
  ],
  [
    'a rollback is not made on top of an expiry, which takes the files of the snapshot that it goes back to',
    { compacted: true, actors: { a: 'expire', b: 'rollback' } },
    schedule(
      { actor: 'a', before: 'write silver/shop/items/metadata/v4.metadata.json', what: 'pause', next: 'b' },
      { actor: 'b', before: 'write silver/shop/items/metadata/v4.metadata.json', what: 'pause', next: 'a' },
    ),
  ],
  [
    'a rollback whose snapshot expires before it begins ends, and no run waits for it',
    { compacted: true, actors: { a: 'expire', b: 'rollback' } },
    { first: 'b', events: [{ actor: 'b', before: 'write ops/shop/_runs/*/rollback.json', what: 'pause', next: 'a' }] },
  ],
];

function schedule(...events: readonly Event[]): Schedule {
  return { first: 'a', events };
}

describe('whatever happens between two calls of the store', () => {
  let laboratory: Laboratory;
  before(async () => {
    laboratory = await openLaboratory();
  });
  after(() => laboratory[Symbol.asyncDispose]());

  for (const [actors, bounds] of SCENARIOS) {
    test(`${Object.values(actors).join(' beside ')}: every schedule with ${bounds.pauses} pause keeps the invariants`, async () => {
      const { played, found } = await laboratory.search({ runs: 2, actors }, bounds);
      assert.equal(found, undefined);
      assert.ok(played > 5, `${played} schedules`);
    });
  }

  for (const [name, scenario, found] of FOUND) {
    test(name, async () => {
      const { broken, reached } = await laboratory.play({ runs: 2, ...scenario }, found);
      assert.equal(reached.length, found.events.length);
      assert.equal(broken, undefined);
    });
  }
});
