import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { Template } from 'aws-cdk-lib/assertions';
import {
  ALARMS_OF_REGION,
  LAKE_RESOURCES_PER_PIPELINE,
  RESOURCES_OF_STACK,
  ROLES_OF_ACCOUNT,
  rolesOf,
  rulesOfBus,
  STACK_NEEDS,
} from '../../lib/core/deployment-needs.ts';
import { InvalidInput } from '../../lib/core/errors.ts';
import { FUNCTIONS, STATES } from '../../lib/core/states.ts';
import { type DeploymentOptions, deploy, FOLLOWER, PLAIN, SHOP, type Synthesized } from './deployment.ts';
import { at, type Json, leftBehind, list, resourceOf, resourcesOf } from './resources.ts';

type Kept = {
  readonly policies: readonly (string | undefined)[];
  readonly emptied: number;
  readonly isProtected: boolean;
};

function kept({ app, lake }: Synthesized): Kept {
  const types = ['AWS::S3::Bucket', 'AWS::Glue::Database', 'AWS::KMS::Key', 'AWS::Athena::WorkGroup'];
  const resources = types.flatMap((type) => resourcesOf(lake, type));
  return {
    policies: [...new Set(resources.map(({ DeletionPolicy }) => DeletionPolicy))],
    emptied: resourcesOf(lake, 'Custom::S3AutoDeleteObjects').length,
    isProtected: app.synth().getStackByName('strata-lake').terminationProtection === true,
  };
}

describe('data is destroyed only by the property and the flag together', () => {
  const STAYS: Kept = { policies: ['RetainExceptOnCreate'], emptied: 0, isProtected: true };
  const GOES: Kept = { policies: ['Delete'], emptied: 5, isProtected: false };
  const cases: readonly (readonly [string, DeploymentOptions, Kept])[] = [
    ['neither', {}, STAYS],
    ['the property', { destroyData: true }, STAYS],
    ['the flag', { context: { destroyData: 'true' } }, STAYS],
    ['both', { destroyData: true, context: { destroyData: 'true' } }, GOES],
  ];
  for (const [what, options, expected] of cases) {
    test(`${what}: ${expected === GOES ? 'it goes' : 'it stays'}`, async () => {
      const context = { kms: true, ...options.context };
      assert.deepEqual(kept(await deploy({ ...options, context })), expected);
    });
  }
});

describe('kms=true', async () => {
  const { lake, pipelines } = await deploy({ context: { kms: 'true' } });
  const shop = pipelines['web_shop'] ?? assert.fail();

  test('the one key of the lake, turned every year and kept, is for buckets and results', () => {
    for (const template of [lake, shop]) assert.deepEqual(leftBehind(template.toJSON()), []);
    const key = resourceOf(lake, 'AWS::KMS::Key');
    assert.deepEqual([key.properties['EnableKeyRotation'], key.DeletionPolicy], [true, 'RetainExceptOnCreate']);
    for (const id of ['Bronze', 'Silver', 'Gold', 'Ops']) {
      const { properties } = resourceOf(lake, 'AWS::S3::Bucket', id);
      assert.deepEqual(at(properties, 'BucketEncryption', 'ServerSideEncryptionConfiguration'), [
        {
          BucketKeyEnabled: true,
          ServerSideEncryptionByDefault: { SSEAlgorithm: 'aws:kms', KMSMasterKeyID: `${key.id}.Arn` },
        },
      ]);
    }
    const { properties } = resourceOf(lake, 'AWS::Athena::WorkGroup');
    const results = at(properties, 'WorkGroupConfiguration', 'ResultConfiguration', 'EncryptionConfiguration');
    assert.deepEqual(results, { EncryptionOption: 'SSE_KMS', KmsKey: `${key.id}.Arn` });
    const parameter = resourceOf(lake, 'AWS::SSM::Parameter').properties;
    assert.deepEqual([parameter['Name'], parameter['Value']], ['/strata/key', `${key.id}.Arn`]);
  });

  test('is switched on and off without a word between stacks: of a pipeline it changes the log groups alone', async () => {
    const off = await deploy();
    const [key, ...others] = resourcesOf(off.lake, 'AWS::KMS::Key');
    assert.deepEqual(
      [key?.DeletionPolicy, others],
      ['RetainExceptOnCreate', []],
      'what it has encrypted stays readable',
    );
    const groups = resourcesOf(shop, 'AWS::Logs::LogGroup').map(({ properties }) => properties['KmsKeyId']);
    assert.deepEqual([groups.length, [...new Set(groups)]], [FUNCTIONS.length + 2, ['{{resolve:ssm:/strata/key}}']]);
    const without = (template: Template): unknown =>
      JSON.parse(JSON.stringify(template.toJSON()), (name, value) => (name === 'KmsKeyId' ? undefined : value));
    assert.deepEqual(without(shop), without(off.pipelines['web_shop'] ?? assert.fail()));
    for (const template of [lake, shop]) {
      assert.ok(!/Fn::ImportValue|"Export"/.test(JSON.stringify(template.toJSON())));
    }
  });
});

describe('adopt=plain', async () => {
  const { lake, pipelines } = await deploy({ pipelines: [PLAIN, FOLLOWER], context: { adopt: 'plain' } });

  test('makes no databases for that pipeline, which uses those that are there by their names', () => {
    const names = resourcesOf(lake, 'AWS::Glue::Database').map(({ properties }) =>
      at(properties, 'DatabaseInput', 'Name'),
    );
    assert.deepEqual(names.sort(), ['web_shop_gold', 'web_shop_ops', 'web_shop_silver']);
    const [audit] = resourcesOf(pipelines['plain'] ?? assert.fail(), 'AWS::Glue::Table');
    assert.equal(at(audit?.properties ?? {}, 'DatabaseName'), 'plain_ops');
  });

  const count = (template: Template | undefined): Readonly<Record<string, number>> => {
    const types = Object.values<Json>(template?.toJSON()['Resources'] ?? {}).map((one) => String(at(one, 'Type')));
    const of = (type: string): number => types.filter((one) => one === type).length;
    const [rules, alarms] = [of('AWS::Events::Rule'), of('AWS::CloudWatch::Alarm')];
    return { roles: of('AWS::IAM::Role'), rules, alarms, resources: types.length };
  };

  for (const name of ['plain', 'web_shop']) {
    test(`${name} takes of the quotas of an account no more than doctor counts on`, () => {
      const found = count(pipelines[name]);
      // The shop serves.
      const needs = {
        ...STACK_NEEDS.pipeline,
        roles: rolesOf(name === 'web_shop' ? { serve: { postgres: { secret: 'S', schema: 's', tables: [] } } } : {}),
      };
      for (const [what, most] of Object.entries(needs) as [keyof typeof found, number][]) {
        assert.ok((found[what] ?? Number.NaN) <= most, `${what}: ${found[what]} of ${most}`);
      }
    });
  }

  test('the lake takes the same of every pipeline that it has databases for', () => {
    const { resources, ...others } = count(lake);
    const { resources: most, ...none } = STACK_NEEDS.lake;
    assert.deepEqual(others, none);
    assert.equal(resources, most + LAKE_RESOURCES_PER_PIPELINE.inline);
  });
});

test('an account has room for 200 pipelines, and for as many again of what it has room for beside them', async () => {
  const { lake, pipelines } = await deploy({ pipelines: [PLAIN, SHOP], context: { nestDatabases: 'true' } });
  const { resources, lifecycle, bytes } = sizeOf(lake);
  const alone = sizeOf((await deploy({ pipelines: [PLAIN], context: { nestDatabases: 'true' } })).lake);
  const of200 = (one: number, two: number): number => one + 199 * (two - one);
  assert.ok(of200(alone.resources, resources) <= RESOURCES_OF_STACK);
  assert.equal(resources - alone.resources, LAKE_RESOURCES_PER_PIPELINE.nested);
  // Source: docs.aws.amazon.com/AmazonS3/latest/userguide/object-lifecycle-mgmt.html
  assert.ok(of200(alone.lifecycle, lifecycle) <= 1_000);
  // Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html
  assert.ok(of200(alone.bytes, bytes) <= 1_000_000, `${of200(alone.bytes, bytes)} bytes`);
  const { roles, rules, alarms, resources: most } = STACK_NEEDS.pipeline;
  assert.ok(STACK_NEEDS.lake.roles + 200 * roles <= ROLES_OF_ACCOUNT * 0.9);
  assert.ok(200 * rules <= rulesOfBus('eu-central-1'));
  assert.ok(200 * alarms <= ALARMS_OF_REGION / 2);
  assert.ok(most <= RESOURCES_OF_STACK);
  for (const template of [...Object.values(pipelines), lake]) {
    // Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    for (const [role, characters] of policiesByRole(template))
      assert.ok(characters <= 10_240, `${role}: ${characters}`);
  }
});

type Size = { readonly resources: number; readonly lifecycle: number; readonly bytes: number };

function sizeOf(template: Template): Size {
  const ops = resourceOf(template, 'AWS::S3::Bucket', 'Ops').properties;
  return {
    resources: Object.keys(template.toJSON()['Resources']).length,
    lifecycle: list(at(ops, 'LifecycleConfiguration', 'Rules')).length,
    bytes: JSON.stringify(template.toJSON()).length,
  };
}

/** Characters of all policies of each role, with what stands for references in about the length of what they come to. */
function policiesByRole(template: Template): ReadonlyMap<string, number> {
  const roles = new Map<string, number>();
  for (const { properties } of resourcesOf(template, 'AWS::IAM::Policy')) {
    for (const role of list(properties['Roles'])) {
      const { length } = JSON.stringify(properties['PolicyDocument']);
      roles.set(String(role), (roles.get(String(role)) ?? 0) + length);
    }
  }
  return roles;
}

test('a limit of what a query may scan, and who gets the alerts', async () => {
  const context = { athenaScanLimitGb: '2.5', alertEmails: 'a@example.com, b@example.com' };
  const { lake, pipelines } = await deploy({ context });
  const workgroup = resourceOf(lake, 'AWS::Athena::WorkGroup');
  assert.equal(at(workgroup.properties, 'WorkGroupConfiguration', 'BytesScannedCutoffPerQuery'), 2_500_000_000);
  const subscribed = resourcesOf(pipelines['web_shop'] ?? lake, 'AWS::SNS::Subscription');
  assert.deepEqual(
    subscribed.map(({ properties }) => [properties['Protocol'], properties['Endpoint']]),
    [
      ['email', 'a@example.com'],
      ['email', 'b@example.com'],
    ],
  );
});

/** What has a name of its own in an account and a region. */
const NAMED: Readonly<Record<string, readonly (string | number)[]>> = {
  'AWS::S3::Bucket': ['BucketName'],
  'AWS::Glue::Database': ['DatabaseInput', 'Name'],
  'AWS::Athena::WorkGroup': ['Name'],
  'AWS::Lambda::Function': ['FunctionName'],
  'AWS::Logs::LogGroup': ['LogGroupName'],
  'AWS::StepFunctions::StateMachine': ['StateMachineName'],
  'AWS::Scheduler::Schedule': ['Name'],
  'AWS::CloudWatch::Alarm': ['AlarmName'],
  'AWS::CloudWatch::Dashboard': ['DashboardName'],
};

function namesIn(template: Template): readonly string[] {
  return Object.entries(NAMED).flatMap(([type, path]) =>
    resourcesOf(template, type).map(({ properties }) => `${type} ${at(properties, ...path)}`),
  );
}

describe('two stages', () => {
  test('live in one account: no name is in both, and each has a prefix of its own', async () => {
    const [plain, dev] = [await deploy(), await deploy({ context: { stage: 'dev' } })];
    const names = (one: Synthesized): readonly string[] => [
      ...namesIn(one.lake),
      ...Object.values(one.pipelines).flatMap(namesIn),
      ...one.app.synth().stacks.map(({ stackName }) => stackName),
    ];
    const [first, second] = [names(plain), names(dev)];
    assert.equal(new Set(first).size, first.length);
    assert.deepEqual(
      first.filter((name) => second.includes(name)),
      [],
    );
    assert.deepEqual(
      second.filter((name) => !/strata-dev|dev_web_shop/.test(name)),
      [],
    );
    assert.equal(second.length, first.length);
  });

  test('tell their functions, metrics and commands apart', async () => {
    const { lake, pipelines } = await deploy({ context: { stage: 'dev' } });
    const shop = pipelines['web_shop'] ?? assert.fail();
    const variables = at(resourceOf(shop, 'AWS::Lambda::Function', 'Open').properties, 'Environment', 'Variables');
    assert.equal(at(variables, 'STRATA_DATABASE_PREFIX'), 'dev_');
    assert.equal(at(variables, 'POWERTOOLS_SERVICE_NAME'), 'dev_web_shop');
    assert.equal(at(variables, 'STRATA_PIPELINE'), 'web_shop');
    assert.match(String(lake.findOutputs('DatabasePrefix')['DatabasePrefix']?.['Value']), /^dev_$/);
    assert.match(String(shop.findOutputs('QueryCommand')['QueryCommand']?.['Value']), /--athena --stage dev "SELECT/);
  });
});

describe('context that cannot be read is refused, each value with what was expected', () => {
  const cases: readonly (readonly [Readonly<Record<string, unknown>>, RegExp])[] = [
    [{ stage: 'Dev' }, /context stage: got "Dev"; expected at most 20 lower case letters and digits/],
    [{ stage: 'a_b' }, /got "a_b"/],
    [{ stage: 'x'.repeat(21) }, /got "x{21}"/],
    [{ kms: 'yes' }, /context: kms: got "yes"; expected true or false/],
    [{ destroyData: 1 }, /context: destroyData: got 1; expected true or false/],
    [{ athenaScanLimitGb: '0' }, /context: athenaScanLimitGb: got "0"; expected a number of gigabytes above 0/],
    [{ athenaScanLimitGb: 'all' }, /context: athenaScanLimitGb: got "all"/],
    [{ alertEmails: 'a@example.com;b' }, /context: alertEmails: got "a@example.com;b"; expected e-mail addresses/],
    [{ kms: 'no', alertEmails: 'x' }, /alertEmails: got "x"[\s\S]*kms: got "no"/],
  ];
  for (const [context, message] of cases) {
    test(JSON.stringify(context), async () => {
      await assert.rejects(deploy({ context, pipelines: [] }), (error) => {
        assert.ok(error instanceof InvalidInput);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});

test('names that AWS would refuse are refused before anything is deployed', async () => {
  await assert.rejects(
    deploy({ pipelines: [SHOP, SHOP] }),
    /stack: got strata-web-shop; expected a name that differs from that of pipeline web_shop/,
  );
});

test('a function is named by the words of its state', () => {
  assert.deepEqual(
    FUNCTIONS.map((name) => STATES[name].file),
    [
      'open',
      'level',
      'plan-stage',
      'stage',
      'plan-merge',
      'merge',
      'audit',
      'gate',
      'commit',
      'serve',
      'finish',
      'open-rewrite',
      'rewrite',
      'commit-rewrite',
      'finish-rewrite',
      'sweep',
      'fail',
      'notify',
      'run-failed',
      'await-decision',
      'maintain-after',
      'starter',
    ],
  );
});
