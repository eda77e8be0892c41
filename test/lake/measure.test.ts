import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Spent } from '../../lib/core/requests.ts';
import { addMeasured, RECORDING, startMeasuring } from '../../lib/lake/run/measure.ts';

const ONE: Spent = { get: 3, put: 1, bytes_in: 10, bytes_out: 20 };

function clockOf(...times: readonly number[]) {
  const left = [...times];
  return { now: () => new Date(left.shift() ?? Number.NaN) };
}

test('a measure is the time since its start, what was spent, and what is still to come', () => {
  const measure = startMeasuring({ clock: clockOf(1_000, 1_250, 1_300), spent: () => ONE });
  assert.deepEqual(measure(), { ms: 250, spent: ONE });
  assert.deepEqual(measure(RECORDING), { ms: 300, spent: { ...ONE, get: 4, put: 2 } });
});

test('where nobody counts it is a time', () => {
  assert.deepEqual(startMeasuring({ clock: clockOf(1_000, 1_250) })(RECORDING), { ms: 250 });
});

test('measures add up, and know what was spent only if all of them do', () => {
  const counted = { ms: 5, spent: ONE };
  assert.deepEqual(addMeasured([counted, counted]), {
    ms: 10,
    spent: { get: 6, put: 2, bytes_in: 20, bytes_out: 40 },
  });
  assert.deepEqual(addMeasured([counted, { ms: 7 }]), { ms: 12 });
});
