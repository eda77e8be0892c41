import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  InvalidRequestException,
  type QueryExecution,
  type ResultSet,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import type { Row } from '../../lib/ports.ts';
import { type AthenaDeps, type AthenaRequest, queryAthena } from '../../lib/remote/athena.ts';
import { awsError } from './aws-error.ts';

const athena = mockClient(AthenaClient);
const cloudFormation = mockClient(CloudFormationClient);
afterEach(() => {
  athena.reset();
  cloudFormation.reset();
});

const waits: number[] = [];
const deps: AthenaDeps = {
  athena: new AthenaClient({ region: 'us-east-1' }),
  cloudFormation: new CloudFormationClient({ region: 'us-east-1' }),
  wait: async (ms) => void waits.push(ms),
};

const IN_GROUP: AthenaRequest = { sql: 'SELECT 1', workgroup: 'w' };

function execution(State: string, more: Partial<QueryExecution> = {}): { QueryExecution: QueryExecution } {
  return {
    QueryExecution: {
      QueryExecutionId: 'q1',
      StatementType: 'DML',
      Status: { State: State as 'RUNNING' },
      Statistics: { DataScannedInBytes: 20 * 2 ** 20 },
      ...more,
    },
  };
}

function resultSet(names: readonly string[], ...rows: readonly (readonly (string | undefined)[])[]): ResultSet {
  return {
    ResultSetMetadata: { ColumnInfo: names.map((Name) => ({ Name, Type: 'varchar' })) },
    Rows: rows.map((values) => ({
      Data: values.map((VarCharValue) => (VarCharValue === undefined ? {} : { VarCharValue })),
    })),
  };
}

/** A query that ends as given, at once. */
function ends(state: string, more: Partial<QueryExecution> = {}): void {
  athena.on(StartQueryExecutionCommand).resolves({ QueryExecutionId: 'q1' });
  athena.on(GetQueryExecutionCommand).resolves(execution(state, more));
}

async function rowsOf(request: AthenaRequest): Promise<readonly Row[]> {
  const answer = await queryAthena(deps, request);
  assert.ok(answer.kind === 'rows');
  const rows: Row[] = [];
  for await (const page of answer.pages()) rows.push(...page);
  return rows;
}

describe('a query', () => {
  test('is waited for with growing pauses, and read page by page', async () => {
    athena.on(StartQueryExecutionCommand).resolves({ QueryExecutionId: 'q1' });
    athena
      .on(GetQueryExecutionCommand)
      .resolvesOnce(execution('QUEUED'))
      .resolvesOnce(execution('RUNNING'))
      .resolvesOnce(execution('RUNNING'))
      .resolves(execution('SUCCEEDED'));
    athena
      .on(GetQueryResultsCommand)
      .resolvesOnce({ ResultSet: resultSet(['a', 'b'], ['a', 'b'], ['1', undefined]), NextToken: 't2' })
      .resolvesOnce({ ResultSet: resultSet(['a', 'b'], ['a', 'b'], ['', 'x']), NextToken: 't3' })
      .resolves({ ResultSet: resultSet(['a', 'b'], ['2', 'y']) });
    waits.length = 0;
    // The first row of the first page alone is a header.
    assert.deepEqual(await rowsOf(IN_GROUP), [
      { a: '1', b: null },
      { a: 'a', b: 'b' },
      { a: '', b: 'x' },
      { a: '2', b: 'y' },
    ]);
    assert.deepEqual(waits, [200, 300, 450]);
    const asked = athena.commandCalls(GetQueryResultsCommand).map(({ args }) => args[0].input.NextToken);
    assert.deepEqual(asked, [undefined, 't2', 't3']);
    const [start] = athena.commandCalls(StartQueryExecutionCommand);
    assert.deepEqual(start?.args[0].input, { QueryString: 'SELECT 1', WorkGroup: 'w' });
    assert.equal(cloudFormation.calls().length, 0);
  });

  test('has the workgroup and the prefix of its stage', async () => {
    ends('SUCCEEDED');
    athena.on(GetQueryResultsCommand).resolves({ ResultSet: resultSet(['n'], ['n']) });
    const Outputs = [
      { OutputKey: 'Workgroup', OutputValue: 'strata-dev' },
      { OutputKey: 'DatabasePrefix', OutputValue: 'dev_' },
    ];
    cloudFormation.on(DescribeStacksCommand, { StackName: 'strata-dev-lake' }).resolves({
      Stacks: [{ StackName: 'strata-dev-lake', CreationTime: new Date(0), StackStatus: 'CREATE_COMPLETE', Outputs }],
    });
    assert.deepEqual(await rowsOf({ sql: 'SELECT n FROM retail_gold.t', deployment: 'dev' }), []);
    const [start] = athena.commandCalls(StartQueryExecutionCommand);
    assert.deepEqual(start?.args[0].input, {
      QueryString: 'SELECT n FROM dev_retail_gold.t',
      WorkGroup: 'strata-dev',
    });
  });

  test('says what it scanned and cost; a result that is used again costs nothing', async () => {
    ends('SUCCEEDED');
    athena.on(GetQueryResultsCommand).resolves({ ResultSet: resultSet(['n'], ['n']) });
    const use = { query_execution_id: 'q1', workgroup: 'w', bytes_scanned: 20 * 2 ** 20 };
    assert.deepEqual((await queryAthena(deps, IN_GROUP)).use, { ...use, cost_usd: 0.000095367 });
    const ResultReuseInformation = { ReusedPreviousResult: true };
    ends('SUCCEEDED', { Statistics: { DataScannedInBytes: 20 * 2 ** 20, ResultReuseInformation } });
    assert.deepEqual((await queryAthena(deps, IN_GROUP)).use, { ...use, cost_usd: 0 });
  });

  test('that shows or describes has no header to leave out', async () => {
    ends('SUCCEEDED', { StatementType: 'UTILITY' });
    athena.on(GetQueryResultsCommand).resolves({ ResultSet: resultSet(['tab_name'], ['tab_name'], ['t']) });
    assert.deepEqual(await rowsOf({ ...IN_GROUP, sql: 'SHOW TABLES IN x' }), [
      { tab_name: 'tab_name' },
      { tab_name: 't' },
    ]);
  });
});

describe('a query that fails', () => {
  const status = (reason: string, error = {}) => ({
    Status: { State: 'FAILED' as const, StateChangeReason: reason, AthenaError: error },
  });
  const CASES: readonly (readonly [string, string, Partial<QueryExecution>, string, RegExp])[] = [
    [
      'by its SQL',
      'FAILED',
      status('SYNTAX_ERROR: line 1:8', { ErrorCategory: 2 }),
      'InvalidInput',
      /^the query cannot run: SYNTAX_ERROR: line 1:8$/,
    ],
    [
      'by a table that is not there',
      'FAILED',
      status('TABLE_NOT_FOUND: line 1:15: Table t', { ErrorCategory: 2 }),
      'InvalidInput',
      /TABLE_NOT_FOUND.*; expected tables by full name, such as retail_gold\.monthly_revenue$/,
    ],
    [
      'by a passing fault',
      'FAILED',
      status('busy', { ErrorCategory: 1, Retryable: true }),
      'Unavailable',
      /^query q1 failed on Athena, and may do better if it is repeated: busy$/,
    ],
    [
      'by a fault of Athena',
      'FAILED',
      status('internal', { ErrorCategory: 1 }),
      'EngineError',
      /^query q1 failed on Athena: internal$/,
    ],
    [
      'by its cutoff',
      'CANCELLED',
      { Status: { State: 'CANCELLED', StateChangeReason: 'Bytes scanned limit was exceeded' } },
      'InvalidInput',
      /^query q1 was cancelled on Athena: Bytes scanned limit was exceeded$/,
    ],
  ];
  for (const [name, state, more, kind, message] of CASES) {
    test(name, async () => {
      ends(state, more);
      await assert.rejects(queryAthena(deps, IN_GROUP), { name: kind, message });
    });
  }

  test('before it starts, names what was refused', async () => {
    const refused = new InvalidRequestException({ message: 'WorkGroup w is not found.', $metadata: {} });
    athena.on(StartQueryExecutionCommand).rejects(refused);
    await assert.rejects(queryAthena(deps, IN_GROUP), {
      name: 'InvalidInput',
      message: 'the query cannot run in workgroup w: WorkGroup w is not found.',
    });
  });

  const DENIED: Readonly<Record<string, (error: Error) => void>> = {
    'athena:StartQueryExecution': (error) => void athena.on(StartQueryExecutionCommand).rejects(error),
    'athena:GetQueryExecution': (error) => void athena.on(GetQueryExecutionCommand).rejects(error),
    'athena:GetQueryResults': (error) => void athena.on(GetQueryResultsCommand).rejects(error),
  };
  for (const [action, deny] of Object.entries(DENIED)) {
    test(`for a missing right to ${action}`, async () => {
      ends('SUCCEEDED');
      deny(awsError('AccessDeniedException', 403, 'denied'));
      await assert.rejects(queryAthena(deps, IN_GROUP), { name: 'InvalidInput', message: new RegExp(action) });
    });
  }

  test('a statement that writes never reaches Athena', async () => {
    await assert.rejects(queryAthena(deps, { ...IN_GROUP, sql: 'DROP TABLE t' }), { name: 'InvalidInput' });
    assert.equal(athena.calls().length, 0);
  });
});

describe('a query that is interrupted', () => {
  test('is stopped, and its end awaited for what it used', async () => {
    const controller = new AbortController();
    athena.on(StartQueryExecutionCommand).resolves({ QueryExecutionId: 'q1' });
    athena.on(StopQueryExecutionCommand).resolves({});
    athena
      .on(GetQueryExecutionCommand)
      .resolvesOnce(execution('RUNNING'))
      .resolvesOnce(execution('RUNNING'))
      .resolves(execution('CANCELLED'));
    const interrupting = { ...deps, wait: async () => controller.abort() };
    const answer = await queryAthena(interrupting, { ...IN_GROUP, signal: controller.signal });
    assert.equal(answer.kind, 'stopped');
    assert.equal(answer.use.bytes_scanned, 20 * 2 ** 20);
    const stops = athena.commandCalls(StopQueryExecutionCommand).map(({ args }) => args[0].input);
    assert.deepEqual(stops, [{ QueryExecutionId: 'q1' }]);
  });

  test('is not waited for without end', async () => {
    ends('RUNNING');
    athena.on(StopQueryExecutionCommand).resolves({});
    const answer = await queryAthena(deps, { ...IN_GROUP, signal: AbortSignal.abort() });
    assert.equal(answer.kind, 'stopped');
    assert.equal(athena.commandCalls(GetQueryExecutionCommand).length, 6);
  });
});
