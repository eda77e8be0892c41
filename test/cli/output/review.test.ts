import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderAwaiting } from '../../../lib/cli/output/awaiting.ts';
import { renderReview } from '../../../lib/cli/output/review.ts';
import { type Parity, sayUnequal } from '../../../lib/core/parity.ts';
import { sayAwaiting } from '../../../lib/core/promote.ts';
import type { Review } from '../../../lib/query/gate/review.ts';
import { DIFF } from './table-diff.ts';

const context = { layout: {}, hint: (command: string) => `strata ${command}` };

const REVIEW: Review = {
  run_id: 'r7',
  pipeline: 'shop',
  since: '2026-01-01T00:00:00.000Z',
  expires_at: '2026-01-08T00:00:00.000Z',
  digest: 'abc',
  conditions: [
    { condition: 'at most 5 % rejected', holds: true, found: '0 %' },
    { condition: 'no NULL_KEY', holds: false, found: '2 records' },
  ],
  decided: null,
  changed: ['the plan'],
  moved: ['shop_gold.t'],
  accounting: { 'shop_silver.t': { read: 3, accepted: 2, quarantined: 1, condemned: 0, duplicates: 0 } },
  expectations: { held: 4, warnings: ['known: 5 rows'] },
  tables: [
    {
      table: 'p_gold.t',
      rows: 1234,
      diff: {
        ...DIFF,
        values: [
          { column: 'a', changed: null, tolerance: null, sum: { from: '1', to: '1', delta: '0' } },
          { column: 'b', changed: 2, tolerance: null, sum: { from: '1.5', to: '4', delta: '2.5' } },
        ],
      },
    },
    { table: 'shop_gold.first', rows: 8, diff: null },
  ],
  parities: [],
  duration_ms: 1200,
  p50_ms: 900,
  cost_usd: 0.00123,
};

test('a run that waits: what holds and what does not, what has changed meanwhile, tables and sums that differ', () => {
  const text = renderReview(REVIEW, context);
  const [head, facts] = text.split('\n\n');
  assert.equal(head, 'run r7 of shop  AWAITING_APPROVAL');
  assert.deepEqual(facts?.split('\n'), [
    '  waits since   2026-01-01T00:00:00.000Z, rejected at 2026-01-08T00:00:00.000Z',
    '  digest        abc',
    '  holds         at most 5 % rejected: 0 %',
    '  does not hold no NULL_KEY: 2 records',
    '  changed       the plan is not as it was prepared',
    '  changed       other rows are published of shop_gold.t than it goes on from',
    '  expectations  4 expectations held',
    '  warning       known: 5 rows',
    '  duration      1.2 s, half of the runs 900 ms or less',
    '  cost          $0.0012 on AWS until now',
  ]);
  assert.match(text, /│ shop_silver\.t │ +3 │ +2 │ +1 │ +0 │ +0 │/);
  assert.match(text, /│ p_gold\.t +│ +0 │ +1234 │ +11 │ +22 │ +3 │ +2 │/);
  assert.match(text, /│ shop_gold\.first │ +NULL │ +8 │ +8 │ +0 │ +NULL │/);
  assert.match(
    text,
    /sums that differ, of the rows that were read:\n(?:.*\n){3}│ p_gold\.t │ b +│ +1\.5 │ +4 │ +2\.5 │\n└/,
  );
  assert.match(
    text,
    /\nnext:\n {2}strata approve r7 --by NAME --reason TEXT\n {2}strata reject r7 --by NAME --reason TEXT\n$/,
  );
});

test('one that was decided about says by whom, and asks for nothing', () => {
  const decided = { decision: 'rejected', by: 'ann', reason: 'late', at: '2026-01-02', digest: 'abc' } as const;
  const text = renderReview({ ...REVIEW, decided, tables: [], accounting: {}, p50_ms: null }, context);
  assert.match(text, /^run r7 of shop {2}REJECTED\n/);
  assert.match(text, /\n {2}decided {7}rejected by ann at 2026-01-02: late\n/);
  assert.match(text, /\n {2}duration {6}1\.2 s\n/);
  assert.doesNotMatch(text, /next:|records, as each|tables, beside|sums that|compared texts/);
});

test('one that has compared texts of models says of each what it has found', () => {
  const texts = { model: 'gold.t', left: 'legacy', digest: 'd', left_text: 'a', right_text: 'b', keys: null, sums: {} };
  const parities = [
    { ...texts, right: 'rebuilt', equal: false, rows: 1200, right_rows: 1200, differing: 3, error: null },
    { ...texts, right: 'athena', equal: false, rows: null, right_rows: null, differing: null, error: 'not\tthere' },
    { ...texts, right: 'same', equal: true, rows: 1200, right_rows: 1200, differing: 0, error: null },
  ];
  const text = renderReview({ ...REVIEW, parities }, context);
  assert.match(
    text,
    /\n\ncompared texts of models:\n {2}gold\.t, legacy and rebuilt: 3 differ, of 1,200 rows\n {2}gold\.t, legacy and athena: not compared: not\\tthere\n {2}gold\.t, legacy and same: equal, 1,200 rows\n\nnext:/,
  );
  const differing = sayUnequal(parities);
  assert.deepEqual(differing, [
    'rebuilt of gold.t differs from legacy: 3 of 1200 rows',
    'athena of gold.t was not compared with legacy: not\\tthere',
  ]);
  const awaiting = { ...REVIEW, because: [], differing };
  assert.match(
    renderAwaiting(context, 'shop', awaiting),
    /\n\n {2}compared texts: rebuilt of gold\.t differs from legacy: 3 of 1200 rows\n {2}compared texts: athena of .*\n {2}prepared/,
  );
  assert.match(
    sayAwaiting('shop', awaiting),
    /since \S+ \(rebuilt of gold\.t differs from legacy: 3 of 1200 rows; athena of/,
  );
  const many = Array.from({ length: 22 }, () => ({ ...parities[1], error: 'x'.repeat(300) }) as Parity);
  const said = sayUnequal(many);
  assert.deepEqual([said.length, said[0]?.length, said[20]], [21, 247, '2 more texts are not equal']);
});

test('a run that has begun to wait', () => {
  const awaiting = { ...REVIEW, because: ['no NULL_KEY: 2 records'] };
  assert.equal(
    renderAwaiting(context, 'shop', awaiting),
    [
      'run r7 of shop  AWAITING_APPROVAL',
      '',
      '  does not hold: no NULL_KEY: 2 records',
      '  prepared, and not published; rejected at 2026-01-08T00:00:00.000Z unless somebody decides',
      '  digest abc',
      '',
      'next:',
      '  strata review r7',
      '  strata approve r7 --by NAME --reason TEXT',
      '  strata reject r7 --by NAME --reason TEXT',
      '',
    ].join('\n'),
  );
});
