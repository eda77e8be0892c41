import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderDiagnosis } from '../../../lib/cli/output/diagnosis.ts';
import { type Diagnosis, partitionsOf } from '../../../lib/core/diagnosis.ts';
import { findingsOf } from '../../../lib/plan/findings.ts';

test('a diagnosis has a section for each topic, of which the latest days and the first partitions are shown', () => {
  const names = Array.from({ length: 22 }, (_, at) => `p${String(at).padStart(2, '0')}`);
  const diagnosis: Diagnosis = {
    name: 'shop.orders',
    kind: 'source',
    at: '2026-01-01T00:00:00Z',
    ...{ rows: 44_000, rejected: 2, unreadable: 1, files: 22, bytes: 2200 },
    schema: [
      { name: 'email', type: 'string', nulls: 11_000, null_percent: 25, distinct_estimate: 7_000, personal: true },
    ],
    keys: [
      {
        column: 'id',
        distinct: 1,
        top: [{ value: null, rows: 44_000, percent: 100 }],
        hot: null,
        buckets: 16,
        skew: 16,
      },
    ],
    partitions: partitionsOf([...names.slice(1), ''].map((partition) => ({ partition, bytes: 1_200 }))),
    days: { column: 'made', volumes: names.map((day) => ({ day, rows: 2_000 })) },
    sample: [{ email: '***' }],
  };
  const text = renderDiagnosis(diagnosis, findingsOf(diagnosis, { kind: 'unknown' }), {});
  const lines = text.split('\n');
  assert.equal(lines[0], 'shop.orders: 44,000 rows in 22 files, 2.2 kB, 2 more are rejected; 1 file cannot be read');
  assert.deepEqual(
    lines.filter((line) => /^[!-] /.test(line)).map((line) => line.split(':')[0]),
    ['- keys', '! skew', '! files', '- rows by day', '- schema', '- sample', '! null values'],
  );
  assert.match(text, /id: 1 different value\n.*\n│ id +│ +rows │ percent │\n.*\n│ NULL │ 44,000 │ +100 │/);
  assert.match(
    text,
    /│ partition │ files │ +bytes │ mean size │ small +│\n.*\n│ \(all\) +│ +1 │ 1\.2 kB │ +1\.2 kB │ below 8 MB │/,
  );
  assert.match(text, /│ p19 [^\n]*\n└[^\n]*\n {2}and 2 more; --json has all/);
  assert.doesNotMatch(text, /│ p20 +│ +1 │/);
  assert.match(text, /│ p21 │ 2,000 │\n│ p20 │/);
  assert.doesNotMatch(text, /│ p01 │ 2,000 │/);
  assert.match(text, /│ email +│ string │ 11,000 │ +25 │ +7,000 │ yes +│/);
  assert.match(text, /│ \*\*\* +│/);
  const none = { ...diagnosis, rejected: 0, unreadable: 0, days: null, sample: [], keys: [] };
  assert.match(
    renderDiagnosis(none, findingsOf(none, { kind: 'unknown' }), {}),
    /^shop.orders: 44,000 rows in 22 files, 2.2 kB\n\n- keys: no key is declared\n.*\n\n- skew/,
  );
});
