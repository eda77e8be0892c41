import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderBench } from '../../lib/cli/output/bench.ts';
import { judgeModes, type RanMode } from '../../lib/report/bench.ts';

const run = (ms: number, cpu_ms: number) => ({ ms, cpu_ms });
const mode = (name: string, change: Partial<RanMode>): RanMode => ({
  mode: name,
  differences: [],
  error: null,
  runs: [],
  ...change,
});

const MODES = judgeModes([
  mode('base', { runs: [run(100, 10), run(400, 40), run(100, 0)] }),
  mode('tuned', { runs: [run(50, 30), run(100, 20), run(80, 9)] }),
  // Faster than all, and of no account.
  mode('lossy', { differences: ['t: 2 rows -> 1: 0 more, 1 less'], runs: [run(1, 1)] }),
  mode('broken', { error: 'an expectation\n  does not hold', runs: [run(1, 1)] }),
]);

test('a mode whose tables differ, or that fails, has no times; the others are judged round by round', () => {
  const none = { ms: null, cpu_ms: null, time_ratio: null, cpu_ratio: null };
  assert.deepEqual(MODES, [
    { mode: 'base', differences: [], error: null, verdict: 'first', ms: 100, cpu_ms: 10, time_ratio: 1, cpu_ratio: 1 },
    // Of 0.5, 0.25 and 0.8; of 3 and 0.5, since a round that took nothing says nothing.
    {
      mode: 'tuned',
      differences: [],
      error: null,
      verdict: 'same',
      ms: 80,
      cpu_ms: 20,
      time_ratio: 0.5,
      cpu_ratio: 1.75,
    },
    { mode: 'lossy', differences: ['t: 2 rows -> 1: 0 more, 1 less'], error: null, verdict: 'wrong', ...none },
    { mode: 'broken', differences: [], error: 'an expectation\n  does not hold', verdict: 'failed', ...none },
  ]);
});

test('wrong is said where others have their times', () => {
  const text = renderBench('shop', 3, MODES, {});
  assert.match(text, /^shop over what has landed, the median of 3 rounds\n/);
  assert.match(text, /│ base +│ compared with │ 100 ms │ 1\.00x +│ 10 ms +│ 1\.00x +│/);
  assert.match(text, /│ tuned +│ the same +│ 80 ms +│ 0\.50x +│ 20 ms +│ 1\.75x +│/);
  assert.match(text, /│ lossy +│ WRONG +│ - +│ - +│ - +│ - +│/);
  assert.match(text, /│ broken +│ FAILED +│ - +│/);
  assert.ok(text.endsWith('lossy is wrong: t: 2 rows -> 1: 0 more, 1 less\nbroken failed: an expectation\n'), text);
});
