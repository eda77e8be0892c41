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

const EXPIRED = {
  ...{ table: 'shop_silver.orders', snapshots: 3, snapshots_left: 2, readable_since: '2026-01-01T00:00:00.000Z' },
  ...{ data_files: 4, data_bytes: 4_000, metadata_files: 6 },
};
const COMMON = { pipeline: 'shop', dry_run: false, record: 'ops/shop/_maintenance/e1', failed: [] };
const EXPIRE = { ...COMMON, tables: [EXPIRED] };
const VACUUM = {
  ...{ ...COMMON, record: 'ops/shop/_maintenance/e1' },
  ...{ tables: [{ table: 'shop_silver.orders', kind: 'table', files: 2, bytes: 10 }], unknown: [] },
};

function ends(status: 'SUCCEEDED' | 'FAILED', more: Readonly<Record<string, unknown>>): void {
  sfn.on(StartExecutionCommand).resolves({ executionArn: 'arn:x:e1', startDate: new Date(0) });
  sfn.on(GetExecutionHistoryCommand).resolves({ events: [] });
  sfn.on(DescribeExecutionCommand).resolves({ executionArn: 'arn:x:e1', status, ...more });
}

const succeeds = (state: object = {}): void => ends('SUCCEEDED', { output: JSON.stringify(state) });
const fails = (message: string): void =>
  ends('FAILED', { error: 'RunFailed', cause: JSON.stringify({ errorType: 'RunFailed', errorMessage: message }) });
const put = (answer: object): void => aws.put('ops-1/ops/shop/_maintenance/e1/result.json', { answer });

beforeEach(() => {
  aws.reset();
  sfn.reset();
});

describe('expire --aws and vacuum --aws', () => {
  test('start the state machine of maintenance with what was asked, and answer with its result', async () => {
    succeeds();
    put(EXPIRE);
    const asked = ['--older-than', '30d', '--keep', '9', '--run-id', 'e1', '--json'];
    const { code, stdout, stderr } = await strataHere(['expire', '--aws', 'shop_silver.orders', ...asked]);
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), EXPIRE);
    const { stateMachineArn, name, input = '' } = sfn.commandCalls(StartExecutionCommand)[0]?.args[0].input ?? {};
    assert.deepEqual(
      [stateMachineArn, name],
      ['arn:aws:states:us-east-1:1:stateMachine:strata-shop_maintenance', 'e1'],
    );
    assert.deepEqual(parseOpenInput(JSON.parse(input)), {
      ...{ pipeline: 'shop', run_id: 'e1', dry_run: false, kind: 'maintenance', wait: true },
      maintenance: {
        operations: ['expire'],
        table: 'shop_silver.orders',
        expire: { older_than_ms: 30 * 24 * 3_600_000, keep: 9 },
      },
    });
  });

  test('say the same as here, and name the folders that stay', async () => {
    succeeds();
    put({ ...VACUUM, unknown: ['shop_silver.old'] });
    const { code, stdout, stderr } = await strataHere(['vacuum', '--aws', 'shop', '--run-id', 'e1']);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /│ shop_silver\.orders │ table │ +2 │ 10 B +│[\s\S]*written down in ops\/shop\/_maintenance\/e1\//,
    );
    assert.match(stderr, /the folder of shop_silver\.old[\s\S]*drop --aws shop_silver\.old --data --force/);
  });

  test('only look with a dry run', async () => {
    succeeds({ swept: { expire: { ...EXPIRE, dry_run: true, record: null } } });
    const { code, stdout } = await strataHere(['expire', '--aws', 'shop', '--dry-run']);
    assert.equal(code, 0);
    assert.match(stdout, /would forget 3 snapshots/);
    const rows = { table: 'shop_ops.quarantine', kind: 'rows', files: 0, bytes: 0, rows: 5 };
    const names = { table: 'shop_gold', kind: 'names', files: 0, bytes: 0, names: 2 };
    const tables = [...VACUUM.tables, rows, names];
    succeeds({ swept: { vacuum: { ...VACUUM, tables, dry_run: true, record: null } } });
    const looked = await strataHere(['vacuum', '--aws', 'shop', '--dry-run']);
    assert.equal(looked.code, 0, looked.stderr);
    assert.match(
      looked.stdout,
      /would remove 2 files \(10 B\); 5 rows of quarantine; 2 names of tables that engines were shown\n/,
    );
  });

  const ENDS: readonly (readonly [what: string, () => void, code: number, words: RegExp])[] = [
    [
      '1 for what was asked wrongly',
      () => fails('InvalidInput: no table shop_silver.x'),
      1,
      /^no table shop_silver\.x$/m,
    ],
    ['2 when it failed', () => fails('EngineError: out of memory'), 2, /EngineError: out of memory/],
    ['2 when it timed out', () => ends('FAILED', { status: 'TIMED_OUT' }), 2, /timed out/],
    ['3 when another run is at work', () => fails('LockHeld: run r holds the lock'), 3, /run r holds the lock/],
    ['1 for a machine that is another', () => succeeds({ status: 'nothing' }), 1, /is --state-machine right\?/],
  ];
  for (const [what, prepare, expected, words] of ENDS) {
    test(`end with ${what}`, async () => {
      prepare();
      const { code, stderr } = await strataHere(['expire', '--aws', 'shop']);
      assert.equal(code, expected);
      assert.match(stderr, words);
    });
  }

  test('end with 2 where a table was left as it is, by name', async () => {
    succeeds();
    put({ ...EXPIRE, failed: [{ table: 'shop_gold.total', error: 'UnreadableTable: damaged' }] });
    const { code, stderr } = await strataHere(['expire', '--aws', 'shop', '--run-id', 'e1']);
    assert.equal(code, 2);
    assert.match(stderr, /shop_gold\.total was left as it is: UnreadableTable: damaged/);
  });
});
