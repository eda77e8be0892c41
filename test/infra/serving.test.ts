import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { FlowLogDestination, type IVpc, Vpc } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { postgres, secret } from '../../lib/define/index.ts';
import { Lake } from '../../lib/infra/lake.ts';
import { Pipeline } from '../../lib/infra/pipeline.ts';
import type { PipelineOptions } from '../../lib/infra/pipeline-props.ts';
import type { TestPipeline } from '../support/test-lake.ts';
import { ownStack } from './constructs.ts';
import { fakeBundles, specOf } from './deployment.ts';
import { at, resourceOf, resourcesOf } from './resources.ts';

const SERVED: TestPipeline = {
  name: 'served',
  definition: {
    name: 'served',
    serve: { postgres: { url: secret('REPORTS'), tables: { rows: { from: 'silver.rows' } } } },
    sources: { rows: postgres({ url: secret('SALES'), table: 'rows', columns: { id: 'bigint' } }) },
    silver: { rows: { from: 'rows' } },
  },
};
const spec = await specOf(SERVED);
const bundles = fakeBundles();

function served(options: (stack: Stack) => PipelineOptions): Template {
  const { stack } = ownStack();
  new Pipeline(stack, 'Served', { lake: new Lake(stack, 'Lake'), spec, bundles, ...options(stack) });
  return Template.fromStack(stack);
}

test('what serves is in a network of its own, with the secret that it is given', () => {
  const template = served((stack) => {
    const vpc = new Vpc(stack, 'Net', {
      flowLogs: { Log: { destination: FlowLogDestination.toCloudWatchLogs() } },
    }) as IVpc;
    return { serve: { vpc, secret: Secret.fromSecretNameV2(stack, 'Given', 'other/name') } };
  });
  const functions = resourcesOf(template, 'AWS::Lambda::Function').filter(
    ({ properties }) => properties['VpcConfig'] !== undefined,
  );
  assert.deepEqual(
    functions.map(({ properties }) => String(properties['FunctionName']).replace(/^.*-/, '')),
    ['serve'],
  );
  const [serve] = functions;
  assert.match(
    JSON.stringify(at(serve?.properties ?? {}, 'Environment', 'Variables', 'STRATA_SINK_SECRET')),
    /other\/name/,
  );
  const policies = JSON.stringify(
    resourcesOf(template, 'AWS::IAM::Policy').filter(({ id }) => id.includes('ServeRole')),
  );
  assert.match(policies, /secretsmanager:GetSecretValue/);
  assert.doesNotMatch(policies, /REPORTS/);
  assert.match(policies, /ec2:CreateNetworkInterface/);
});

test('subnets without a VPC are refused', () => {
  assert.throws(
    () => served(() => ({ serve: { vpcSubnets: {} } })),
    /pipeline served: serve\.vpcSubnets or serve\.securityGroups without serve\.vpc/,
  );
  assert.equal(
    resourceOf(
      served(() => ({})),
      'AWS::Lambda::Function',
      'ServedServe',
    ).properties['VpcConfig'],
    undefined,
  );
});
