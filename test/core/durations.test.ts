import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDays, parseSpan } from '../../lib/core/durations.ts';

test('spans are milliseconds', () => {
  const cases = [
    ['1s', 1_000],
    ['30m', 1_800_000],
    ['1h', 3_600_000],
    ['2d', 172_800_000],
    ['0h', undefined],
    ['1.5h', undefined],
    ['h', undefined],
    ['1w', undefined],
    ['1 h', undefined],
  ] as const;
  for (const [text, expected] of cases) assert.equal(parseSpan(text), expected, text);
});

test('retention is whole days, years with their leap days', () => {
  const cases = [
    ['90d', 90],
    ['1y', 366],
    ['4y', 1461],
    ['7y', 2557],
    ['0y', undefined],
    ['-1d', undefined],
    ['7', undefined],
    ['2m', undefined],
  ] as const;
  for (const [text, expected] of cases) assert.equal(parseDays(text), expected, text);
});
