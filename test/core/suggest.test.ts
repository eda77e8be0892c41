import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { editDistance, nearest, oneOf } from '../../lib/core/suggest.ts';

const DISTANCES: readonly (readonly [a: string, b: string, distance: number])[] = [
  ['', '', 0],
  ['', 'abc', 3],
  ['kitten', 'sitting', 3],
  ['flaw', 'lawn', 2],
  ['same', 'same', 0],
];

for (const [a, b, distance] of DISTANCES) {
  test(`from ${a} to ${b} in ${distance}`, () => assert.equal(editDistance(a, b), distance));
}

test('the distance is a metric', () => {
  const word = fc.string({ maxLength: 8 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      assert.equal(editDistance(a, b), editDistance(b, a));
      assert.equal(editDistance(a, b) === 0, a === b);
      assert.ok(editDistance(a, c) <= editDistance(a, b) + editDistance(b, c));
    }),
    { seed: 7 },
  );
});

const NEAREST: readonly (readonly [word: string, candidates: readonly string[], found: string | undefined])[] = [
  ['order_at', ['order_id', 'ordered_at'], 'ordered_at'],
  ['Region', ['region'], 'region'],
  ['xyz', ['customer', 'region'], undefined],
  ['customers_id', ['customer_name', 'customer_id'], 'customer_id'],
  ['a', [], undefined],
];

for (const [word, candidates, found] of NEAREST) {
  test(`nearest to ${word} of ${candidates}`, () => assert.equal(nearest(word, candidates), found));
}

test('a long list is cut', () => {
  const names = Array.from({ length: 25 }, (_, index) => `column${index}`);
  assert.match(oneOf('x', names), /^one of column0, .*, column23, \.\.\. \(25 in all\)$/);
});
