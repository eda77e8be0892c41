import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readDeadLetter } from '../../lib/core/dead-letter.ts';

/** What a schedule of a branch should have started, as the scheduler left it. */
function startOf(firedAt: string): unknown {
  const asked = { pipeline: 'hr', branch: 'monthly', fired_at: firedAt, run_id: '<aws.scheduler.execution-id>' };
  const body = { StateMachineArn: 'arn:m', Name: '<aws.scheduler.execution-id>', Input: JSON.stringify(asked) };
  const letter = readDeadLetter('m-1', JSON.stringify(body));
  assert.equal(letter.kind, 'schedule');
  return letter.kind === 'schedule' ? { ...letter.start, input: JSON.parse(letter.start.input) } : undefined;
}

test('a run of a branch that was not started is for the period that it should have been for, or for what is due by then', () => {
  const asked = { pipeline: 'hr', branch: 'monthly', run_id: 'm-1' };
  const start = { stateMachineArn: 'arn:m', name: 'm-1' };
  assert.deepEqual(startOf('2026-11-01T07:00:00Z'), {
    ...start,
    input: { ...asked, fired_at: '2026-11-01T07:00:00Z' },
  });
  assert.deepEqual(startOf('<aws.scheduler.scheduled-time>'), { ...start, input: asked });
});
