import assert from 'node:assert/strict';
import { test } from 'node:test';
import { RunFailed } from '../../../lib/core/errors.ts';
import type { AfterError } from '../../../lib/core/failed-run.ts';
import { runRunFailed } from '../../../lib/steps/end/run-failed.ts';

const error = { Error: 'AuditFailed', Cause: 'silver.orders: 3 rows' };
const request = { pipeline: 'shop', run_id: 'r-1', dry_run: false, wait: true } as const;
const run = { pipeline: 'shop', run_id: 'r-0', dry_run: false };

const THROWN: readonly (readonly [string, AfterError])[] = [
  ['a first failure', { state: { run, request, error, failure: { redrives: 0 } }, execution: {} }],
  ['a failure whose Fail failed', { state: { run, request, error }, execution: { RedriveCount: 0 } }],
  [
    'a second failure of a redriven run',
    { state: { request, error, failure: { redrives: 1 } }, execution: { RedriveCount: 1 } },
  ],
  ['a redrive that does not know what was asked for', { state: { error }, execution: { RedriveCount: 1 } }],
];

for (const [name, input] of THROWN) {
  test(`${name} ends the execution with the error of the run`, async () => {
    await assert.rejects(runRunFailed(input), (thrown) => {
      assert.ok(thrown instanceof RunFailed);
      assert.equal(thrown.message, 'AuditFailed: silver.orders: 3 rows');
      return true;
    });
  });
}

const REDRIVEN: readonly (readonly [string, AfterError, string])[] = [
  [
    'after a failure',
    { state: { run, request, error, failure: { redrives: 0 } }, execution: { RedriveCount: 1 } },
    'r-1-r1',
  ],
  [
    'for the second time',
    { state: { request, error, failure: { redrives: 1 } }, execution: { RedriveCount: 2 } },
    'r-1-r2',
  ],
  [
    'whose Open failed',
    { state: { ...request, error, failure: { redrives: 0 } }, execution: { RedriveCount: 1 } },
    'r-1-r1',
  ],
  [
    'with the longest run_id',
    { state: { request: { ...request, run_id: 'r'.repeat(80) }, error }, execution: { RedriveCount: 10 } },
    `${'r'.repeat(76)}-r10`,
  ],
];

for (const [name, input, run_id] of REDRIVEN) {
  test(`an execution redriven ${name} opens what was asked for under another run_id`, async () => {
    assert.deepEqual(await runRunFailed(input), { ...request, run_id });
  });
}

test('an execution whose Open failed opens all that was asked for when it is redriven, and not a run of everything', async () => {
  for (const asked of [
    { branch: 'monthly', fired_at: '2024-10-01T07:00:00Z', started_by: 'schedule' },
    { branch: 'monthly', period: '2024-10' },
    { select: ['gold.a'], exclude: ['gold.b'], vars: { least: '1' }, run_date: '2024-10-01' },
    { retry: { status: 'rejected' } },
    { backfill: { from: '2024-01-01' }, forward_only: true, maintain: false },
    { rebuild: 'a', kind: 'maintenance', compact: { all: true }, maintenance: { operations: ['compact'] } },
  ] as const) {
    const input: AfterError = { state: { ...request, ...asked, error }, execution: { RedriveCount: 1 } };
    assert.deepEqual(await runRunFailed(input), { ...request, ...asked, run_id: 'r-1-r1' });
  }
});
