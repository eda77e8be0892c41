import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { AuditFailed, InvalidInput, LockHeld, Unavailable } from '../../../lib/core/errors.ts';
import type { ChosenPeriod } from '../../../lib/lake/ops/branches/choose-period.ts';
import { readFailedPeriods } from '../../../lib/lake/ops/branches/failed-periods.ts';
import { notingRefusal } from '../../../lib/lake/ops/branches/refused-period.ts';
import { makeScratch } from '../../support/test-engine.ts';

const RUN = { pipeline: 'staff', run_id: 'r', dry_run: false };
const MAY: ChosenPeriod = { kind: 'period', run_id: 'r', branch: { name: 'monthly', period: '2026-05', attempt: 2 } };
const NOTHING: ChosenPeriod = { kind: 'nothing', done: { name: 'monthly', period: null, why: 'none' } };
const clock = { now: () => new Date('2026-05-01T07:00:00Z') };

const CASES: readonly (readonly [
  what: string,
  cause: unknown,
  chosen: ChosenPeriod | undefined,
  dry: boolean,
  noted: boolean,
])[] = [
  ['a change that is refused', new InvalidInput('no'), MAY, false, true],
  ['an open breaker', new AuditFailed('open'), MAY, false, true],
  ['what nobody thought of', new TypeError('x'), MAY, false, true],
  ['a passing fault', new Unavailable('busy'), MAY, false, false],
  ['a lock that another has taken', new LockHeld('other'), MAY, false, false],
  ['a look at what would be done', new InvalidInput('no'), MAY, true, false],
  ['a branch that has nothing to do', new InvalidInput('no'), NOTHING, false, false],
  ['a run of no branch', new InvalidInput('no'), undefined, false, false],
];

for (const [what, cause, chosen, dry_run, noted] of CASES) {
  test(`${what} is ${noted ? '' : 'no '}failure of the period`, async () => {
    const store = createMemoryStore({ scratch: makeScratch() });
    const refuse = async (): Promise<never> => {
      throw cause;
    };
    await assert.rejects(notingRefusal({ store, clock }, { ...RUN, dry_run }, chosen, refuse), (one) => one === cause);
    const note = {
      period: '2026-05',
      status: 'FAILED',
      run_id: 'r',
      attempts: 1,
      finished_at: '2026-05-01T07:00:00.000Z',
    };
    assert.deepEqual(await readFailedPeriods(store, 'staff', 'monthly'), noted ? [note] : []);
  });
}

test('a note that cannot be written hides no refusal, and what is not refused is answered', async () => {
  const store = createMemoryStore({ scratch: makeScratch() });
  const weak = { ...store, write: () => Promise.reject(new Unavailable('busy')) };
  const refuse = () => Promise.reject(new InvalidInput('no'));
  await assert.rejects(notingRefusal({ store: weak, clock }, RUN, MAY, refuse), /^InvalidInput: no$/);
  assert.equal(await notingRefusal({ store, clock }, RUN, MAY, async () => 7), 7);
  assert.deepEqual(await readFailedPeriods(store, 'staff', 'monthly'), []);
});
