import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { CloudFormationClient, CreateStackCommand } from '@aws-sdk/client-cloudformation';
import { CreateBucketCommand, S3Client } from '@aws-sdk/client-s3';
import type { Finding } from '../../lib/core/finding.ts';
import type { StackList } from '../../lib/remote/list-stacks.ts';
import { openCliLake } from '../cli/lake.ts';
import { startMoto } from './moto-server.ts';

const DESCRIPTION = 'Tables of layer silver of the pipeline shop';

/** What `findDeployed` looks for in a stack of a lake, and in one of a pipeline. */
const LAKE = {
  Resources: {
    Silver: {
      Type: 'AWS::Glue::Database',
      Properties: { CatalogId: '123456789012', DatabaseInput: { Name: 'shop_silver', Description: DESCRIPTION } },
    },
  },
};
const SHOP = { Resources: { Queue: { Type: 'AWS::SQS::Queue' } } };

describe('doctor --aws and stacks against servers of AWS', () => {
  const lake = openCliLake(
    'shop',
    `{
  name: 'shop',
  sources: { rows: csv({ columns: { id: 'int' } }) },
  silver: { items: { from: 'rows', mode: append() } },
}`,
  );
  let stop = async (): Promise<void> => {};
  before(async () => {
    const moto = await startMoto();
    stop = moto.stop;
    const credentials = { AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test', AWS_REGION: 'us-east-1' };
    Object.assign(process.env, credentials, { AWS_ENDPOINT_URL: moto.endpoint });
  });
  after(async () => {
    await stop();
    lake.close();
  });
  const look = async (): Promise<readonly Finding[]> => {
    const { stdout } = await lake.run('doctor', '--aws', '--json');
    const { findings } = JSON.parse(stdout) as { readonly findings: readonly Finding[] };
    return findings.slice(findings.findIndex(({ check }) => check === 'region'));
  };

  test('an account that was never bootstrapped, in which a name is taken', async () => {
    await new S3Client({}).send(new CreateBucketCommand({ Bucket: 'strata-ops-123456789012-us-east-1' }));
    const findings = await look();
    // What Lambda lets an account do the server does not know.
    assert.deepEqual(
      findings.map(({ check, status }) => `${check} ${status}`),
      [
        'region ok',
        'credentials ok',
        'clock ok',
        'bootstrap fail',
        'concurrency warn',
        'code warn',
        'roles ok',
        'rules ok',
        'alarms ok',
        'lake stack ok',
        'names fail',
        'lake formation ok',
        'runs ok',
      ],
    );
    const found = new Map(findings.map((finding) => [finding.check, finding.found]));
    assert.match(found.get('credentials') ?? '', /account 123456789012$/);
    assert.match(found.get('roles') ?? '', /^0 of 1000/);
    assert.match(found.get('names') ?? '', /strata-ops-123456789012-us-east-1$/);
  });

  test('what is deployed is found by tags and descriptions', async () => {
    const client = new CloudFormationClient({});
    const make = (StackName: string, template: object, tags: Readonly<Record<string, string>>) =>
      client.send(
        new CreateStackCommand({
          StackName,
          TemplateBody: JSON.stringify(template),
          Tags: Object.entries({ 'strata:stage': 'default', ...tags }).map(([Key, Value]) => ({ Key, Value })),
        }),
      );
    await make('strata-lake', LAKE, {});
    await make('strata-old', SHOP, { 'strata:pipeline': 'old' });
    const { lake: own, pipelines } = await lake.json<StackList>(0, 'stacks');
    assert.deepEqual(own, { stack: 'strata-lake', status: 'CREATE_COMPLETE' });
    assert.deepEqual(
      pipelines.map(({ pipeline, status, left, advice }) => [pipeline, status, left, advice]),
      [
        ['old', 'CREATE_COMPLETE', [], 'strata stacks delete old; its tables stay'],
        ['shop', null, [], 'npx cdk deploy strata-shop'],
      ],
    );
    assert.equal((await look()).find(({ check }) => check === 'names')?.status, 'ok');
  });
});
