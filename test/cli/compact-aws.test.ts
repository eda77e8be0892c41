import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import {
  DescribeExecutionCommand,
  GetExecutionHistoryCommand,
  SFNClient,
  StartExecutionCommand,
} from '@aws-sdk/client-sfn';
import { mockClient } from 'aws-sdk-client-mock';
import { parseOpenInput } from '../../lib/runtime/lambda/events.ts';
import { openAwsLake } from './aws-lake.ts';
import { strataHere } from './child.ts';

const aws = openAwsLake();
const sfn = mockClient(SFNClient);

const RUN = { pipeline: 'shop', run_id: 'c1', dry_run: false, kind: 'maintenance' };
const TABLE = {
  ...{ table: 'shop_silver.orders', partitions: 2, files: 10, bytes: 4_000, rows: 15 },
  ...{ files_after: 2, bytes_after: 900, reasons: { small: 10 } },
};
const RESULT = {
  ...{ run_id: 'c1', pipeline: 'shop', kind: 'compact', status: 'SUCCEEDED' },
  ...{ tables: [TABLE], left: [], rounds: 1, duration_ms: 900, error: null },
};

function ends(status: 'SUCCEEDED' | 'FAILED', more: Readonly<Record<string, unknown>>): void {
  sfn.on(StartExecutionCommand).resolves({ executionArn: 'arn:x:c1', startDate: new Date(0) });
  sfn.on(GetExecutionHistoryCommand).resolves({ events: [] });
  sfn
    .on(DescribeExecutionCommand)
    .resolves({ executionArn: 'arn:x:c1', status, startDate: new Date(0), stopDate: new Date(5), ...more });
}

function succeeds(state: object): void {
  ends('SUCCEEDED', { output: JSON.stringify({ status: 'nothing', request: RUN, run: RUN, round: 0, ...state }) });
}

beforeEach(() => {
  aws.reset();
  sfn.reset();
});

describe('compact --aws', () => {
  test('starts the state machine of maintenance with what was asked, and answers with its result', async () => {
    succeeds({ status: 'planned' });
    aws.put('ops-1/ops/shop/_compactions/c1/result.json', RESULT);
    const asked = ['--where', "day = '2026-01-01'", '--target-mb', '64', '--zorder', 'a,b', '--all'];
    const { code, stdout, stderr } = await strataHere([
      'compact',
      '--aws',
      'shop_silver.orders',
      '--run-id',
      'c1',
      '--json',
      ...asked,
    ]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), RESULT);
    const { stateMachineArn, name, input = '' } = sfn.commandCalls(StartExecutionCommand)[0]?.args[0].input ?? {};
    assert.deepEqual(
      [stateMachineArn, name],
      ['arn:aws:states:us-east-1:1:stateMachine:strata-shop_maintenance', 'c1'],
    );
    assert.deepEqual(parseOpenInput(JSON.parse(input)), {
      ...RUN,
      wait: true,
      compact: {
        table: 'shop_silver.orders',
        where: "day = '2026-01-01'",
        target_mb: 64,
        zorder: ['a', 'b'],
        all: true,
      },
    });
  });

  test('only looks with a dry run', async () => {
    succeeds({ plan: [{ ...TABLE, bytes_after: null }] });
    const { code, stdout } = await strataHere(['compact', '--aws', 'shop', '--dry-run']);
    assert.equal(code, 0);
    assert.match(stdout, /shop_silver\.orders │ +2 │ +15 │ 10 -> 2 │ 4\.0 kB │ 10 small/);
  });

  test('has nothing to do', async () => {
    succeeds({});
    assert.equal((await strataHere(['compact', '--aws', 'shop'])).stdout, 'nothing to compact\n');
  });

  test('ends with 2 when it failed, with 1 for what was asked wrongly, and names what was left', async () => {
    const fails = (message: string): void =>
      ends('FAILED', { error: 'RunFailed', cause: JSON.stringify({ errorType: 'RunFailed', errorMessage: message }) });
    fails('EngineError: out of memory');
    const failed = await strataHere(['compact', '--aws', 'shop']);
    assert.equal(failed.code, 2);
    assert.match(failed.stderr, /no row has changed\nout of memory/);
    fails('InvalidInput: no table shop_silver.x');
    assert.equal((await strataHere(['compact', '--aws', 'shop_silver.x'])).code, 1);
    succeeds({ status: 'planned' });
    const left = [{ table: 'shop_silver.orders', partition: 'day=1', reason: 'workers ended' }];
    aws.put('ops-1/ops/shop/_compactions/c1/result.json', { ...RESULT, left });
    const some = await strataHere(['compact', '--aws', 'shop', '--run-id', 'c1']);
    assert.equal(some.code, 2);
    assert.match(some.stderr, /shop_silver\.orders day=1 is left as it is: workers ended/);
  });
});
