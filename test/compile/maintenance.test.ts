import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { renderProblem } from '../../lib/core/errors.ts';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, problemsOf } from './shop.ts';
import { STAFF, staffWith } from './staff.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

const HOUR = 3_600_000;
const given = (maintenance: unknown) => staffWith([], { ...STAFF, maintenance });

const READ: readonly (readonly [maintenance: unknown, spec: unknown])[] = [
  [undefined, undefined],
  [false, null],
  [{}, {}],
  [
    {
      schedule: 'rate(1 day)',
      everyRuns: 5,
      compactAfter: 8,
      manifestsAfter: 30,
      expire: { after: 3, olderThan: '30d', keep: 2 },
      vacuum: { every: '6h', keepRuns: '1y' },
    },
    {
      everyRuns: 5,
      compactAfter: 8,
      manifestsAfter: 30,
      expireAfter: 3,
      olderThanMs: 30 * 24 * HOUR,
      keep: 2,
      vacuumEveryMs: 6 * HOUR,
      keepRunsMs: 366 * 24 * HOUR,
      schedule: 'rate(1 day)',
    },
  ],
];

for (const [maintenance, expected] of READ) {
  test(`maintenance: ${JSON.stringify(maintenance)}`, async () => {
    const spec = await compileShop(session, given(maintenance));
    assert.deepEqual(spec.maintenance, expected);
  });
}

const MISTAKES: readonly (readonly [maintenance: unknown, says: RegExp])[] = [
  [true, /maintenance.*got true.*expected false, or/s],
  [{ schedule: 'daily' }, /maintenance\.schedule.*"daily".*rate\(1 day\)/s],
  [{ everyRuns: 0 }, /maintenance\.everyRuns.*got 0.*1 or more/s],
  [{ compactAfter: 1.5 }, /maintenance\.compactAfter.*got 1\.5.*a whole number/s],
  [{ expire: { olderThan: '24h' } }, /maintenance\.expire\.olderThan.*"24h".*168h or more/s],
  [{ vacuum: { keepRuns: '6d' } }, /maintenance\.vacuum\.keepRuns.*"6d".*7 days or more/s],
  [{ compact: {} }, /maintenance\.compact.*unknown property/s],
];

for (const [maintenance, says] of MISTAKES) {
  test(`maintenance that cannot be: ${JSON.stringify(maintenance)}`, async () => {
    const problems = await problemsOf(session, given(maintenance));
    assert.match(problems.map(renderProblem).join('\n'), says);
  });
}
