import assert from 'node:assert/strict';
import { test } from 'node:test';
import { planMemory, unitsAtOnce } from '../../lib/core/machine-memory.ts';

const MB = 1e6;

/** MB available, processors, MB asked for; MB for DuckDB, threads. */
const CASES: readonly (readonly [number, number, number | undefined, number, number])[] = [
  [24_000, 2, undefined, 2_000, 2],
  [24_000, 64, undefined, 2_000, 16],
  [2_000, 8, undefined, 1_400, 8],
  [1_000, 8, undefined, 600, 4],
  [500, 2, undefined, 200, 1],
  [388, 2, undefined, 110.4, 1],
  [300, 2, undefined, 80, 1],
  [210, 2, undefined, 80, 1],
  [24_000, 0.5, undefined, 2_000, 1],
  [24_000, 1.5, undefined, 2_000, 1],
  [24_000, 8, 100, 100, 1],
  [100, 8, 500, 500, 4],
];

for (const [available, processors, asked, memory, threads] of CASES) {
  const given = asked === undefined ? '' : `, ${asked} MB asked for`;
  test(`${available} MB and ${processors} processors${given}`, () => {
    const machine = { availableBytes: available * MB, processors };
    const plan = planMemory(machine, asked === undefined ? undefined : asked * MB);
    assert.deepEqual(plan, { memoryBytes: memory * MB, threads, unitBytes: memory * MB });
  });
}

test('too little for any work', () => {
  assert.equal(planMemory({ availableBytes: 200 * MB, processors: 2 }, undefined), undefined);
});

test('a unit at once for each thread, and one of the four threads that wait is left for files', () => {
  assert.deepEqual(
    [1, 2, 3, 16].map((threads) => unitsAtOnce({ threads })),
    [1, 2, 3, 3],
  );
});
