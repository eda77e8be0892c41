import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { openApart } from './apart.ts';
import type { Bounds } from './explore.ts';
import type { Scenario } from './play.ts';
import type { CatalogKind } from './world.ts';

/** EXPLORATION=wide plays what takes a quarter of an hour; EXPLORATION=all what takes hours, too. */
const { EXPLORATION = '' } = process.env;

const PAUSE: Bounds = { pauses: 1, faults: 0 };
const PAUSES: Bounds = { pauses: 2, faults: 0 };
const WEEK: Bounds = { pauses: 1, faults: 1, kinds: ['late'] };
const CRASH: Bounds = { pauses: 0, faults: 1, kinds: ['crash'] };
const LOST: Bounds = { pauses: 0, faults: 1, kinds: ['lost'] };
const REFUSED: Bounds = { pauses: 0, faults: 1, kinds: ['refused'] };

/** Pauses before commits alone. */
const COMMITS: Bounds = { pauses: 2, faults: 0, at: /^write .*\/v\d+\.metadata\.json$/ };

/** The same in Glue. */
const AT_SWAPS = /^write glue\//;
const SWAP: Bounds = { pauses: 1, faults: 0, at: AT_SWAPS };
const SWAPS: Bounds = { pauses: 2, faults: 0, at: AT_SWAPS };
const LOST_SWAP: Bounds = { ...LOST, at: AT_SWAPS };

/** Where what is served changes, and what the lake says of it. */
const AT_SERVING = /^write (exports\/sink|ops\/shop\/served)\.json/;
const SERVING: readonly Bounds[] = [
  { pauses: 1, faults: 1, kinds: ['late'], at: AT_SERVING },
  { pauses: 0, faults: 1, kinds: ['crash', 'lost'], at: AT_SERVING },
];

type Row = readonly [actors: Scenario['actors'], bounds: Bounds, compacted?: true];

const SCENARIOS: readonly Row[] = [
  [{ a: 'run' }, LOST],
  [{ a: 'run' }, REFUSED],
  [{ a: 'run', b: 'compact' }, PAUSE],
  [{ a: 'run', b: 'expire' }, PAUSE],
  [{ a: 'expire', b: 'rollback' }, COMMITS, true],
];

/** Tables are in Glue, whose requests are points where anything may happen, too. */
const IN_GLUE: readonly Row[] = [
  [{ a: 'run' }, LOST_SWAP],
  [{ a: 'run', b: 'compact' }, SWAP],
  [{ a: 'expire', b: 'rollback' }, SWAPS, true],
];

const WIDE_IN_GLUE: readonly Row[] = [
  [{ a: 'run', b: 'run' }, CRASH],
  [{ a: 'run', b: 'compact' }, PAUSE],
  [{ a: 'run', b: 'expire' }, PAUSE],
  [{ a: 'run', b: 'compact' }, SWAPS],
  [{ a: 'run' }, LOST],
  [{ a: 'run' }, REFUSED],
];

const WIDE: readonly Row[] = [
  [{ a: 'run', b: 'run' }, CRASH],
  [{ a: 'run', b: 'run' }, WEEK],
  [{ a: 'run', b: 'again' }, WEEK],
  [{ a: 'run', b: 'compact' }, CRASH],
  [{ a: 'run', b: 'vacuum' }, WEEK],
  [{ a: 'run', b: 'tidy' }, PAUSE],
  [{ a: 'run', b: 'force-vacuum' }, WEEK],
  [{ a: 'run', b: 'rollback' }, CRASH],
  [{ a: 'compact', b: 'rollback' }, PAUSE],
  [{ a: 'expire', b: 'rollback' }, PAUSE, true],
];

const MORE: readonly Row[] = [
  [{ a: 'run', b: 'run', c: 'compact' }, PAUSE],
  [{ a: 'compact', b: 'compact' }, WEEK],
  [{ a: 'run', b: 'compact' }, WEEK],
  [{ a: 'run', b: 'expire' }, WEEK],
  [{ a: 'tidy', b: 'rollback' }, PAUSE],
  [{ a: 'compact', b: 'rollback' }, LOST],
  [{ a: 'run', b: 'run' }, PAUSES],
  [
    { a: 'run', b: 'run', c: 'compact' },
    { pauses: 1, faults: 1 },
  ],
  [
    { a: 'run', b: 'run' },
    { pauses: 2, faults: 2 },
  ],
];

function nameOf([actors, { pauses, faults, kinds = [], at }]: Row): string {
  return `${Object.values(actors).join(' beside ')}: ${pauses} pauses, ${faults} faults ${[...kinds, at ?? ''].join(' ')}`;
}

const LARGER = EXPLORATION === 'wide' || EXPLORATION === 'all';
const KINDS: readonly (readonly [CatalogKind, readonly Row[]])[] = [
  ['file', [...SCENARIOS, ...(LARGER ? WIDE : []), ...(EXPLORATION === 'all' ? MORE : [])]],
  ['glue', [...IN_GLUE, ...(LARGER ? WIDE_IN_GLUE : [])]],
];

test('whatever happens where tables are served, they are served as they are', async (context) => {
  await using laboratory = openApart('file');
  const scenario = { runs: 2, serves: true, actors: { a: 'run', b: 'run' } } as const;
  for (const bounds of SERVING) {
    const { played, found } = await laboratory.search(scenario, bounds);
    assert.equal(found, undefined);
    context.diagnostic(`${played} schedules`);
    assert.ok(played > 5, `${played} schedules`);
  }
});

for (const [kind, scenarios] of KINDS) {
  describe(`whatever happens between two calls of the store, with tables in the ${kind} catalog`, () => {
    let laboratory: ReturnType<typeof openApart>;
    before(() => {
      laboratory = openApart(kind);
    });
    after(() => laboratory[Symbol.asyncDispose]());

    for (const row of scenarios) {
      test(nameOf(row), async (context) => {
        const [actors, bounds, compacted] = row;
        const scenario = { runs: 2, actors, ...(compacted === undefined ? {} : { compacted }) };
        const { played, found } = await laboratory.search(scenario, bounds);
        assert.equal(found, undefined);
        context.diagnostic(`${played} schedules`);
        assert.ok(played > 5, `${played} schedules`);
      });
    }
  });
}
