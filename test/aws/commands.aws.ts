import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { strataHere } from '../cli/child.ts';
import { startMoto } from './moto-server.ts';

const BUCKET = 'strata-test-bronze';

/** What the commands look for in a lake: its stack's outputs, and the buckets behind them. */
const LAKE = {
  Resources: { Bronze: { Type: 'AWS::S3::Bucket', Properties: { BucketName: BUCKET } } },
  Outputs: {
    BronzeBucket: { Value: { Ref: 'Bronze' } },
    Workgroup: { Value: 'primary' },
    DatabasePrefix: { Value: '' },
  },
};

describe('the commands against servers of AWS', () => {
  const folder = mkdtempSync(join(tmpdir(), 'strata-commands-'));
  let endpoint = '';
  let stop = async (): Promise<void> => {};
  before(async () => {
    ({ endpoint, stop } = await startMoto());
    const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };
    Object.assign(process.env, credentials, { AWS_ENDPOINT_URL: endpoint });
    const stack = new CreateStackCommand({ StackName: 'strata-lake', TemplateBody: JSON.stringify(LAKE) });
    await new CloudFormationClient({}).send(stack);
  });
  after(async () => {
    await stop();
    rmSync(folder, { recursive: true });
  });

  test('land --aws uploads small and large files', async () => {
    const small = join(folder, 'small.csv');
    const large = join(folder, 'large.csv');
    writeFileSync(small, 'customer_id\n1\n');
    writeFileSync(large, 'x'.repeat(17 * 2 ** 20));
    const { code, stdout, stderr } = await strataHere(['land', '--aws', 'retail', 'customers', small, large, '--json']);
    assert.equal(code, 0, stderr);
    const { files } = JSON.parse(stdout) as { files: readonly { key: string; status: string; bytes: number }[] };
    assert.deepEqual(
      files.map(({ key, status, bytes }) => [key, status, bytes]),
      [
        ['bronze/retail/customers/small.csv', 'landed', 14],
        ['bronze/retail/customers/large.csv', 'landed', 17 * 2 ** 20],
      ],
    );
    const found = await new S3Client({}).send(new GetObjectCommand({ Bucket: BUCKET, Key: files[0]?.key }));
    assert.equal(await found.Body?.transformToString(), 'customer_id\n1\n');
  });

  test('query --athena answers with rows', async () => {
    const row = (...values: readonly string[]) => ({ Data: values.map((VarCharValue) => ({ VarCharValue })) });
    const column = (Name: string, Type: string) => ({ Name, Type, Precision: 10, Scale: 2 });
    const result = {
      rows: [row('n', 'b'), row('1', 'true')],
      column_info: [column('n', 'bigint'), column('b', 'boolean')],
    };
    // What moto is to answer with; it runs no SQL. Source: docs.getmoto.org/en/latest/docs/services/athena.html
    const body = JSON.stringify({ results: [result] });
    const prepared = await fetch(`${endpoint}/moto-api/static/athena/query-results`, { method: 'POST', body });
    assert.equal(prepared.status, 201);
    const { code, stdout, stderr } = await strataHere([
      'query',
      '--athena',
      'SELECT n, b FROM retail_gold.t',
      '--json',
    ]);
    assert.equal(code, 0, stderr);
    const { rows, workgroup } = JSON.parse(stdout) as { rows: unknown; workgroup: string };
    assert.deepEqual([rows, workgroup], [[{ n: 1, b: true }], 'primary']);
  });

  test('a pipeline that is not deployed is named', async () => {
    const { code, stderr } = await strataHere(['query', '--athena', 'SELECT 1', '--stage', 'dev']);
    assert.equal(code, 1);
    assert.match(stderr, /^stack strata-dev-lake is not deployed/);
  });
});
