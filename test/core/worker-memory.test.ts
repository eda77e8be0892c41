import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LAMBDA_LIMITS } from '../../lib/core/compute.ts';
import {
  allowedBytes,
  duckDbBytes,
  NODE_SHARE_MB,
  threadsOf,
  unitBytesFor,
  vcpusOf,
} from '../../lib/core/worker-memory.ts';

const MIB = 2 ** 20;

/** MB of a function, MiB of DuckDB, threads, MiB of a unit. */
const SIZES: readonly (readonly [number, number, number, number])[] = [
  [512, 204, 1, 51],
  [1_024, 614, 1, 153.5],
  [1_769, 1_210, 1, 302.5],
  [1_770, 1_211, 2, 302.75],
  [3_008, 2_201, 2, 550.25],
  [3_539, 2_626, 3, 656.5],
  [10_240, 7_987, 6, 1_996.75],
];

for (const [memoryMb, duckDb, threads, unit] of SIZES) {
  test(`a function of ${memoryMb} MB`, () => {
    assert.equal(duckDbBytes(memoryMb), duckDb * MIB);
    assert.equal(allowedBytes(memoryMb), Math.floor(duckDb * MIB * 0.875));
    assert.equal(threadsOf(memoryMb), threads);
    assert.equal(unitBytesFor(memoryMb), unit * MIB);
  });
}

test('a vCPU comes with each 1,769 MB', () => {
  assert.deepEqual([1_769, 3_538, 884.5].map(vcpusOf), [1, 2, 0.5]);
});

test('at every size Node keeps its share, and a unit fits what DuckDB has', () => {
  for (let memoryMb: number = LAMBDA_LIMITS.memoryMb.min; memoryMb <= LAMBDA_LIMITS.memoryMb.max; memoryMb += 1) {
    assert.ok(duckDbBytes(memoryMb) <= (memoryMb - NODE_SHARE_MB) * MIB, `${memoryMb} MB`);
    assert.ok(unitBytesFor(memoryMb) > 0 && unitBytesFor(memoryMb) * 4 <= duckDbBytes(memoryMb), `${memoryMb} MB`);
  }
});
