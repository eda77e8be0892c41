import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { Duration, RemovalPolicy, type Stack } from 'aws-cdk-lib';
import { Annotations, Match, type Template } from 'aws-cdk-lib/assertions';
import { AccountRootPrincipal, Role } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import { Bucket, type IBucket } from 'aws-cdk-lib/aws-s3';
import { Lake, type LakeProps } from '../../lib/infra/lake.ts';
import { lakeOf, openFindings } from './constructs.ts';
import { statementsOf } from './policies.ts';
import { at, list, resourceOf, resourcesOf } from './resources.ts';

const OWN = { account: '111122223333', region: 'eu-west-1' };
const roleIn = (template: Template): string => resourceOf(template, 'AWS::IAM::Role', 'Analyst').id;
const keysIn = (template: Template): readonly string[] =>
  resourcesOf(template, 'AWS::KMS::Key').map(({ id }) => id.slice(0, -8));
const nameOf = (zone: string): string => `strata-${zone}-${OWN.account}-${OWN.region}`;

describe('a lake with nothing said', () => {
  const made = lakeOf();
  const template = made.template();
  test('keeps its data: five buckets, protected from removal', () => {
    const buckets = resourcesOf(template, 'AWS::S3::Bucket');
    assert.deepEqual(
      buckets.map(({ properties, DeletionPolicy }) => [properties['BucketName'], DeletionPolicy]).sort(),
      ['bronze', 'gold', 'logs', 'ops', 'silver'].map((zone) => [nameOf(zone), 'RetainExceptOnCreate']),
    );
    assert.deepEqual(keysIn(template), ['LakeAlertsKey']);
    assert.deepEqual(resourcesOf(template, 'AWS::Lambda::Function'), []);
  });

  test('has no database as long as it has no pipeline, and makes room for each once', () => {
    assert.deepEqual(resourcesOf(template, 'AWS::Glue::Database'), []);
    const { lake, template: later } = lakeOf();
    for (const name of ['shop', 'staff', 'shop']) lake.addPipeline(name);
    assert.equal(resourcesOf(later(), 'AWS::Glue::Database').length, 6);
    const rules = list(
      at(resourceOf(later(), 'AWS::S3::Bucket', 'LakeOps').properties, 'LifecycleConfiguration', 'Rules'),
    );
    assert.equal(rules.filter((rule) => JSON.stringify(rule).includes('ops/shop/')).length, 4);
  });

  test('has no open finding of AwsSolutions', () => assert.deepEqual(openFindings(made, 'Own/Lake'), []));
});

describe('what exists is used', () => {
  const made = lakeOf((stack) => ({
    deployment: 'dev',
    buckets: {
      bronze: Bucket.fromBucketName(stack, 'Landing', 'our-landing'),
      gold: new Bucket(stack, 'Marts', { bucketName: 'our-marts' }) as IBucket,
    },
    accessLogs: Bucket.fromBucketName(stack, 'Audits', 'our-logs'),
    dataKey: Key.fromKeyArn(
      stack,
      'Theirs',
      'arn:aws:kms:eu-west-1:111122223333:key/12345678-1234-1234-1234-123456789012',
    ),
    athenaScanLimitGb: 3,
    pipelines: ['shop'],
    rules: { replaced: { silver: Duration.days(5) }, runs: Duration.days(11), dryRuns: Duration.days(2) },
  }));
  const template = made.template();

  test('as buckets, of which no second ones are made', () => {
    const named = resourcesOf(template, 'AWS::S3::Bucket').map(({ properties }) => properties['BucketName']);
    assert.deepEqual(named.sort(), [
      'our-marts',
      'strata-dev-ops-111122223333-eu-west-1',
      'strata-dev-silver-111122223333-eu-west-1',
    ]);
    const { properties } = resourceOf(template, 'AWS::S3::Bucket', 'LakeSilver');
    assert.equal(at(properties, 'LoggingConfiguration', 'DestinationBucketName'), 'our-logs');
    assert.equal(made.lake.buckets.bronze.bucketName, 'our-landing');
  });

  test('by the databases', () => {
    const gold = resourceOf(template, 'AWS::Glue::Database', 'LakeDatabaseshopgold');
    assert.equal(at(gold.properties, 'DatabaseInput', 'Name'), 'dev_shop_gold');
    assert.match(String(at(gold.properties, 'DatabaseInput', 'LocationUri')), /^s3:\/\/Marts\w+\/gold\/shop\/$/);
  });

  test('as key', () => {
    assert.deepEqual(keysIn(template), ['LakeAlertsKey']);
    const { properties } = resourceOf(template, 'AWS::S3::Bucket', 'LakeSilver');
    const [rule] = list(at(properties, 'BucketEncryption', 'ServerSideEncryptionConfiguration'));
    assert.match(String(at(rule, 'ServerSideEncryptionByDefault', 'KMSMasterKeyID')), /key\/12345678/);
  });

  test('with the limits that are given', () => {
    const workgroup = resourceOf(template, 'AWS::Athena::WorkGroup').properties;
    assert.equal(at(workgroup, 'WorkGroupConfiguration', 'BytesScannedCutoffPerQuery'), 3_000_000_000);
    const days = (id: string): string =>
      JSON.stringify(at(resourceOf(template, 'AWS::S3::Bucket', id).properties, 'LifecycleConfiguration', 'Rules'));
    assert.match(days('LakeSilver'), /"NoncurrentDays":5\b/);
    assert.match(days('LakeOps'), /"NoncurrentDays":30\b/);
    assert.match(days('LakeOps'), /"ExpirationInDays":11,"Prefix":"ops\/shop\/_runs\/"/);
    assert.match(days('LakeOps'), /"ExpirationInDays":2,"Prefix":"ops\/shop\/_dry_runs\/"/);
  });

  test('and what such a bucket has to do by itself is said', () => {
    Annotations.fromStack(made.stack).hasInfo('/Own/Lake', Match.stringLikeRegexp('sends its events to EventBridge'));
  });

  test('all four: there is nothing to log for', () => {
    const buckets = (stack: Stack): LakeProps['buckets'] => {
      const by = (id: string) => Bucket.fromBucketName(stack, id, `our-${id.toLowerCase()}`);
      return { bronze: by('B'), silver: by('S'), gold: by('G'), ops: by('O') };
    };
    const { lake, template: none } = lakeOf((stack) => ({ buckets: buckets(stack) ?? {} }));
    lake.addPipeline('shop');
    assert.deepEqual(resourcesOf(none(), 'AWS::S3::Bucket'), []);
  });
});

test("encryption 'kms' is with the one key that the lake has, turned every year and kept", () => {
  const { lake, template } = lakeOf(() => ({ encryption: 'kms' }));
  const key = resourceOf(template(), 'AWS::KMS::Key', 'LakeAlertsKey');
  assert.deepEqual([key.properties['EnableKeyRotation'], key.DeletionPolicy], [true, 'RetainExceptOnCreate']);
  assert.ok(lake.dataKey !== undefined && lake.dataKey === lake.ownKey);
  // Whoever uses it does so by way of S3, whichever key that is.
  assert.deepEqual(lake.keys, []);
});

describe('removal', () => {
  const policies = (context: Readonly<Record<string, unknown>>) => {
    const made = lakeOf(() => ({ removalPolicy: RemovalPolicy.DESTROY, pipelines: ['shop'] }), context);
    const kept = ['AWS::S3::Bucket', 'AWS::Glue::Database'].flatMap((type) => resourcesOf(made.template(), type));
    return { made, policies: [...new Set(kept.map(({ DeletionPolicy }) => DeletionPolicy))] };
  };
  test('needs the flag too, and without it that is said', () => {
    const { made, policies: found } = policies({});
    assert.deepEqual(found, ['RetainExceptOnCreate']);
    Annotations.fromStack(made.stack).hasWarning('/Own/Lake', Match.stringLikeRegexp('destroyData: the data is kept'));
  });
  test('with both the data goes', () => assert.deepEqual(policies({ destroyData: 'true' }).policies, ['Delete']));
  test('a flag that says neither is refused', () => {
    assert.throws(
      () => policies({ destroyData: 'perhaps' }),
      /context destroyData: got "perhaps"; expected true or false/,
    );
  });
});

describe('grants', () => {
  const granted = (act: (lake: Lake, role: Role) => void, props: LakeProps = {}) => {
    const { stack, lake, template } = lakeOf(() => props);
    const role = new Role(stack, 'Analyst', { assumedBy: new AccountRootPrincipal() });
    act(lake, role);
    return statementsOf(template(), roleIn(template()));
  };
  const texts = (act: Parameters<typeof granted>[0], props?: LakeProps): string =>
    granted(act, props)
      .map(({ actions, resources }) => `${actions} ${resources}`)
      .join('\n');

  test('to read: the tables of one pipeline and their objects, and to change nothing', () => {
    const text = texts((lake, role) => lake.grantRead(role, 'shop'), { pipelines: ['shop', 'staff'] });
    assert.match(text, /s3:GetObject \S*strata-silver-111122223333-eu-west-1\/silver\/shop\/\*/);
    assert.match(text, /glue:GetTable\b.*table\/shop_gold\/\*/);
    assert.doesNotMatch(text, /staff|Put|Update|Delete|bronze/);
  });

  test('to read all: also the pipelines that come later', () => {
    const text = texts((lake, role) => {
      lake.addPipeline('shop');
      lake.grantRead(role);
      lake.addPipeline('staff');
    });
    for (const name of ['shop', 'staff']) assert.match(text, new RegExp(`gold/${name}/`), name);
  });

  test('to query: the workgroup and its results', () => {
    const text = texts((lake, role) => lake.grantQuery(role, 'shop'));
    assert.match(text, /athena:StartQueryExecution.*workgroup\/strata$/m);
    assert.match(text, /s3:PutObject.*strata-ops-111122223333-eu-west-1\/athena-results\/\*/);
    assert.match(text, /gold\/shop\/\*/);
  });

  test('to upload: one source, and nothing to read', () => {
    const text = texts((lake, role) => lake.grantUpload(role, 'shop', 'orders'));
    assert.match(text, /s3:PutObject.* \S*strata-bronze-111122223333-eu-west-1\/bronze\/shop\/orders\/\*$/m);
    assert.doesNotMatch(text, /Get|List/);
  });

  test('with a key: to use it', () => {
    const act = (lake: Lake, role: Role): void => void lake.grantUpload(role, 'shop');
    assert.match(texts(act, { encryption: 'kms' }), /kms:GenerateDataKey/);
    assert.match(
      texts((lake, role) => lake.grantRead(role, 'shop'), { encryption: 'kms' }),
      /kms:Decrypt/,
    );
  });
});

test('a lake that was deployed before is found by its names, and nothing is made', () => {
  const { stack, template } = lakeOf();
  const lake = Lake.fromLakeAttributes(stack, 'Deployed', { deployment: 'dev' });
  lake.addPipeline('shop');
  const role = new Role(stack, 'Analyst', { assumedBy: new AccountRootPrincipal() });
  lake.grantRead(role, 'shop');
  assert.deepEqual(resourcesOf(template(), 'AWS::Glue::Database'), []);
  const text = JSON.stringify(statementsOf(template(), roleIn(template())));
  assert.match(text, /strata-dev-gold-111122223333-eu-west-1\/gold\/shop/);
  assert.match(text, /dev_shop_gold/);
});

describe('what contradicts itself is refused', () => {
  test('a name of a deployment that no name could hold', () => {
    assert.throws(() => lakeOf(() => ({ deployment: 'My Lake' })), /deployment: got "My Lake"; expected at most 20/);
  });
  test('a key without its use', () => {
    const props = (stack: Stack): LakeProps => ({ encryption: 's3', dataKey: new Key(stack, 'Key') });
    assert.throws(() => lakeOf(props), /lake Own\/Lake: encryption 's3' with dataKey; expected 'kms', or neither/);
  });
});
