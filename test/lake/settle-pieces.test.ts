import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { FileOutcome, LandedFile } from '../../lib/core/run.ts';
import { settlePieces } from '../../lib/lake/run/settle-pieces.ts';
import { emptyResult, type UnitResult } from '../../lib/lake/run/unit-result.ts';

const FILE: LandedFile = { key: 'bronze/shop/rows/a.csv', size: 30, etag: 'e' };
const COUNTS = { read: 10, accepted: 9, quarantined: 1, condemned: 0, duplicates: 0 };

const part = (nth: number): LandedFile => ({ ...FILE, piece: { nth, from: nth * 10, to: nth * 10 + 10, lines: nth } });
const outcome = (file: LandedFile, status: FileOutcome['status'] = 'ingested'): FileOutcome =>
  status === 'ingested'
    ? { ...file, status, records: 10, code: null, reason: null }
    : { ...file, status, records: 0, code: 'C', reason: 'R' };
const staged = (unit: number, file: FileOutcome): UnitResult => ({
  ...emptyResult(`u-${unit}`, 'silver.t'),
  counts: COUNTS,
  files: [file],
  exchanged: [{ key: `x-${unit}`, written: { path: '', rows: 9, bytes: 1, partition: [], columns: [] } }],
  ms: 5,
});

test('the parts of a file are one file with the records of all', () => {
  const other = staged(0, outcome({ ...FILE, key: 'bronze/shop/rows/0.csv' }));
  const parts = [other, staged(1, outcome(part(0))), staged(2, outcome(part(1)))];
  const settled = settlePieces(parts);
  assert.deepEqual(settled[0], other);
  assert.deepEqual(settled[1]?.files, [{ ...outcome(FILE), records: 20 }]);
  assert.deepEqual(settled[2]?.files, []);
  assert.deepEqual(
    settled.map(({ counts, exchanged }) => [counts, exchanged.length]),
    parts.map(({ counts }) => [counts, 1]),
  );
});

for (const [what, said] of [
  ['rejected', { files: [outcome(part(1), 'rejected')] }],
  ['suspended', { files: [outcome(part(1), 'suspended')] }],
  ['left', { files: [], left: [{ ...part(1), reason: 'R' }] }],
] as const) {
  test(`a file of which one part is ${what} is so as a whole, and nothing of it counts`, () => {
    const settled = settlePieces([staged(0, outcome(part(0))), { ...staged(1, outcome(part(1))), ...said }]);
    const { piece: _, ...file } = what === 'left' ? { ...part(1), reason: 'R' } : outcome(part(1), what);
    assert.deepEqual([...(settled[0]?.files ?? []), ...(settled[0]?.left ?? [])], [file]);
    for (const { counts, exchanged, ms } of settled) {
      assert.deepEqual([counts.read, exchanged.length, ms], [0, 0, 5]);
    }
    assert.deepEqual(settled[1]?.files, []);
  });
}
