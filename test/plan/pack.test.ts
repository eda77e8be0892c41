import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { append } from '../../lib/define/index.ts';
import { packExchange, packShares, packSmallFiles } from '../../lib/plan/merge-units.ts';
import { packEvenly, packInOrder, pickEvenly } from '../../lib/plan/pack.ts';
import { likelyParts, packFiles, packPartitions, parsedBytes } from '../../lib/plan/stage-units.ts';

const weights = fc.array(fc.nat(50), { maxLength: 40 });
const limits = fc.integer({ min: 1, max: 100 });
const itself = (weight: number): number => weight;
const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

test('of more than can be looked at some files are picked, evenly, and at least one', () => {
  const files = (...sizes: number[]) => sizes.map((bytes, at) => ({ at, bytes }));
  const picked = (most: number, sizes: number[]) => pickEvenly(files(...sizes), most).map(({ at }) => at);
  assert.deepEqual(picked(40, [10, 10, 10, 10]), [0, 1, 2, 3]);
  assert.deepEqual(picked(20, [10, 10, 10, 10]), [1, 3]);
  assert.deepEqual(picked(5, [10, 9, 10]), [1]);
  assert.deepEqual(picked(5, []), []);
  fc.assert(
    fc.property(weights, limits, (sizes, most) => {
      const some = pickEvenly(files(...sizes), most);
      assert.ok(some.length <= 1 || sum(some.map(({ bytes }) => bytes)) <= most + 1e-9);
      assert.ok(some.length > 0 || sizes.length === 0);
    }),
  );
});

describe('packing in order', () => {
  test('keeps every item, in its order, in groups of at most the limit or of one item', () => {
    fc.assert(
      fc.property(weights, limits, (items, limit) => {
        const groups = packInOrder(items, limit, itself);
        assert.deepEqual(groups.flat(), items);
        for (const group of groups) assert.ok(group.length === 1 || sum(group) <= limit, JSON.stringify(groups));
      }),
    );
  });

  test('begins a group only with an item that did not fit into the one before', () => {
    fc.assert(
      fc.property(weights, limits, (items, limit) => {
        const groups = packInOrder(items, limit, itself);
        for (const [at, group] of groups.entries()) {
          const before = groups[at - 1];
          if (before !== undefined) assert.ok(sum(before) + (group[0] ?? 0) > limit, JSON.stringify(groups));
        }
      }),
    );
  });
});

test('packed evenly, there are as few groups as before, in order, and the largest has no more than it has to', () => {
  assert.deepEqual(packEvenly([1, 1, 1, 1, 1], 4, itself), [
    [1, 1, 1],
    [1, 1],
  ]);
  assert.deepEqual(packEvenly([30, 9, 1], 10, itself), [[30], [9, 1]]);
  fc.assert(
    fc.property(weights, limits, (items, limit) => {
      const [groups, before] = [packEvenly(items, limit, itself), packInOrder(items, limit, itself)];
      assert.deepEqual(groups.flat(), items);
      assert.equal(groups.length, before.length);
      // Weights are whole: with a limit of one less than the largest group of several there would be more groups.
      const largest = Math.max(0, ...groups.filter((group) => group.length > 1).map(sum));
      assert.ok(largest <= limit);
      const alone = Math.max(0, ...items);
      if (groups.length > 1 && largest > alone)
        assert.ok(packInOrder(items, largest - 1, itself).length > groups.length);
    }),
  );
});

const file = (key: string, size: number) => ({ key, size, etag: key });

const PACKED = [
  ['two fill a unit, the third begins another', append(), [40, 60, 1], 100, [[40, 60], [1]]],
  ['one that is larger than a unit is one of its own', append(), [10, 900, 10], 100, [[10], [900], [10]]],
  [
    'what is condemned for its key is seen together',
    append({ dedupe: { key: 'id' }, onDuplicate: 'condemn' }),
    [90, 90, 90],
    100,
    [[90, 90, 90]],
  ],
  ['nothing', append(), [], 100, []],
] as const;

test('a part of a file has a unit for itself', () => {
  const MB = 2 ** 20;
  const parts = likelyParts(file('large.csv', 5 * MB), 2 * MB);
  const units = packFiles({ mode: append() }, [file('a.csv', 1), ...parts, file('b.csv', 1), file('c.csv', 1)], {
    unitBytes: 2 * MB,
  });
  assert.deepEqual(
    units.map((unit) => unit.map(({ key, piece }) => `${key} ${piece?.from ?? ''}`)),
    [
      ['a.csv '],
      ['large.csv 0'],
      [`large.csv ${Math.floor((5 * MB) / 3)}`],
      [`large.csv ${Math.floor((10 * MB) / 3)}`],
      ['b.csv ', 'c.csv '],
    ],
  );
  assert.equal(likelyParts(file('large.csv.gz', 5 * MB), MB).length, 1);
  assert.equal(likelyParts(file('small.csv', 5000), 10).length, 1);
});

for (const [what, mode, sizes, unitBytes, expected] of PACKED) {
  test(`files of a unit: ${what}`, () => {
    const files = sizes.map((size, i) => file(`f${i}.csv`, size));
    const units = packFiles({ mode }, files, { unitBytes });
    assert.deepEqual(
      units.map((unit) => unit.map(({ size }) => size)),
      expected,
    );
  });
}

test('compressed files weigh what they are estimated to become', () => {
  assert.deepEqual(
    [parsedBytes(file('a.csv', 10)), parsedBytes(file('a.csv.gz', 10)), parsedBytes(file('a.CSV.ZST', 10))],
    [10, 60, 60],
  );
});

test('partitions: all of a table is one unit, touched ones are shared out, none is none', () => {
  const partitions = Array.from({ length: 51 }, (_, i) => i);
  assert.deepEqual(packPartitions(null), [null]);
  assert.deepEqual(packPartitions([]), []);
  assert.deepEqual(
    packPartitions(partitions).map((unit) => unit?.length),
    [25, 25, 1],
  );
});

test('buckets of an exchange are joined to a quarter of a unit', () => {
  const buckets = [{ bytes: 10 }, { bytes: 15 }, { bytes: 1 }];
  assert.deepEqual(packExchange(buckets, { unitBytes: 100 }), [[{ bytes: 10 }, { bytes: 15 }], [{ bytes: 1 }]]);
});

test('small files are joined within their partition; large and lonely ones stay', () => {
  const of = (name: string, partition: string, bytes: number) => ({ name, partition, bytes });
  const files = [
    of('a', 'x', 10),
    of('b', 'y', 10),
    of('c', 'x', 20),
    of('d', 'x', 60),
    of('e', 'x', 45),
    of('f', 'x', 40),
  ];
  const groups = packSmallFiles(files, 100);
  assert.deepEqual(
    groups.map((group) => group.map(({ name }) => name)),
    [['a', 'c', 'e']],
  );
});

test('shares of a keyed merge: small buckets joined to one pass, a large one cut, none lost', () => {
  const load = (bucket: number, bytes: number) => ({ bucket, bytes, events: [`e${bucket}`] });
  const units = packShares([load(0, 10), load(1, 12), load(2, 80), load(3, 5)], { unitBytes: 100 }, true);
  assert.deepEqual(units, [
    [{ buckets: [0, 1], part: 0, parts: 1, events: ['e0', 'e1'], event_buckets: [0, 1] }],
    [{ buckets: [2], part: 0, parts: 4, events: ['e2'], event_buckets: [2] }],
    [{ buckets: [2], part: 1, parts: 4, events: ['e2'], event_buckets: [2] }],
    [{ buckets: [2], part: 2, parts: 4, events: ['e2'], event_buckets: [2] }],
    [
      { buckets: [3], part: 0, parts: 1, events: ['e3'], event_buckets: [3] },
      { buckets: [2], part: 3, parts: 4, events: ['e2'], event_buckets: [2] },
    ],
  ]);
});

test('shares of events that an earlier release staged do not say where these are, for the events do', () => {
  const load = (bucket: number) => ({ bucket, bytes: 1, events: [`e${bucket}`] });
  assert.deepEqual(packShares([load(0), load(1)], { unitBytes: 100 }, false), [
    [{ buckets: [0, 1], part: 0, parts: 1, events: ['e0', 'e1'] }],
  ]);
});
