import assert from 'node:assert/strict';
import { test } from 'node:test';
import { addInputs, NO_INPUTS } from '../../lib/core/input-bytes.ts';

test('bytes of inputs are added, each kind by itself', () => {
  const sum = [
    { brought: 1, kept: 20, skipped: 300 },
    { brought: 4, kept: 50, skipped: 600 },
  ].reduce(addInputs, NO_INPUTS);
  assert.deepEqual(sum, { brought: 5, kept: 70, skipped: 900 });
});
