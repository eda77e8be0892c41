import assert from 'node:assert/strict';
import { test } from 'node:test';
import { formatBytes, formatCount, formatDuration, formatQuantity, formatUsd } from '../../../lib/cli/output/human.ts';
import { renderJson } from '../../../lib/cli/output/json.ts';
import { formatTime } from '../../../lib/report/human.ts';

const BYTES: readonly (readonly [number, string])[] = [
  [0, '0 B'],
  [999, '999 B'],
  [1000, '1.0 kB'],
  [1540, '1.5 kB'],
  [9_940, '9.9 kB'],
  [9_960, '10 kB'],
  [999_499, '999 kB'],
  [999_500, '1.0 MB'],
  [128 * 1024 * 1024, '134 MB'],
  [1.2e9, '1.2 GB'],
  [5e18, '5000 PB'],
];

test('bytes', () => {
  for (const [bytes, text] of BYTES) assert.equal(formatBytes(bytes), text);
});

test('times', () => {
  for (const time of ['2026-03-31T11:00:00.999Z', '2026-03-31T11:00:00Z', Date.parse('2026-03-31T11:00:00.999Z')])
    assert.equal(formatTime(time), '2026-03-31T11:00:00Z');
  // What is no such time is shown as it is.
  assert.equal(formatTime('2026-03-31 11:00:00.5+00'), '2026-03-31 11:00:00.5+00');
});

const DURATIONS: readonly (readonly [number, string])[] = [
  [0, '0 ms'],
  [999.4, '999 ms'],
  [999.6, '1.0 s'],
  [1234, '1.2 s'],
  [59_949, '59.9 s'],
  [59_960, '1 min 00 s'],
  [185_000, '3 min 05 s'],
  [3_599_600, '1 h 00 min'],
  [7_620_000, '2 h 07 min'],
];

test('durations', () => {
  for (const [ms, text] of DURATIONS) assert.equal(formatDuration(ms), text);
});

test('counts and quantities', () => {
  assert.equal(formatCount(1_234_567), '1,234,567');
  assert.equal(formatCount(12_345_678_901_234_567_890n), '12,345,678,901,234,567,890');
  assert.equal(formatQuantity(1, 'row'), '1 row');
  assert.equal(formatQuantity(0, 'entry', 'entries'), '0 entries');
});

test('a JSON document ends its line and reads back', () => {
  const document = { rows: [{ long: '9007199254740993', nothing: null }] };
  assert.deepEqual(JSON.parse(renderJson(document)), document);
  assert.ok(renderJson(document).endsWith('}\n'));
});

const DOLLARS: readonly (readonly [number, string])[] = [
  [0, '$0.00'],
  [0.00000412, '$0.0000041'],
  [0.004137, '$0.0041'],
  [0.0999, '$0.100'],
  [0.53, '$0.53'],
  [12.345, '$12.35'],
];
for (const [usd, text] of DOLLARS) {
  test(`${usd} dollars are ${text}`, () => assert.equal(formatUsd(usd), text));
}
