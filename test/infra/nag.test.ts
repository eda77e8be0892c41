import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type App, Stack, Validations } from 'aws-cdk-lib';
import { Policy, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Bucket } from 'aws-cdk-lib/aws-s3';
import { AwsSolutionsChecks } from 'cdk-nag';
import { deploy, FOLLOWER, LEADER, PLAIN, SHOP } from './deployment.ts';

/** What cdk-nag finds that nobody has acknowledged: rule and construct. */
function openFindings(app: App): readonly string[] {
  return findingsOf(new AwsSolutionsChecks(app), app);
}

/** The acknowledged ones too. */
function allFindings(app: App): readonly string[] {
  const pack = new AwsSolutionsChecks(app);
  Object.defineProperty(pack, 'isAcknowledged', { value: () => false });
  return findingsOf(pack, app);
}

function findingsOf(pack: AwsSolutionsChecks, app: App): readonly string[] {
  const { violations } = pack.validateScope(app);
  return violations.flatMap(({ ruleName, violatingResources }) =>
    violatingResources.map(({ constructPath }) => `${ruleName} at ${constructPath}`),
  );
}

const CONTEXTS = [{}, { kms: 'true' }, { stage: 'dev', alertEmails: 'a@example.org' }];

for (const context of CONTEXTS) {
  test(`AwsSolutions has no open finding, with context ${JSON.stringify(context)}`, async () => {
    const pipelines = 'stage' in context ? [FOLLOWER, LEADER] : [SHOP, PLAIN];
    const { app } = await deploy({ pipelines, context });
    assert.deepEqual(openFindings(app), []);
  });
}

test('a finding that nobody acknowledged is open, beside those that were', async () => {
  const { app } = await deploy();
  const stack = app.node.findChild('strata-lake') as Stack;
  new Bucket(stack, 'Careless');
  const role = new Role(stack, 'Greedy', { assumedBy: new ServicePrincipal('lambda.amazonaws.com') });
  const policy = new Policy(role, 'All', {
    statements: [new PolicyStatement({ actions: ['s3:*'], resources: ['*'] })],
  });
  policy.attachToRole(role);
  assert.deepEqual(openFindings(app).toSorted(), [
    'AwsSolutions-IAM5[Action::s3:*] at strata-lake/Greedy/All/Resource',
    'AwsSolutions-IAM5[Resource::*] at strata-lake/Greedy/All/Resource',
    'AwsSolutions-S1 at strata-lake/Careless/Resource',
    'AwsSolutions-S10 at strata-lake/Careless/Resource',
  ]);
});

test('each acknowledgement has a reason, is of no whole stack, and stands for a finding', async () => {
  const { app } = await deploy({ pipelines: [SHOP, PLAIN], context: { kms: 'true' } });
  const acknowledged = app.node.findAll().flatMap((construct) =>
    construct.node.metadata
      .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
      .flatMap(({ data }) => Object.entries(data as Record<string, string>))
      .map(([id, reason]) => ({ construct, rule: id.replace(/^annotation::/i, ''), reason })),
  );
  const findings = allFindings(app);
  assert.ok(acknowledged.length > 20);
  const wrong = acknowledged.filter(
    ({ construct, rule, reason }) =>
      Stack.isStack(construct) ||
      construct === app ||
      reason.length < 20 ||
      !findings.some((found) => found.startsWith(`${rule} at ${construct.node.path}`)),
  );
  assert.deepEqual(
    wrong.map(({ construct, rule }) => `${rule} at ${construct.node.path}`),
    [],
  );
});
