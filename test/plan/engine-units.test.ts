import assert from 'node:assert/strict';
import { test } from 'node:test';
import { engineUnits, without } from '../../lib/plan/engine-units.ts';

test('a model that an engine computes has a unit for each hundred partitions, and one for those that nobody knows', () => {
  const some = (n: number) => Array.from({ length: n }, (_, at) => [String(at), null]);
  const sizes = (touched: number | null, known: number) =>
    engineUnits(touched === null ? null : some(touched), some(known)).map(
      ({ partitions, except }) =>
        [partitions?.length ?? null, ...(except === undefined ? [] : [except.length])] as const,
    );
  assert.deepEqual(sizes(0, 500), []);
  assert.deepEqual(sizes(100, 500), [[100]]);
  assert.deepEqual(sizes(201, 0), [[100], [100], [1]]);
  assert.deepEqual(sizes(null, 0), [[null]]);
  assert.deepEqual(sizes(null, 100), [[null]]);
  assert.deepEqual(sizes(null, 101), [[100], [1], [null, 101]]);
  assert.deepEqual(
    engineUnits(null, some(150)).flatMap(({ partitions }) => partitions ?? []),
    some(150),
  );
});

test('partitions that others have are those whose texts are the same, field by field', () => {
  const all = [
    ['a', 'b'],
    ['a', null],
    [null, 'b'],
    ['a,b', ''],
  ];
  assert.deepEqual(without(all, []), all);
  assert.deepEqual(
    without(all, [
      ['a', null],
      ['a', ''],
      ['x', 'b'],
    ]),
    [
      ['a', 'b'],
      [null, 'b'],
      ['a,b', ''],
    ],
  );
});
