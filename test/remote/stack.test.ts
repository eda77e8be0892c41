import assert from 'node:assert/strict';
import { afterEach, describe, test } from 'node:test';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { readOutputs } from '../../lib/remote/stack.ts';
import { awsError } from './aws-error.ts';

const cloudFormation = mockClient(CloudFormationClient);
afterEach(() => cloudFormation.reset());
const client = new CloudFormationClient({ region: 'us-east-1' });

describe('outputs', () => {
  test('are read by name', async () => {
    const Outputs = [
      { OutputKey: 'Workgroup', OutputValue: 'w' },
      { OutputKey: 'DatabasePrefix', OutputValue: '' },
      { OutputKey: 'Other', OutputValue: 'x' },
    ];
    cloudFormation.on(DescribeStacksCommand, { StackName: 'strata-lake' }).resolves({
      Stacks: [{ StackName: 'strata-lake', CreationTime: new Date(0), StackStatus: 'CREATE_COMPLETE', Outputs }],
    });
    const found = await readOutputs(client, 'strata-lake', ['Workgroup', 'DatabasePrefix']);
    assert.deepEqual([found.Workgroup, found.DatabasePrefix], ['w', '']);
  });

  const REFUSED: readonly (readonly [string, Error, string, RegExp])[] = [
    [
      'a stack that is not there',
      awsError('ValidationError', 400, 'Stack with id strata-lake does not exist'),
      'InvalidInput',
      /^stack strata-lake is not deployed .*npx cdk deploy --all.*--stage.*AWS_REGION/,
    ],
    [
      'a missing right',
      awsError('AccessDenied', 403, 'not authorized to perform: cloudformation:DescribeStacks'),
      'InvalidInput',
      /cloudformation:DescribeStacks.*strata-lake/,
    ],
    [
      'an expired token',
      awsError('ExpiredToken', 403, 'The security token included in the request is expired'),
      'InvalidInput',
      /cloudformation:DescribeStacks.*strata-lake/,
    ],
    [
      'no credentials',
      awsError('CredentialsProviderError', 0, 'Could not load credentials from any providers'),
      'InvalidInput',
      /cloudformation:DescribeStacks.*strata-lake/,
    ],
    ['no region', new Error('Region is missing'), 'InvalidInput', /^no AWS region: set AWS_REGION/],
    ['throttling', awsError('Throttling', 400, 'Rate exceeded'), 'Unavailable', /cloudformation:DescribeStacks/],
  ];
  for (const [name, error, kind, message] of REFUSED) {
    test(name, async () => {
      cloudFormation.on(DescribeStacksCommand).rejects(error);
      await assert.rejects(readOutputs(client, 'strata-lake', ['Workgroup']), { name: kind, message });
    });
  }

  test('that are missing are named', async () => {
    cloudFormation.on(DescribeStacksCommand).resolves({ Stacks: [] });
    await assert.rejects(readOutputs(client, 'strata-lake', ['Workgroup']), {
      name: 'InvalidInput',
      message: /strata-lake has no output Workgroup/,
    });
  });
});
