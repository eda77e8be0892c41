import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosenBuckets, grownBuckets, likelyTableBytes, rebuiltBuckets } from '../../lib/plan/buckets.ts';

const MB = 2 ** 20;
const OPEN = { buckets: null };

test('a keyed table gets a bucket for about 32 MB, in powers of two', () => {
  const chosen = [0, 1, 32 * MB, 32 * MB + 1, 96 * MB, 1000 * MB, 1e13].map((bytes) => chosenBuckets(OPEN, bytes));
  assert.deepEqual(chosen, [1, 1, 1, 2, 4, 32, 256]);
  assert.equal(chosenBuckets({ buckets: 3 }, 1e13), 3);
});

test('text becomes a table of a quarter of its size, Parquet one of the same size', () => {
  const sizes = (['csv', 'json', 'parquet'] as const).map((kind) => likelyTableBytes(400, { kind }));
  assert.deepEqual(sizes, [100, 100, 400]);
});

test('a rebuild gives a table that has grown more buckets, never fewer, and as many as were asked for', () => {
  assert.equal(rebuiltBuckets(OPEN, 2, 200 * MB), 8);
  assert.equal(rebuiltBuckets(OPEN, 16, 200 * MB), 16);
  assert.equal(rebuiltBuckets({ buckets: 4 }, 16, 200 * MB), 4);
});

test('a table that has outgrown its buckets gets more by a power of two, and others keep them', () => {
  const grown = [64 * MB, 100 * MB, 2000 * MB].map((bytes) => grownBuckets(OPEN, 1, bytes, 128 * MB));
  assert.deepEqual(grown, [undefined, 4, 64]);
  assert.equal(grownBuckets(OPEN, 3, 400 * MB, 128 * MB), 12);
  assert.equal(grownBuckets(OPEN, 256, 1e13, 128 * MB), undefined);
  assert.equal(grownBuckets({ buckets: 1 }, 1, 2000 * MB, 128 * MB), undefined);
  assert.equal(grownBuckets(OPEN, 2, 100, 10), 16, 'no bucket has more than a file is to have');
});
