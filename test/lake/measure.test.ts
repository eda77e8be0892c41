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
  const from = '1970-01-01T00:00:01.000Z';
  assert.deepEqual(measure(), { ms: 250, span: { from, to: '1970-01-01T00:00:01.250Z' }, spent: ONE });
  const later = { ...ONE, get: 4, put: 2 };
  assert.deepEqual(measure(RECORDING), { ms: 300, span: { from, to: '1970-01-01T00:00:01.300Z' }, spent: later });
});

test('where nobody counts it is a time', () => {
  const watched = { clock: clockOf(1_000, 1_250), peakMemory: () => 7, watchSpill: () => () => 5 };
  const { span: _, ...measured } = startMeasuring(watched)(RECORDING);
  assert.deepEqual(measured, { ms: 250, peak_bytes: 7, spilled_bytes: 5 });
});

test('measures add up, and know what was spent only if all of them do', () => {
  const counted = { ms: 5, spent: ONE };
  assert.deepEqual(addMeasured([counted, counted]), {
    ms: 10,
    spent: { get: 6, put: 2, bytes_in: 20, bytes_out: 40 },
  });
  assert.deepEqual(addMeasured([counted, { ms: 7 }]), { ms: 12 });
});

test('they go from the first beginning to the last end, and their peak is the highest', () => {
  const spanned = (from: string, to: string, peak_bytes: number) => ({ ms: 1, span: { from, to }, peak_bytes });
  const all = [
    spanned('b', 'd', 3),
    { ms: 1, spilled_bytes: 8 },
    { ...spanned('c', 'e', 9), spilled_bytes: 2 },
    spanned('a', 'b', 4),
  ];
  assert.deepEqual(addMeasured(all), { ms: 4, span: { from: 'a', to: 'e' }, peak_bytes: 9, spilled_bytes: 8 });
});
