import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import type { Session } from '../../../lib/ports.ts';
import { join, sql } from '../../../lib/sql/fragment.ts';
import { bitsOf, type DivisionBits, renderAverages, renderDividends } from '../../../lib/sql/ladder/average.ts';
import { createTestEngine, readingSession } from '../../support/test-engine.ts';

let session: Session;
before(async () => {
  session = await createTestEngine().open(readingSession());
});
after(() => session[Symbol.asyncDispose]());

async function average(
  sum: bigint | null,
  divisor: bigint | null,
  bits: DivisionBits,
  narrow = false,
): Promise<unknown> {
  const cast = (value: bigint | null) => (value === null ? sql`CAST(NULL AS HUGEINT)` : sql`CAST(${value} AS HUGEINT)`);
  const averages = [{ name: 'a', sum: cast(sum), divisor: cast(divisor), narrow }];
  const from = sql`(SELECT ${join(renderDividends(averages))})`;
  const text = sql`SELECT a FROM ${renderAverages(from, averages, bits)}`;
  return (await session.rows({ name: 'average', text }))[0]?.['a'];
}

/** A quotient that 64 bits put in the middle of two DOUBLEs, and one of a number that has more than 53. */
const [MIDDLE, WIDE] = [900_000_085_327_234n, 9_007_199_254_740_995n];

const CASES: readonly (readonly [
  sum: bigint | null,
  divisor: bigint | null,
  bits: DivisionBits,
  average: number | null,
])[] = [
  [MIDDLE, 3_000_000n, 64, 300_000_028.4424113],
  [MIDDLE, 3_000_000n, 113, 300_000_028.44241136],
  [MIDDLE, 3_000_000n, 53, 300_000_028.44241136],
  [-MIDDLE, 3_000_000n, 64, -300_000_028.4424113],
  [WIDE, 3n, 64, 3_002_399_751_580_331.5],
  [WIDE, 3n, 113, 3_002_399_751_580_331.5],
  [WIDE, 3n, 53, 3_002_399_751_580_332],
  [1n, 3n, 64, 1 / 3],
  [7n, 1n << 61n, 64, 7 / 2 ** 61],
  [3n << 120n, 1n, 64, 3 * 2 ** 120],
  [(1n << 80n) + 1n, 1n << 40n, 64, 2 ** 40],
  [0n, 5n, 64, 0],
  [null, null, 64, null],
];

test('sums are divided as many bits divide them', async () => {
  for (const [sum, divisor, bits, expected] of CASES)
    assert.equal(await average(sum, divisor, bits), expected, `${sum} / ${divisor} with ${bits}`);
  assert.equal(await average(WIDE, 3n, 64, true), 3_002_399_751_580_332);
});

test('a divisor for which there is no room is refused', async () => {
  await assert.rejects(average(1n, 1n << 62n, 64), /more rows than can be divided exactly/);
});

test('probes tell the bits', () => {
  assert.equal(bitsOf({ is_64: true, is_53: false }), 64);
  assert.equal(bitsOf({ is_64: false, is_53: true }), 53);
  assert.equal(bitsOf({ is_64: false, is_53: false }), 113);
});
