import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as errors from '../../../lib/core/errors.ts';
import { StrataError } from '../../../lib/core/errors.ts';
import type { AfterError, FailedState } from '../../../lib/core/failed-run.ts';
import { type Alert, renderAlert } from '../../../lib/steps/end/alert-text.ts';

const ARN = 'arn:aws:states:eu-west-1:1:execution:strata-shop:r-1';
const run = { pipeline: 'shop', run_id: 'r-1', dry_run: false };
const error = { Error: 'AuditFailed', Cause: 'silver.orders: 3 rows' };

const FAILED: FailedState = { run, error, failure: { redrives: 0, undone: true } };

function render(state: FailedState = FAILED, execution: AfterError['execution'] = { Id: ARN }, runId = 'r-1'): Alert {
  const at = new Date('2026-01-02T03:04:05.000Z');
  return renderAlert({ pipeline: 'shop', runId, at }, { state, execution });
}

test('an alert says what failed, why, what was published, where to look and what to do', () => {
  assert.deepEqual(render(), {
    subject: 'Strata: shop failed: AuditFailed (r-1)',
    message: `Run r-1 of pipeline shop failed.

Time:      2026-01-02T03:04:05.000Z
Error:     AuditFailed
Cause:     silver.orders: 3 rows
Published: nothing; every table is as it was before the run

Where to look:
  ${ARN}
  https://eu-west-1.console.aws.amazon.com/states/home?region=eu-west-1#/v2/executions/details/${ARN}

What to do:
  The data, or the tables that it would have made, break what the pipeline promises: correct the files or the rule that the cause names.
  Then go on with the same execution, or start a new run:
    aws stepfunctions redrive-execution --execution-arn ${ARN}
    strata run --aws shop
  Files that have landed are not lost: the next run takes them.
`,
  });
});

const PUBLISHED: readonly (readonly [string, FailedState, string])[] = [
  ['was undone', FAILED, 'nothing; every table is as it was before the run'],
  ['had begun to publish', { run, error, failure: { redrives: 0, undone: false } }, 'in part; the next run'],
  ['was never opened', { error, failure: { redrives: 0 } }, 'nothing; the run had not'],
  ['could not be undone', { run, error }, 'not known, as the run'],
  ['was stopped', { error }, 'not known, as the run'],
];

for (const [what, state, published] of PUBLISHED) {
  test(`what a run has published that ${what}`, () => {
    assert.ok(render(state).message.includes(`\nPublished: ${published}`));
  });
}

test('a run that failed because it had to finish another one first names it', () => {
  const { message } = render({ ...FAILED, run: { ...run, run_id: 'r-0' } });
  assert.ok(message.startsWith('Run r-1 of pipeline shop failed.\nIt had to finish run r-0 first, and that failed.\n'));
});

test('an execution that is not known is not linked to', () => {
  const { message } = render(FAILED, {});
  assert.ok(message.includes('Where to look:\n  the executions of the state machine\n'));
  assert.ok(!message.includes('undefined') && !message.includes('redrive-execution'));
});

test('a long cause is shortened, a missing one is said to be so', () => {
  const { message } = render({ ...FAILED, error: { Error: 'EngineError', Cause: 'x'.repeat(300_000) } });
  assert.ok(message.length < 6_000 && message.includes('(the execution has the rest)'));
  assert.ok(
    render({ ...FAILED, error: { Error: 'States.Timeout', Cause: '' } }).message.includes('Cause:     none was given'),
  );
});

test('a cause keeps its letters and its lines', () => {
  const cause = 'silver.bestellungen: 3 Zeilen für „Köln“\n  注文 🙂';
  assert.ok(
    render({ ...FAILED, error: { Error: 'AuditFailed', Cause: cause } }).message.includes(`Cause:     ${cause}\n`),
  );
});

test('a subject is at most 100 characters of printable ASCII, without line breaks', () => {
  for (const [name, runId] of [
    ['AuditFailed', 'r'.repeat(80)],
    ['Ä\n\tü', 'r-1'],
    ['x'.repeat(200), 'r-1'],
  ] as const) {
    const { subject } = render({ ...FAILED, error: { Error: name, Cause: '' } }, { Id: ARN }, runId);
    assert.match(subject, /^[\x20-\x7e]{1,100}$/);
  }
});

test('every class of our errors but those without an alert has advice of its own', () => {
  const adviceFor = (name: string): string | undefined =>
    /What to do:\n {2}(.*)\n/.exec(render({ ...FAILED, error: { Error: name, Cause: '' } }).message)?.[1];
  const classes = Object.values(errors).filter(
    (one) => (one as { prototype?: unknown }).prototype instanceof StrataError,
  );
  const silent = ['LockHeld', 'RunFailed'];
  const names = classes.map((one) => one.name).filter((name) => !silent.includes(name));
  assert.ok(names.length >= 8);
  assert.deepEqual(
    names.filter((name) => adviceFor(name) === adviceFor('Lambda.Unknown')),
    [],
  );
});

test('an alert of a compaction says that it is one, and what to do then', () => {
  const state = {
    pipeline: 'shop',
    run_id: 'c-1',
    kind: 'maintenance',
    error: { Error: 'EngineError', Cause: 'x' },
  } as const;
  const { message } = renderAlert({ pipeline: 'shop', runId: 'c-1', at: new Date(0) }, { state, execution: {} });
  assert.match(message, /^Compaction c-1 of pipeline shop failed\./);
  assert.match(message, /strata compact --aws shop\n.*No row has changed/);
});
