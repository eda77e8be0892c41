import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  InvalidRequestException,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { mockClient } from 'aws-sdk-client-mock';
import { createAthenaEngine } from '../../../lib/adapters/engines/athena.ts';
import { showInGlue } from '../../../lib/adapters/engines/glue-tables.ts';
import { stopsAthena } from '../../../lib/adapters/engines/stop-athena.ts';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import { userSql } from '../../../lib/sql/user-sql.ts';
import { sampleMetadata } from '../../ports/sample-metadata.ts';
import { glueError, openFakeGlue, openFakeTime } from '../catalog/glue-fake.ts';

const REGION = { region: 'eu-west-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };

function open(databases = ['dev_shop_gold']) {
  const client = new AthenaClient(REGION);
  const athena = mockClient(client);
  const glue = openFakeGlue(databases);
  const tables = showInGlue({ client: glue.client, databasePrefix: 'dev_', pipeline: 'shop', ...openFakeTime() });
  return { athena, glue, engine: createAthenaEngine({ client, workgroup: 'lake', tables }) };
}

const KEY = 'ops/shop/_runs/r/1.json';
const SELECT = userSql('INSERT INTO x SELECT 1');

describe('Athena', () => {
  test('is given a statement with its token, in the workgroup, over the database of gold', async () => {
    const { athena, engine } = open();
    athena.on(StartQueryExecutionCommand).resolves({ QueryExecutionId: 'q1' });
    assert.equal(await engine.start(SELECT, 'token', KEY), 'q1');
    assert.deepEqual(athena.commandCalls(StartQueryExecutionCommand)[0]?.args[0].input, {
      QueryString: 'INSERT INTO x SELECT 1',
      ClientRequestToken: 'token',
      WorkGroup: 'lake',
      QueryExecutionContext: { Catalog: 'AwsDataCatalog', Database: 'dev_shop_gold' },
    });
    await engine.cancel('q1');
    assert.deepEqual(athena.commandCalls(StopQueryExecutionCommand)[0]?.args[0].input, { QueryExecutionId: 'q1' });
    assert.deepEqual(
      [engine.title, engine.dialect, engine.place],
      ['Athena (workgroup lake)', 'trino', ['dev_shop_gold']],
    );
  });

  test('says how far a statement is, and who is to blame', async () => {
    const refused = (reason: string) => ({ kind: 'refused', reason });
    const failed = (reason: string) => ({ kind: 'failed', reason });
    const cases: readonly (readonly [object | undefined, unknown])[] = [
      [undefined, { kind: 'working' }],
      [{ State: 'QUEUED' }, { kind: 'working' }],
      [{ State: 'RUNNING' }, { kind: 'working' }],
      [{ State: 'SUCCEEDED' }, { kind: 'done' }],
      [{ State: 'CANCELLED', StateChangeReason: 'by a person' }, failed('it was cancelled: by a person')],
      [{ State: 'FAILED', StateChangeReason: 'Query exhausted resources' }, failed('Query exhausted resources')],
      [{ State: 'FAILED', AthenaError: { ErrorMessage: 'down', ErrorCategory: 1 } }, failed('down')],
      [{ State: 'FAILED', AthenaError: { ErrorMessage: 'bad', ErrorCategory: 2 } }, refused('bad')],
      [{ State: 'FAILED' }, failed('no reason given')],
      ...[
        'COLUMN_NOT_FOUND: line 1:8',
        'TYPE_MISMATCH: line 1:8',
        'SYNTAX_ERROR: line 1',
        'PERMISSION_DENIED: no',
        'Access Denied (Service: Amazon S3)',
        'Bytes scanned limit was exceeded',
      ].map((reason) => [{ State: 'FAILED', StateChangeReason: reason }, refused(reason)] as const),
    ];
    for (const [Status, expected] of cases) {
      const { athena, engine } = open();
      athena.on(GetQueryExecutionCommand).resolves(Status === undefined ? {} : { QueryExecution: { Status } });
      assert.deepEqual(await engine.look('q1'), expected);
    }
  });

  test('says what went wrong with a call', async () => {
    const named = (name: string, message: string): Error => Object.assign(new Error(message), { name });
    const invalid = new InvalidRequestException({ message: 'WorkGroup lake is not found.', $metadata: {} });
    const cases: readonly (readonly [Error | object, typeof InvalidInput | typeof Unavailable, RegExp])[] = [
      [invalid, InvalidInput, /Athena \(workgroup lake\) takes no such statement: WorkGroup lake is not found/],
      [
        named('AccessDeniedException', 'no'),
        InvalidInput,
        /athena:StartQueryExecution on workgroup lake failed: AccessDeniedException/,
      ],
      [
        named('TooManyRequestsException', 'slow'),
        Unavailable,
        /athena:StartQueryExecution on workgroup lake is not possible now/,
      ],
      [{}, Unavailable, /answered without the id of a query/],
    ];
    for (const [answer, kind, message] of cases) {
      const { athena, engine } = open();
      if (answer instanceof Error) athena.on(StartQueryExecutionCommand).rejects(answer);
      else athena.on(StartQueryExecutionCommand).resolves(answer);
      await assert.rejects(
        engine.start(SELECT, 'token', KEY),
        (thrown) => thrown instanceof kind && message.test(thrown.message),
      );
    }
  });

  test('is asked to stop a statement without a client of it', async () => {
    const asked: unknown[] = [];
    const { cancel } = stopsAthena(async (question) => {
      asked.push(question);
      return { text: '{}', at: new Date(0) };
    });
    await cancel('q1');
    assert.deepEqual(asked, [
      {
        service: 'athena',
        action: 'athena:StopQueryExecution',
        kind: 'json',
        target: 'AmazonAthena.StopQueryExecution',
        body: { QueryExecutionId: 'q1' },
      },
    ]);
  });

  test('finds tables in Glue, each made known once', async () => {
    const { engine } = open();
    const metadata = sampleMetadata('s3://gold/x');
    const table = { name: 'x__strata_1_out', metadata, metadataLocation: 's3://gold/x/metadata/00000-a.metadata.json' };
    await engine.show(table);
    await engine.show({ ...table, metadataLocation: 's3://gold/x/metadata/other.json' });
    assert.equal(await engine.shown('x__strata_1_out'), table.metadataLocation);
    assert.deepEqual(await engine.names('x__strata_'), ['x__strata_1_out']);
    assert.deepEqual(await engine.names('y__strata_'), []);
    await engine.hide(['x__strata_1_out', 'never']);
    assert.equal(await engine.shown('x__strata_1_out'), undefined);
    const denied = open();
    denied.glue.trouble({ operation: 'CreateTable', from: 1, error: glueError('AccessDeniedException') });
    await assert.rejects(denied.engine.show(table), /glue:CreateTable on dev_shop_gold.x__strata_1_out failed/);
  });
});
