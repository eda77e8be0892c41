import assert from 'node:assert/strict';
import { describe, it, test } from 'node:test';
import fc from 'fast-check';
import { type Figure, judge, median, medianAround, medianRatio } from '../../bench/figures.ts';

describe('median', () => {
  const cases: readonly (readonly [readonly number[], number])[] = [
    [[7], 7],
    [[3, 1, 2], 2],
    [[4, 1, 3, 2], 2.5],
    [[10, 9, 100], 10],
    [[-1, 0, 1, 1000], 0.5],
  ];
  for (const [values, expected] of cases) {
    it(`of ${values.join(', ')} is ${expected}`, () => assert.equal(median(values), expected));
  }
  it('of nothing is an error', () => assert.throws(() => median([]), RangeError));
  it('does not depend on the order and has as many values on either side', () => {
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 1 }), (values) => {
        const middle = median(values);
        assert.equal(median([...values].reverse()), middle);
        const below = values.filter((value) => value < middle).length;
        const above = values.filter((value) => value > middle).length;
        assert.ok(below <= values.length / 2 && above <= values.length / 2);
      }),
    );
  });
});

describe('medianRatio', () => {
  it('compares within a round, so a slow round changes nothing', () => {
    assert.equal(medianRatio([3, 300, 30], [2, 200, 20]), 1.5);
  });
  it('is the middle of the ratios, not the ratio of the middles', () => {
    assert.equal(medianRatio([10, 10, 40], [10, 5, 10]), 2);
  });
  it('needs as many rounds on both sides', () => {
    assert.throws(() => medianRatio([1, 2], [1]), RangeError);
    assert.throws(() => medianRatio([], []), RangeError);
  });
});

test('medianAround counts from 1 and takes the neighbours', () => {
  const values = [100, 100, 1, 2, 3, 4, 50, 100];
  assert.equal(medianAround(values, 5, 2), 3);
  assert.equal(medianAround(values, 5, 0), 3);
  assert.equal(medianAround(values, 1, 1), 100);
});

describe('judge', () => {
  const figure = (value: number, bound: number | null, unit: Figure['unit'] = 'x'): Figure => ({
    name: 'f',
    value,
    unit,
    bound,
    detail: '',
  });
  const cases: readonly (readonly [Figure, string])[] = [
    [figure(1.5, 1.5), 'held'],
    [figure(1.2, 1.5), 'held'],
    [figure(1.76, 1.5), 'missed by 0.26 x'],
    [figure(1.31, 1.2, 'GB'), 'missed by 0.11 GB'],
    [figure(9, null), '-'],
    // A value that could not be measured holds nothing.
    [figure(Number.NaN, 1.5), 'missed by NaN x'],
  ];
  for (const [given, expected] of cases) {
    it(`${given.value} against ${given.bound}: ${expected}`, () => assert.equal(judge(given), expected));
  }
});
