import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { awsError } from '../remote/aws-error.ts';
import { strataHere } from './child.ts';

const athena = mockClient(AthenaClient);
const cloudFormation = mockClient(CloudFormationClient);
afterEach(() => {
  athena.reset();
  cloudFormation.reset();
});

const USE = { query_execution_id: 'q1', workgroup: 'strata', bytes_scanned: 1_500_000, cost_usd: 0.000047684 };

/** A lake with a query that answers two rows. */
beforeEach(() => {
  const Outputs = [
    { OutputKey: 'Workgroup', OutputValue: 'strata' },
    { OutputKey: 'DatabasePrefix', OutputValue: '' },
  ];
  cloudFormation.on(DescribeStacksCommand).resolves({
    Stacks: [{ StackName: 'strata-lake', CreationTime: new Date(0), StackStatus: 'CREATE_COMPLETE', Outputs }],
  });
  athena.on(StartQueryExecutionCommand).resolves({ QueryExecutionId: 'q1' });
  athena.on(GetQueryExecutionCommand).resolves({
    QueryExecution: {
      StatementType: 'DML',
      Status: { State: 'SUCCEEDED' },
      Statistics: { DataScannedInBytes: 1_500_000 },
    },
  });
  const text = (VarCharValue: string) => ({ VarCharValue });
  athena.on(GetQueryResultsCommand).resolves({
    ResultSet: {
      ResultSetMetadata: {
        ColumnInfo: [
          { Name: 'region', Type: 'varchar' },
          { Name: 'revenue', Type: 'decimal', Precision: 10, Scale: 2 },
        ],
      },
      Rows: [
        { Data: [text('region'), text('revenue')] },
        { Data: [text('north'), text('12.50')] },
        { Data: [{}, text('3.00')] },
      ],
    },
  });
});

const SQL = 'SELECT region, revenue FROM shop_gold.totals';

describe('query --athena', () => {
  test('prints a table, and what it cost on stderr', async () => {
    const { code, stdout, stderr } = await strataHere(['query', '--athena', SQL]);
    assert.equal(code, 0, stderr);
    assert.equal(
      stdout,
      '┌────────┬─────────┐\n│ region │ revenue │\n├────────┼─────────┤\n│ north  │   12.50 │\n│ NULL   │    3.00 │\n└────────┴─────────┘\n',
    );
    assert.equal(stderr, 'query q1 in workgroup strata: scanned 1.5 MB, about $0.000048\n');
    const [start] = athena.commandCalls(StartQueryExecutionCommand);
    assert.deepEqual(start?.args[0].input, { QueryString: SQL, WorkGroup: 'strata' });
  });

  test('prints CSV without a word more on stdout', async () => {
    const { stdout } = await strataHere(['query', '--athena', SQL, '--format', 'csv']);
    assert.equal(stdout, 'region,revenue\r\nnorth,12.50\r\n,3.00\r\n');
  });

  test('prints one JSON document with rows and cost', async () => {
    const { code, stdout, stderr } = await strataHere(['query', '--athena', SQL, '--json']);
    assert.deepEqual([code, stderr], [0, '']);
    assert.deepEqual(JSON.parse(stdout), {
      ...USE,
      price_region: 'us-east-1',
      rows: [
        { region: 'north', revenue: '12.50' },
        { region: null, revenue: '3.00' },
      ],
    });
  });

  test('without rows it is a document all the same', async () => {
    athena.on(GetQueryResultsCommand).resolves({
      ResultSet: { ResultSetMetadata: { ColumnInfo: [{ Name: 'n', Type: 'bigint' }] }, Rows: [] },
    });
    const { stdout } = await strataHere(['query', '--athena', SQL, '--json']);
    assert.deepEqual((JSON.parse(stdout) as { rows: unknown }).rows, []);
  });

  test('asks nobody for a workgroup that is given', async () => {
    const { stderr } = await strataHere(['query', '--athena', SQL, '--workgroup', 'mine']);
    assert.match(stderr, /in workgroup mine: scanned/);
    assert.equal(cloudFormation.calls().length, 0);
  });

  test('shows a thousand rows of more', async () => {
    const Rows = Array.from({ length: 1_200 }, (_, at) => ({ Data: [{ VarCharValue: String(at) }] }));
    athena.on(GetQueryResultsCommand).resolves({
      ResultSet: { ResultSetMetadata: { ColumnInfo: [{ Name: 'n', Type: 'bigint' }] }, Rows },
    });
    const { stderr } = await strataHere(['query', '--athena', 'SELECT n FROM shop_gold.t']);
    assert.match(stderr, /^the first 1000 rows; --format csv or json prints all\nquery q1/);
  });
});

describe('query --athena that cannot run exits 1', () => {
  const CASES: readonly (readonly [string, readonly string[], RegExp])[] = [
    ['a statement that writes', ['--athena', 'DROP TABLE x'], /begins with DROP/],
    ['a moment', ['--athena', SQL, '--as-of', '2026-01-31'], /FOR TIMESTAMP AS OF/],
    ['formats that contradict', ['--athena', SQL, '--json', '--format', 'csv'], /contradict each other/],
    [
      'a workgroup without Athena',
      [SQL, '--workgroup', 'w'],
      /^--workgroup without --athena: expected both, or neither/,
    ],
    ['a stage without Athena', [SQL, '--stage', 'dev'], /^--stage without --athena/],
  ];
  for (const [name, args, message] of CASES) {
    test(name, async () => {
      const { code, stderr } = await strataHere(['query', ...args]);
      assert.equal(code, 1);
      assert.match(stderr, message);
      assert.equal(athena.calls().length, 0);
    });
  }

  test('SQL that Athena refuses, also as a document', async () => {
    athena.on(GetQueryExecutionCommand).resolves({
      QueryExecution: {
        Status: { State: 'FAILED', StateChangeReason: 'COLUMN_NOT_FOUND: x', AthenaError: { ErrorCategory: 2 } },
      },
    });
    const { code, stdout } = await strataHere(['query', '--athena', SQL, '--json']);
    assert.equal(code, 1);
    const { error } = JSON.parse(stdout) as { error: { name: string; message: string } };
    assert.deepEqual([error.name, error.message], ['InvalidInput', 'the query cannot run: COLUMN_NOT_FOUND: x']);
  });

  test('credentials that have expired', async () => {
    cloudFormation.on(DescribeStacksCommand).rejects(awsError('ExpiredToken', 403, 'The security token is expired'));
    const { code, stderr } = await strataHere(['query', '--athena', SQL]);
    assert.equal(code, 1);
    assert.match(stderr, /^cloudformation:DescribeStacks on stack strata-lake .*expired.*log in again/);
  });
});

test('query --athena that Ctrl-C ends stops the query and exits 130', async () => {
  athena
    .on(GetQueryExecutionCommand)
    .callsFakeOnce(() => {
      process.emit('SIGINT');
      return { QueryExecution: { Status: { State: 'RUNNING' } } };
    })
    .resolves({ QueryExecution: { Status: { State: 'CANCELLED' }, Statistics: { DataScannedInBytes: 0 } } });
  const { code, stdout, stderr } = await strataHere(['query', '--athena', SQL]);
  assert.deepEqual([code, stdout], [130, '']);
  assert.match(
    stderr,
    /^SIGINT: ending in order; .*\nstopped query q1 in workgroup strata: scanned 0 B, about \$0\.00\n$/,
  );
  assert.equal(process.listenerCount('SIGINT'), 0);
});
