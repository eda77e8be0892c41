import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, shopWith } from './shop.ts';

const MIB = 2 ** 20;
let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

/** What a pipeline says, and the bytes of its units. */
const UNITS: readonly (readonly [string, unknown, number])[] = [
  ['nothing', undefined, 256 * MIB],
  ['more memory', shopWith(['compute'], { memory: 10_240 }), 256 * MIB],
  ['little memory', shopWith(['compute'], { memory: 1_024 }), 153.5 * MIB],
  ['the least memory', shopWith(['compute'], { memory: 512 }), 51 * MIB],
  ['little memory for Stage', shopWith(['compute'], { steps: { Stage: { memory: 1_024 } } }), 153.5 * MIB],
  ['little memory for another step', shopWith(['compute'], { steps: { Audit: { memory: 1_024 } } }), 256 * MIB],
  [
    'much memory for Stage alone',
    shopWith(['compute'], { memory: 512, steps: { Stage: { memory: 3_008 } } }),
    256 * MIB,
  ],
  ['the size of files', shopWith(['settings'], { fileBytes: 1 }), 256 * MIB],
];

for (const [what, definition, bytes] of UNITS) {
  test(`a pipeline that says ${what} has units that fit Stage`, async () => {
    const { settings } = await compileShop(session, definition === undefined ? {} : { definition });
    assert.equal(settings.unitBytes, bytes);
  });
}

test('a size that is given is taken, whatever the memory', async () => {
  const sized = { ...(shopWith(['compute'], { memory: 512 }) as object), settings: { unitBytes: 1_000 * MIB } };
  assert.equal((await compileShop(session, { definition: sized })).settings.unitBytes, 1_000 * MIB);
});

test('a call that does a whole level has what the largest of its steps has', async () => {
  const steps = {
    Stage: { memory: 512 },
    Merge: { memory: 512 },
    Audit: { memory: 8_192 },
    PlanMerge: { tmp: 10_240 },
  };
  const { compute } = await compileShop(session, { definition: shopWith(['compute'], { steps }) });
  assert.deepEqual([compute.steps.Level.memoryMb, compute.steps.Level.tmpMb], [8_192, 10_240]);
});
