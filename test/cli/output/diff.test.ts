import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderDiff } from '../../../lib/cli/output/diff.ts';
import { renderPipelineDiff } from '../../../lib/cli/output/diff-pipeline.ts';
import { DIFF, SIDE } from './table-diff.ts';

test('what is told of a difference, line by line', () => {
  const text = renderDiff(DIFF, {});
  assert.equal(
    text.split('\n\n')[0],
    [
      'from        p_gold.t, which had no snapshot, 0 rows',
      'to          p_gold.t, snapshot 7 of 2026-01-01T00:00:00.000Z, 1,234 rows',
      'files       read 0 and 1 file',
      'by          the key a, b',
      'new         columns new (int)',
      'gone        columns old (string)',
      'renamed     columns x to y',
      'retyped     columns z from int to bigint',
      'left out    columns run_id',
      'not unique  2 keys with 1 and 3 rows, compared as whole rows: 10 added, 20 removed: a=1 b=NULL (0 and 2), ...',
      'rows        1 added, 2 removed, 3 changed, of keys that come once',
    ].join('\n'),
  );
  assert.doesNotMatch(text, /columns, of the rows/);
  assert.match(text, /\nadded, for example:\n.*\n│ # │ times │\n.*\n│ 2 │ +1 │\n/);
});

test('of tables of a pipeline, with those that are like nothing before', () => {
  const context = { layout: {}, hint: (command: string) => `strata ${command}` };
  const text = renderPipelineDiff({ equal: false, pipeline: 'p', from: 'r1', to: null, tables: [DIFF] }, context);
  assert.match(text, /^p from r1 to now: 1 of 1 table differ\n/);
  assert.match(text, /│ p_gold\.t │ +0 │ +1234 │ +11 │ +22 │ +3 │ +2 │ \+new, -old, x to y, z int to bigint │\n/);
  assert.match(text, /rows of one: strata history p_gold\.t\n$/);
  const known = { ...DIFF, from: { ...SIDE, snapshot_id: '6' } };
  const two = renderPipelineDiff({ equal: false, pipeline: 'p', from: 'r1', to: 'r2', tables: [known] }, context);
  assert.match(two, /rows of one: strata diff p_gold\.t --from 6 --to 7\n$/);
});
