import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { CreateDatabaseCommand, GlueClient } from '@aws-sdk/client-glue';
import { GetObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { fullName, tablePrefix } from '../../lib/core/tables.ts';
import { openRemoteTables } from '../../lib/runtime/remote-tables.ts';
import { strataHere } from '../cli/child.ts';
import { sampleMetadata } from '../ports/sample-metadata.ts';
import { startMoto } from './moto-server.ts';

const BUCKET = 'strata-test-bronze';

/** What the commands look for in a lake: its stack's outputs, and the buckets behind them. */
const LAKE = {
  Resources: {
    Bronze: { Type: 'AWS::S3::Bucket', Properties: { BucketName: BUCKET } },
    Silver: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'strata-test-silver' } },
    Gold: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'strata-test-gold' } },
    Ops: { Type: 'AWS::S3::Bucket', Properties: { BucketName: 'strata-test-ops' } },
  },
  Outputs: {
    BronzeBucket: { Value: { Ref: 'Bronze' } },
    SilverBucket: { Value: { Ref: 'Silver' } },
    GoldBucket: { Value: { Ref: 'Gold' } },
    OpsBucket: { Value: { Ref: 'Ops' } },
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

  test('drop --aws drops a table that no model makes, with its files, and no other', async () => {
    const log = { info: () => {}, warn: () => {} };
    const { catalog, store } = await openRemoteTables({}, log);
    const glue = new GlueClient({});
    for (const Name of ['retail_silver', 'retail_gold', 'retail_ops'])
      await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name } }));
    const ids = ['sales', 'old', 'old__log'].map((name) => ({ pipeline: 'retail', layer: 'silver', name }) as const);
    for (const id of ids) {
      await catalog.commit(id, undefined, sampleMetadata(store.location(tablePrefix(id))));
      await store.write(`${tablePrefix(id)}/data/f.parquet`, new Uint8Array(3), { kind: 'any' });
    }
    const strata = (...args: readonly string[]) =>
      strataHere(['drop', '--aws', ...args, '--root', join(folder, 'none'), '--pipelines', resolve('pipelines')]);
    const refused = await strata('retail_silver.sales', '--data');
    assert.deepEqual([refused.code, refused.stdout], [1, '']);
    assert.match(refused.stderr, /model silver\.sales of retail makes/);
    const dropped = await strata('retail_silver.old', '--data', '--json');
    assert.equal(dropped.code, 0, dropped.stderr);
    const { tables } = JSON.parse(dropped.stdout) as { tables: readonly { table: string; files_removed: number }[] };
    assert.deepEqual(
      tables.map(({ table, files_removed }) => [table, files_removed]),
      [
        ['retail_silver.old', 2],
        ['retail_silver.old__log', 2],
      ],
    );
    assert.deepEqual((await catalog.list()).map(fullName), ['retail_silver.sales']);
    const keys: string[] = [];
    for await (const { key } of store.list('silver/')) keys.push(key);
    assert.equal(keys.length, 2);
    assert.ok(keys.every((key) => key.startsWith('silver/retail/sales/')));
    const lock = JSON.parse(new TextDecoder().decode((await store.read('ops/retail/lock.json')).bytes)) as object;
    assert.deepEqual(lock, { epoch: 1, released: true });
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
