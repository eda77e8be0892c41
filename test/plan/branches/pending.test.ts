import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Branch, Catchup } from '../../../lib/core/schedule/branch.ts';
import { type KnownPeriod, pendingPeriods } from '../../../lib/plan/branches/pending.ts';

const branch = (catchup: Catchup, cron = '0 7 * * *'): Branch => ({ name: 'b', cron, zone: 'UTC', catchup });
const known = (period: string, status: KnownPeriod['status'] = 'SUCCEEDED', attempts = 1): KnownPeriod => {
  return { period, status, attempts, run_id: 'r', finished_at: '2024-01-01T00:00:00Z' };
};

/** `2024-11-05 2`: the period and the attempt at it. */
function due(catchup: Catchup, before: readonly KnownPeriod[], now: string, cron?: string): readonly string[] {
  return pendingPeriods(branch(catchup, cron), before, new Date(now)).map(
    ({ period, attempt }) => `${period} ${attempt}`,
  );
}

const NOW = '2024-11-05T07:30:00Z';
const LATER = '2024-11-05T09:00:00Z';

describe('pending periods', () => {
  test('of a branch that never ran are the one that is due', () => {
    for (const catchup of ['all', 'last', 'none'] as const) assert.deepEqual(due(catchup, [], NOW), ['2024-11-05 1']);
    assert.deepEqual(due('all', [], NOW, '0 7 1 1 ? 2025'), []);
  });

  test('are none once it is done', () => {
    for (const catchup of ['all', 'last', 'none'] as const)
      assert.deepEqual(due(catchup, [known('2024-11-05')], NOW), []);
  });

  test('are those that were missed since the first that is known, the oldest first, where all are caught up', () => {
    const before = [known('2024-11-01'), known('2024-11-03')];
    assert.deepEqual(due('all', before, NOW), ['2024-11-02 1', '2024-11-04 1', '2024-11-05 1']);
    assert.deepEqual(due('last', before, NOW), ['2024-11-05 1']);
  });

  test('are all of many that were missed, of a branch that fires often', () => {
    const first = known('2024-09-01T00:00Z');
    const hours = due('all', [first], '2024-11-05T07:30:00Z', '0 * * * *');
    assert.deepEqual([hours.length, hours[0], hours.at(-1)], [1_567, '2024-09-01T01:00Z 1', '2024-11-05T07:00Z 1']);
    assert.equal(new Set(hours).size, 1_567);
    // Where the last thousand are known nobody looks further back.
    const done = hours.slice(567).map((one) => known(one.slice(0, -2)));
    assert.deepEqual(due('all', [first, ...done], '2024-11-05T07:59:00Z', '0 * * * *'), []);
  });

  test('are none where it is missed and none is caught up', () => {
    assert.deepEqual(due('none', [known('2024-11-01')], LATER), []);
    assert.deepEqual(due('last', [known('2024-11-01')], LATER), ['2024-11-05 1']);
    assert.deepEqual(due('none', [], '2024-11-05T08:00:00Z'), ['2024-11-05 1']);
    assert.deepEqual(due('none', [], '2024-11-05T08:00:01Z'), []);
  });

  test('that have failed are tried again, however they are caught up, three times in all', () => {
    for (const catchup of ['all', 'last', 'none'] as const) {
      const failed = (attempts: number) => [known('2024-11-04', 'FAILED', attempts), known('2024-11-05')];
      assert.deepEqual(due(catchup, failed(2), NOW), ['2024-11-04 3']);
      assert.deepEqual(due(catchup, failed(3), NOW), []);
    }
    assert.deepEqual(due('last', [known('2024-11-03', 'FAILED')], NOW), ['2024-11-03 2', '2024-11-05 1']);
  });

  test('that have failed and are due still are tried as often as they are asked for', () => {
    assert.deepEqual(due('none', [known('2024-11-05', 'FAILED', 7)], LATER), ['2024-11-05 8']);
  });

  test('that the schedule no longer has are left', () => {
    assert.deepEqual(due('last', [known('2024-10', 'FAILED')], NOW), ['2024-11-05 1']);
  });
});
