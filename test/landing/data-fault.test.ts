import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../../lib/core/errors.ts';
import { engineReason } from '../../lib/landing/data-fault.ts';

const REASONS: readonly (readonly [said: string, reason: string])[] = [
  ['count: IO Error: Could not read file "x.parquet"\nmore', 'count: IO Error: Could not read file "x.parquet"'],
  ['\nparse: Conversion Error: \u001b[31mred\u0000', 'parse: Conversion Error:  [31mred '],
  [
    'parse: Failed to read file "/tmp/strata/4/a b.parquet": "no/path"',
    'parse: Failed to read file "a b.parquet": "no/path"',
  ],
  ['', 'no message'],
  ['x'.repeat(10_000), 'x'.repeat(500)],
];
for (const [said, reason] of REASONS) {
  test(`what the engine said becomes one line: ${JSON.stringify(reason.slice(0, 60))}`, () => {
    assert.equal(engineReason(new EngineError(said)), reason);
  });
}
