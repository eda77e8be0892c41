import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  ListExecutionsCommand,
  RedriveExecutionCommand,
  SFNClient,
  StartExecutionCommand,
  StopExecutionCommand,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { commandHere } from '../../lib/cli/command-here.ts';
import { parseOpenInput } from '../../lib/runtime/lambda/events.ts';
import { awsError } from '../remote/aws-error.ts';
import { openAwsLake } from './aws-lake.ts';
import { strataHere } from './child.ts';

const aws = openAwsLake();
const sfn = mockClient(SFNClient);

const RUN = { pipeline: 'shop', run_id: 'r1', dry_run: false };
const COUNTS = { read: 4, accepted: 2, quarantined: 1, condemned: 0, duplicates: 1 };
const RESULT = {
  ...{
    run_id: 'r1',
    pipeline: 'shop',
    status: 'SUCCEEDED',
    accounting: { orders: COUNTS },
    rejected_files: [],
    suspended_files: [],
  },
  tables: {
    'shop_silver.orders': { rows_added: 2, files_added: 1, snapshot_id: '11' },
    'shop_silver.orders__log': { rows_added: 2, files_added: 1, snapshot_id: '12' },
    'shop_gold.totals': { rows_added: 2, files_added: 1, snapshot_id: '13' },
  },
  ...{ warnings: [], previews: {}, duration_ms: 61_000, steps: [], error: null },
};

/** An execution that ends at once. */
function ends(status: 'SUCCEEDED' | 'FAILED', more: Readonly<Record<string, unknown>>): void {
  sfn.on(StartExecutionCommand).resolves({ executionArn: 'arn:x:r1', startDate: new Date(0) });
  sfn.on(GetExecutionHistoryCommand).resolves({ events: [] });
  sfn
    .on(DescribeExecutionCommand)
    .resolves({ executionArn: 'arn:x:r1', status, startDate: new Date(0), stopDate: new Date(5), ...more });
}

function succeeds(status: 'planned' | 'nothing' | 'done', run = RUN): void {
  ends('SUCCEEDED', { output: JSON.stringify({ status, request: run, run, level: 1, levels: 1 }) });
}

function fails(message: string): void {
  ends('FAILED', { error: 'RunFailed', cause: JSON.stringify({ errorType: 'RunFailed', errorMessage: message }) });
}

function started(): { readonly stateMachineArn: string; readonly name: string; readonly input: unknown } {
  const {
    stateMachineArn = '',
    name = '',
    input = '',
  } = sfn.commandCalls(StartExecutionCommand)[0]?.args[0].input ?? {};
  return { stateMachineArn, name, input: JSON.parse(input) as unknown };
}

beforeEach(() => {
  aws.reset();
  sfn.reset();
});

describe('run --aws', () => {
  test('answers with the result that lies in the ops bucket', async () => {
    succeeds('planned');
    aws.put('ops-1/ops/shop/_runs/r1/result.json', RESULT);
    const { code, stdout, stderr } = await strataHere(['run', '--aws', 'shop', '--run-id', 'r1', '--json']);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), RESULT);
    assert.equal(stderr, 'execution arn:x:r1; it goes on when this command is stopped\n');
    assert.deepEqual(started(), {
      stateMachineArn: 'arn:aws:states:us-east-1:1:stateMachine:strata-shop',
      name: 'r1',
      input: { ...RUN, wait: true },
    });
  });

  test('prints it as a run here does, with the next commands for the deployed lake', async () => {
    succeeds('planned');
    aws.put('dev-ops/ops/shop/_runs/r1/result.json', RESULT);
    const { code, stdout } = await strataHere(['run', '--aws', 'shop', '--run-id', 'r1', '--stage', 'dev']);
    assert.equal(code, 0);
    assert.match(stdout, /^run r1 of shop published 3 tables in 1 min 01 s\n/);
    assert.ok(
      stdout.endsWith(
        `1 row in shop_ops.quarantine, each with its reasons:
  ${commandHere()} quarantine list --aws shop --run-id r1 --stage dev

next:
  ${commandHere()} query --athena "SELECT * FROM shop_gold.totals LIMIT 10" --stage dev
  ${commandHere()} history --aws shop_gold.totals --stage dev
  ${commandHere()} key --aws shop_silver.orders KEY --stage dev
  ${commandHere()} tables --aws --stage dev
`,
      ),
      stdout,
    );
    assert.match(started().stateMachineArn, /strata-dev-shop$/);
  });

  test('tells that there was nothing to do', async () => {
    succeeds('nothing');
    const { code, stdout } = await strataHere(['run', '--aws', 'shop', '--json']);
    assert.equal(code, 0);
    const { status, pipeline, run_id } = JSON.parse(stdout) as { status: string; pipeline: string; run_id: string };
    assert.deepEqual([status, pipeline], ['NOTHING_TO_DO', 'shop']);
    assert.match(run_id, /^\d{8}T\d{6}-[0-9a-f]{12}$/);
    assert.match((await strataHere(['run', '--aws', 'shop'])).stdout, /^nothing to do for shop: /);
  });

  test('runs dry, with the way to the real run', async () => {
    const run = { ...RUN, dry_run: true };
    succeeds('planned', run);
    aws.put('ops-1/ops/shop/_dry_runs/r1/result.json', { ...RESULT, status: 'DRY_RUN' });
    const { stdout } = await strataHere(['run', '--aws', 'shop', '--run-id', 'r1', '--dry-run']);
    assert.match(stdout, /^dry run r1 of shop[\s\S]*next:\n {2}\S.*strata.* run --aws shop\n$/);
    assert.match(started().name, /^r1-dry-/);
    assert.deepEqual(started().input, { ...run, wait: true });
  });

  test('takes a state machine by its ARN', async () => {
    succeeds('nothing');
    await strataHere(['run', '--aws', 'shop', '--state-machine', 'arn:aws:states:us-east-1:1:stateMachine:mine']);
    assert.match(started().stateMachineArn, /mine$/);
    const asked = aws.cloudFormation.commandCalls(DescribeStacksCommand).map(({ args }) => args[0].input.StackName);
    assert.deepEqual(asked, ['strata-lake']);
  });

  test('shows its progress', async () => {
    succeeds('nothing');
    const at = (seconds: number) => ({ timestamp: new Date(seconds * 1_000) });
    sfn.on(GetExecutionHistoryCommand).resolves({
      events: [
        { id: 2, type: 'TaskStateExited', ...at(3), stateExitedEventDetails: { name: 'Open', output: '{}' } },
        { id: 1, type: 'TaskStateEntered', ...at(1), stateEnteredEventDetails: { name: 'Open' } },
      ],
    });
    assert.match((await strataHere(['run', '--aws', 'shop'])).stderr, /\nplan: done in 2\.0 s\n$/);
  });
});

describe('run --aws that fails', () => {
  test('exits 2 with the error that ended the run', async () => {
    fails('AuditFailed: orders: expectation small');
    aws.put('ops-1/ops/shop/_runs/r1/result.json', {
      ...RESULT,
      status: 'FAILED',
      error: { name: 'AuditFailed', message: 'orders: expectation small' },
    });
    const { code, stdout, stderr } = await strataHere(['run', '--aws', 'shop', '--run-id', 'r1', '--json']);
    assert.equal(code, 2);
    assert.equal((JSON.parse(stdout) as { status: string }).status, 'FAILED');
    assert.match(stderr, /\nrun r1 of shop failed, and published nothing\nAuditFailed: orders: expectation small\n$/);
  });

  test('while it published, names the command that finishes it', async () => {
    fails('Unavailable: s3');
    aws.put('ops-1/ops/shop/open-run.json', RUN);
    aws.put('ops-1/ops/shop/_runs/r1/plan.json', {});
    const { code, stderr } = await strataHere(['run', '--aws', 'shop', '--run-id', 'r1']);
    assert.equal(code, 2);
    assert.match(stderr, /failed, while it published; .*strata.* run --aws shop finishes it\nUnavailable: s3\n$/);
  });

  test('for what was asked exits 1', async () => {
    fails('InvalidInput: no table shop_silver.x');
    const { code, stderr } = await strataHere(['rebuild', '--aws', 'shop_silver.x']);
    assert.equal(code, 1);
    assert.match(stderr, /\nno table shop_silver\.x\n$/);
  });

  const REFUSED: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['a pipeline that is not deployed', ['run', '--aws', 'shpo'], /^stack strata-shpo is not deployed/],
    ['a stage that is not deployed', ['run', '--aws', 'shop', '--stage', 'x'], /^stack strata-x-lake is not deployed/],
    ['a run id that is none', ['run', '--aws', 'shop', '--run-id', 'a b'], /^not a run id: got "a b"/],
    ['a stage without --aws', ['run', 'shop', '--stage', 'dev'], /^--stage without --aws: expected both, or neither/],
    ['a state machine without --aws', ['run', 'shop', '--state-machine', 'x'], /^--state-machine without --aws/],
    ['a table without a full name', ['rebuild', '--aws', 'orders'], /^not a table name: got "orders"/],
  ];
  for (const [name, args, message] of REFUSED) {
    test(`${name} exits 1`, async () => {
      const { code, stdout, stderr } = await strataHere(args);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
      assert.equal(sfn.calls().length, 0);
    });
  }

  test('a missing right exits 1 and names the call', async () => {
    succeeds('nothing');
    sfn.on(StartExecutionCommand).rejects(awsError('AccessDeniedException', 403, 'no'));
    const { code, stderr } = await strataHere(['run', '--aws', 'shop']);
    assert.equal(code, 1);
    assert.match(stderr, /^states:StartExecution on arn:.*strata-shop failed: .*Grant states:StartExecution/);
  });
});

describe('runs of a kind', () => {
  test('rebuild --aws names the table', async () => {
    succeeds('nothing');
    await strataHere(['rebuild', '--aws', 'shop_silver.orders', '--run-id', 'r1']);
    assert.deepEqual(started().input, { ...RUN, wait: true, rebuild: 'shop_silver.orders' });
  });

  test('reprocess --aws names the files', async () => {
    succeeds('nothing');
    const args = ['reprocess', '--aws', 'shop', '--source', 'orders', '--file', 'a.csv', '--run-id', 'r1'];
    await strataHere(args);
    assert.deepEqual(started().input, { ...RUN, wait: true, reprocess: { source: 'orders', files: ['a.csv'] } });
  });

  test('files retry --aws names the files', async () => {
    succeeds('nothing');
    await strataHere(['files', 'retry', '--aws', 'shop', '--file', 'a.csv', '--run-id', 'r1']);
    assert.deepEqual(started().input, { ...RUN, wait: true, retry: { files: ['a.csv'] } });
  });

  test('backfill --aws names the time, which functions take', async () => {
    succeeds('nothing');
    await strataHere(['backfill', '--aws', 'shop', '--from', '2026-01-01', '--to', '2026-02-01', '--run-id', 'r1']);
    const backfill = { from: '2026-01-01T00:00:00.000Z', to: '2026-02-01T00:00:00.000Z' };
    assert.deepEqual(started().input, { ...RUN, wait: true, backfill });
    assert.deepEqual(parseOpenInput({ ...RUN, wait: true, backfill }).backfill, backfill);
  });
});

describe('executions', () => {
  const MACHINE = 'arn:aws:states:us-east-1:1:stateMachine:strata-shop';
  const item = (name: string, status: string, at: number) => ({
    ...{
      name,
      status: status as 'FAILED',
      executionArn: `arn:${name}`,
      stateMachineArn: MACHINE,
      startDate: new Date(at),
    },
    ...(status === 'RUNNING' ? {} : { stopDate: new Date(at + 1_000), redriveCount: 1 }),
  });

  test('are listed with those of maintenance, the newest first, and where each is that works', async () => {
    const runs = [item('r2', 'RUNNING', 3_000), item('r1', 'FAILED', 1_000)];
    sfn.on(ListExecutionsCommand, { stateMachineArn: MACHINE }).resolves({ executions: runs });
    sfn
      .on(ListExecutionsCommand, { stateMachineArn: `${MACHINE}_maintenance` })
      .resolves({ executions: [item('m1', 'SUCCEEDED', 2_000)] });
    sfn.on(GetExecutionHistoryCommand, { executionArn: 'arn:r2' }).resolves({
      events: [
        { id: 3, type: 'WaitStateEntered', timestamp: new Date(0) },
        { id: 2, type: 'WaitStateEntered', timestamp: new Date(0), stateEnteredEventDetails: { name: 'WaitForLock' } },
        { id: 1, type: 'TaskStateEntered', timestamp: new Date(0), stateEnteredEventDetails: { name: 'Open' } },
      ],
    });
    const { code, stdout } = await strataHere(['executions', 'list', 'shop', '--aws', '--json']);
    assert.equal(code, 0);
    const found = (machine: string, name: string, status: string, second: number) => ({
      ...{ machine, name, status, state: status === 'RUNNING' ? 'WaitForLock' : null },
      started_at: `1970-01-01T00:00:0${second}.000Z`,
      ended_at: status === 'RUNNING' ? null : `1970-01-01T00:00:0${second + 1}.000Z`,
      redrives: status === 'RUNNING' ? 0 : 1,
    });
    assert.deepEqual(JSON.parse(stdout), [
      found('runs', 'r2', 'RUNNING', 3),
      found('maintenance', 'm1', 'SUCCEEDED', 2),
      found('runs', 'r1', 'FAILED', 1),
    ]);
    const limited = await strataHere(['executions', 'list', 'shop', '--aws', '--limit', '1']);
    assert.match(limited.stdout, /│ runs +│ r2 +│ RUNNING │ WaitForLock │/);
    assert.doesNotMatch(limited.stdout, /m1|r1/);
    sfn.on(ListExecutionsCommand).resolves({ executions: [] });
    assert.equal((await strataHere(['executions', 'list', 'shop', '--aws'])).stdout, 'no executions of shop yet\n');
  });

  test('are started once more where they failed, and answer as their run does', async () => {
    const input = JSON.stringify({ ...RUN, wait: true });
    const latest = [item('r9', 'SUCCEEDED', 3_000), item('r1', 'TIMED_OUT', 1_000), item('r0', 'FAILED', 0)];
    sfn.on(ListExecutionsCommand).resolves({ executions: latest });
    sfn.on(RedriveExecutionCommand).resolves({ redriveDate: new Date(0) });
    sfn.on(GetExecutionHistoryCommand).resolves({ events: [] });
    const executionArn = 'arn:aws:states:us-east-1:1:execution:strata-shop:r1';
    const output = JSON.stringify({ status: 'planned', request: RUN, run: RUN, level: 1, levels: 1 });
    sfn
      .on(DescribeExecutionCommand, { executionArn })
      .resolvesOnce({ executionArn, status: 'TIMED_OUT', input, redriveCount: 0 })
      .resolves({ executionArn, status: 'SUCCEEDED', input, output, redriveCount: 1 });
    aws.put('ops-1/ops/shop/_runs/r1/result.json', RESULT);
    const { code, stdout, stderr } = await strataHere(['executions', 'redrive', 'shop', '--aws', '--json']);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), RESULT);
    assert.equal(stderr, `execution ${executionArn}; it goes on when this command is stopped\n`);
    assert.deepEqual(sfn.commandCalls(RedriveExecutionCommand)[0]?.args[0].input, { executionArn });
    assert.equal(sfn.commandCalls(StartExecutionCommand).length, 0);
  });

  test('that fail once more end with 2', async () => {
    const executionArn = 'arn:aws:states:us-east-1:1:execution:strata-shop:r1';
    const cause = JSON.stringify({ errorType: 'RunFailed', errorMessage: 'AuditFailed: again' });
    sfn.on(RedriveExecutionCommand).resolves({ redriveDate: new Date(0) });
    sfn.on(GetExecutionHistoryCommand).resolves({ events: [] });
    sfn
      .on(DescribeExecutionCommand)
      .resolvesOnce({ executionArn, status: 'FAILED', input: JSON.stringify(RUN) })
      .resolves({ executionArn, status: 'FAILED', error: 'RunFailed', cause, redriveCount: 1 });
    const { code, stderr } = await strataHere(['executions', 'redrive', 'shop', 'r1', '--aws']);
    assert.equal(code, 2);
    assert.match(stderr, /\nAuditFailed: again\n$/);
  });

  test('are ended, and the next run finishes what they began', async () => {
    const executionArn = 'arn:aws:states:us-east-1:1:execution:strata-shop:r1';
    sfn.on(DescribeExecutionCommand, { executionArn }).resolves({ executionArn, status: 'RUNNING' });
    const { code, stdout } = await strataHere(['executions', 'stop', 'shop', 'r1', '--aws']);
    assert.equal(code, 0);
    assert.match(stdout, /^stopped r1; its lock ends 20 minutes .*:\n {2}\S.*strata.* run --aws shop\n$/);
    const cause = 'stopped by strata executions stop';
    assert.deepEqual(sfn.commandCalls(StopExecutionCommand)[0]?.args[0].input, { executionArn, cause });
    await strataHere(['executions', 'stop', 'shop', 'm1', '--aws', '--maintenance', '--json']);
    const [, asked] = sfn.commandCalls(DescribeExecutionCommand);
    assert.match(asked?.args[0].input.executionArn ?? '', /execution:strata-shop_maintenance:m1$/);
  });

  const missing = () => awsError('ExecutionDoesNotExist', 400, 'Execution Does Not Exist');
  const WRONG: readonly (readonly [string, readonly string[], () => unknown, RegExp])[] = [
    [
      'without --aws',
      ['list', 'shop'],
      () => null,
      /^no --aws: expected it, .*runs shop shows the runs of a lake in a folder/,
    ],
    ['redrive without --aws', ['redrive', 'shop'], () => null, /^no --aws: .*run shop finishes what was begun/],
    ['stop without --aws', ['stop', 'shop', 'r1'], () => null, /^no --aws: .*Ctrl-C ends a run/],
    [
      'one that is not there',
      ['redrive', 'shop', 'x', '--aws'],
      () => sfn.on(DescribeExecutionCommand).rejects(missing()),
      /^pipeline shop has no execution x: expected one of the latest \(r0 SUCCEEDED, r1 SUCCEEDED, r2 SUCCEEDED, r3 SUCCEEDED, r4 SUCCEEDED, \.\.\.\)/,
    ],
    [
      'none that failed',
      ['redrive', 'shop', '--aws'],
      () => null,
      /^none of the latest executions of pipeline shop has failed: got r0 SUCCEEDED, /,
    ],
    [
      'one that cannot be redriven',
      ['redrive', 'shop', 'r0', '--aws'],
      () => {
        const known = { status: 'SUCCEEDED', redriveStatusReason: 'it is done', input: JSON.stringify(RUN) } as const;
        sfn.on(DescribeExecutionCommand).resolves(known);
        sfn.on(RedriveExecutionCommand).rejects(awsError('ExecutionNotRedrivable', 400, 'no'));
      },
      /^execution r0 is SUCCEEDED, and cannot be redriven: it is done; .*run --aws shop finishes what was begun/,
    ],
    [
      'one of something else',
      ['redrive', 'shop', 'r0', '--aws'],
      () => sfn.on(DescribeExecutionCommand).resolves({ status: 'FAILED', input: '{}' }),
      /^execution arn:\S+:r0 is no run of pipeline shop/,
    ],
    [
      'one that has ended',
      ['stop', 'shop', 'r0', '--aws'],
      () => sfn.on(DescribeExecutionCommand).resolves({ status: 'FAILED' }),
      /^execution r0 is FAILED: expected one that works/,
    ],
    [
      'a right that is missing',
      ['redrive', 'shop', 'r0', '--aws'],
      () => {
        sfn.on(DescribeExecutionCommand).resolves({ status: 'FAILED', input: JSON.stringify(RUN) });
        sfn.on(RedriveExecutionCommand).rejects(awsError('AccessDeniedException', 403, 'no'));
      },
      /Grant states:RedriveExecution on arn:/,
    ],
  ];
  for (const [name, args, arrange, message] of WRONG) {
    test(`${name} exits 1`, async () => {
      const executions = Array.from({ length: 7 }, (_, at) => item(`r${at}`, 'SUCCEEDED', at));
      sfn.on(ListExecutionsCommand).resolves({ executions });
      arrange();
      const { code, stdout, stderr } = await strataHere(['executions', ...args]);
      assert.deepEqual([code, stdout], [1, '']);
      assert.match(stderr, message);
    });
  }
});
