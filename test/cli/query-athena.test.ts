import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, test } from 'node:test';
import {
  AthenaClient,
  GetQueryExecutionCommand,
  GetQueryResultsCommand,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { EntityNotFoundException, GetTableCommand, GlueClient } from '@aws-sdk/client-glue';
import { GetObjectCommand, type GetObjectCommandOutput, S3Client } from '@aws-sdk/client-s3';
import { mockClient } from 'aws-sdk-client-mock';
import { awsError } from '../remote/aws-error.ts';
import { strataHere } from './child.ts';

const athena = mockClient(AthenaClient);
const cloudFormation = mockClient(CloudFormationClient);
const glue = mockClient(GlueClient);
const s3 = mockClient(S3Client);
afterEach(() => {
  for (const client of [athena, cloudFormation, glue, s3]) client.reset();
});

const USE = { query_execution_id: 'q1', workgroup: 'strata', bytes_scanned: 1_500_000, cost_usd: 0.000047684 };

/** A lake with a query that answers two rows. */
beforeEach(() => {
  glue.on(GetTableCommand).rejects(new EntityNotFoundException({ message: 'no table', $metadata: {} }));
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

describe('query --athena of a table with personal columns', () => {
  const field = (id: number, name: string, type: string) => ({ id, name, type, required: false });
  const METADATA = {
    ...{ 'format-version': 2, 'table-uuid': '9c12d441-03fe-4693-9a96-a0705ddf69c1', location: 's3://gold/t' },
    ...{ 'last-sequence-number': 0, 'last-updated-ms': 0, 'last-column-id': 2, 'last-partition-id': 999 },
    schemas: [
      // The property still has the name that the column had when it was written.
      { type: 'struct', 'schema-id': 0, fields: [field(1, 'region', 'string'), field(2, 'mail', 'string')] },
      { type: 'struct', 'schema-id': 1, fields: [field(1, 'region', 'string'), field(2, 'email', 'string')] },
    ],
    ...{ 'current-schema-id': 1, 'partition-specs': [{ 'spec-id': 0, fields: [] }], 'default-spec-id': 0 },
    ...{ 'sort-orders': [{ 'order-id': 0, fields: [] }], 'default-sort-order-id': 0, snapshots: [] },
    properties: { 'strata.personal-columns': '["mail"]' },
  };

  const sent = () => athena.commandCalls(StartQueryExecutionCommand)[0]?.args[0].input.QueryString;

  beforeEach(() => {
    const table = { DatabaseName: 'shop_gold', Name: 'totals' };
    const Parameters = { metadata_location: 's3://gold/gold/shop/totals/metadata/7.metadata.json' };
    glue.on(GetTableCommand, table).resolves({ Table: { ...table, Parameters } });
    const Body = { transformToByteArray: async () => new TextEncoder().encode(JSON.stringify(METADATA)) };
    s3.on(GetObjectCommand, { Bucket: 'gold', Key: 'gold/shop/totals/metadata/7.metadata.json' }).resolves({
      Body: Body as unknown as NonNullable<GetObjectCommandOutput['Body']>,
    });
  });

  test('sends SQL that masks them, and says which', async () => {
    const { code, stderr } = await strataHere(['query', '--athena', SQL]);
    assert.equal(code, 0, stderr);
    const masked = `CASE WHEN "email" IS NOT NULL THEN '***' END AS "email"`;
    const relation = `"totals" AS (SELECT "region", ${masked} FROM "shop_gold"."totals")`;
    assert.equal(sent(), `WITH ${relation} SELECT region, revenue FROM "totals"`);
    assert.match(stderr, /^personal, and masked: shop_gold\.totals\.email; --show-personal shows them\nquery q1 /);
    const { stdout, stderr: beside } = await strataHere(['query', '--athena', SQL, '--json']);
    assert.equal((JSON.parse(stdout) as { rows: unknown[] }).rows.length, 2);
    assert.equal(beside, 'personal, and masked: shop_gold.totals.email; --show-personal shows them\n');
  });

  test('sends it as it is with --show-personal, and asks nobody', async () => {
    const { code, stderr } = await strataHere(['query', '--athena', SQL, '--show-personal']);
    assert.deepEqual([code, sent(), glue.calls().length], [0, SQL, 0], stderr);
    assert.doesNotMatch(stderr, /personal/);
  });

  test('looks at the stage that is named', async () => {
    const Outputs = [
      { OutputKey: 'Workgroup', OutputValue: 'strata-dev' },
      { OutputKey: 'DatabasePrefix', OutputValue: 'dev_' },
    ];
    cloudFormation.on(DescribeStacksCommand).resolves({
      Stacks: [{ StackName: 'x', CreationTime: new Date(0), StackStatus: 'CREATE_COMPLETE', Outputs }],
    });
    await strataHere(['query', '--athena', SQL, '--stage', 'dev']);
    assert.deepEqual(glue.calls()[0]?.args[0].input, { DatabaseName: 'dev_shop_gold', Name: 'totals' });
  });

  test('sends nothing when it cannot be seen what is personal', async () => {
    const refused: readonly (readonly [() => unknown, RegExp])[] = [
      [
        () => s3.on(GetObjectCommand).rejects(awsError('AccessDenied', 403, 'no')),
        /Grant s3:GetObject on s3:\/\/gold\/.*to see what is personal/,
      ],
      [
        () => glue.on(GetTableCommand).rejects(awsError('AccessDeniedException', 400, 'no')),
        /Grant glue:GetTable on shop_gold\.totals/,
      ],
      [
        () =>
          glue.on(GetTableCommand).resolves({ Table: { Name: 't', Parameters: { metadata_location: '/nowhere' } } }),
        /lies at \/nowhere: expected an object of S3/,
      ],
    ];
    for (const [arrange, message] of refused) {
      glue.reset();
      const table = { Name: 'totals', Parameters: { metadata_location: 's3://gold/k' } };
      glue.on(GetTableCommand).resolves({ Table: table });
      arrange();
      const { code, stderr } = await strataHere(['query', '--athena', SQL]);
      assert.notEqual(code, 0);
      assert.match(stderr, message);
      assert.equal(sent(), undefined);
    }
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
