import assert from 'node:assert/strict';
import { test } from 'node:test';
import { peakMemory } from '../../lib/runtime/peak-memory.ts';

test('the peak of a process is in bytes, and no less than what it has', () => {
  const rss = process.memoryUsage.rss();
  const peak = peakMemory();
  assert.ok(peak > rss / 2 && peak < 1_000 * rss, `${peak} ${rss}`);
});
