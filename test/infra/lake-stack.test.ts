import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { OPS_TABLES } from '../../lib/core/ops.ts';
import { tablePrefix } from '../../lib/core/tables.ts';
import { deploy, PLAIN, SHOP } from './deployment.ts';
import { statementOf } from './policies.ts';
import { ACCOUNT, at, type Fields, list, REGION, resourceOf, resourcesOf } from './resources.ts';

const { app, lake } = await deploy({ pipelines: [SHOP, PLAIN] });
const ZONES = ['Bronze', 'Silver', 'Gold', 'Ops'] as const;
const bucketOf = (id: string) => resourceOf(lake, 'AWS::S3::Bucket', id);
const bucketName = (zone: string): string => `strata-${zone}-${ACCOUNT}-${REGION}`;

describe('every bucket', () => {
  for (const id of [...ZONES, 'Logs']) {
    const bucket = bucketOf(id);
    test(`${id} is private, encrypted and kept`, () => {
      const { properties } = bucket;
      assert.equal(properties['BucketName'], bucketName(id.toLowerCase()));
      assert.deepEqual(properties['PublicAccessBlockConfiguration'], {
        BlockPublicAcls: true,
        BlockPublicPolicy: true,
        IgnorePublicAcls: true,
        RestrictPublicBuckets: true,
      });
      assert.deepEqual(at(properties, 'BucketEncryption', 'ServerSideEncryptionConfiguration'), [
        { ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } },
      ]);
      assert.equal(at(properties, 'OwnershipControls', 'Rules', 0, 'ObjectOwnership'), 'BucketOwnerEnforced');
      assert.deepEqual([bucket.DeletionPolicy, bucket.UpdateReplacePolicy], ['RetainExceptOnCreate', 'Retain']);
    });

    test(`${id} refuses what does not come by TLS 1.2`, () => {
      const policy = resourcesOf(lake, 'AWS::S3::BucketPolicy').find(({ properties }) =>
        String(properties['Bucket']).startsWith(id),
      );
      const denied = list(at(policy?.properties, 'PolicyDocument', 'Statement'))
        .map((one) => statementOf(one as Fields))
        .filter(({ effect }) => effect === 'Deny');
      assert.deepEqual(
        denied.map(({ condition }) => condition),
        [{ Bool: { 'aws:SecureTransport': 'false' } }, { NumericLessThan: { 's3:TlsVersion': 1.2 } }],
      );
      for (const { actions, resources } of denied) {
        assert.deepEqual(actions, ['s3:*']);
        assert.deepEqual(resources, [`${bucket.id}.Arn`, `${bucket.id}.Arn/*`]);
      }
    });
  }

  for (const id of ZONES) {
    test(`${id} keeps versions and says who used it`, () => {
      const { properties } = bucketOf(id);
      assert.equal(at(properties, 'VersioningConfiguration', 'Status'), 'Enabled');
      assert.deepEqual(properties['LoggingConfiguration'], {
        DestinationBucketName: bucketOf('Logs').id,
        LogFilePrefix: `${id.toLowerCase()}/`,
      });
    });
  }

  test('only bronze reports uploads', () => {
    const reporting = ZONES.filter((id) => bucketOf(id).properties['NotificationConfiguration'] !== undefined);
    assert.deepEqual(reporting, ['Bronze']);
    assert.equal(
      at(bucketOf('Bronze').properties, 'NotificationConfiguration', 'EventBridgeConfiguration', 'EventBridgeEnabled'),
      true,
    );
  });
});

describe('lifecycle rules', () => {
  const rulesOf = (id: string): readonly Fields[] =>
    list(at(bucketOf(id).properties, 'LifecycleConfiguration', 'Rules')) as readonly Fields[];

  for (const id of ZONES) {
    test(`${id}: uploads that were never finished, replaced versions and markers of removed objects go`, () => {
      const rules = rulesOf(id).filter((rule) => rule['Prefix'] === undefined);
      assert.ok(
        rules.some((rule) => at(rule, 'AbortIncompleteMultipartUpload', 'DaysAfterInitiation') === 7),
        'multipart uploads',
      );
      assert.ok(
        rules.some((rule) => rule['ExpiredObjectDeleteMarker'] === true),
        'delete markers',
      );
      const versions = rules.find((rule) => rule['NoncurrentVersionExpiration'] !== undefined);
      assert.equal(at(versions, 'NoncurrentVersionExpiration', 'NoncurrentDays'), id === 'Bronze' ? 90 : 30);
    });
  }

  test('no current object of bronze, silver or gold ever goes', () => {
    for (const id of ['Bronze', 'Silver', 'Gold']) {
      assert.deepEqual(
        rulesOf(id).filter((rule) => rule['ExpirationInDays'] !== undefined),
        [],
      );
    }
  });

  test('in ops what runs leave goes, and nothing of a table', () => {
    const expiring = rulesOf('Ops').filter((rule) => rule['ExpirationInDays'] !== undefined);
    const days = Object.fromEntries(expiring.map((rule) => [rule['Prefix'] ?? '', rule['ExpirationInDays']]));
    const ofPipeline = (name: string) => ({
      [`ops/${name}/_runs/`]: 90,
      [`ops/${name}/_dry_runs/`]: 7,
      [`ops/${name}/_events/`]: 90,
      [`ops/${name}/_alerts/`]: 90,
    });
    assert.deepEqual(days, { 'athena-results/': 7, ...ofPipeline('web_shop'), ...ofPipeline('plain') });
    for (const name of Object.keys(OPS_TABLES)) {
      const table = `${tablePrefix({ pipeline: 'web_shop', layer: 'ops', name })}/`;
      assert.deepEqual(
        Object.keys(days).filter((prefix) => table.startsWith(prefix) || prefix.startsWith(table)),
        [],
      );
    }
  });
});

test('each pipeline has its databases, which stay when the stack goes', () => {
  const databases = resourcesOf(lake, 'AWS::Glue::Database');
  const found = databases.map(({ properties }) => [
    at(properties, 'DatabaseInput', 'Name'),
    at(properties, 'DatabaseInput', 'LocationUri'),
  ]);
  const expected = ['web_shop', 'plain'].flatMap((name) =>
    ['silver', 'gold', 'ops'].map((layer) => [`${name}_${layer}`, `s3://${bucketName(layer)}/${layer}/${name}/`]),
  );
  assert.deepEqual(found.sort(), expected.sort());
  assert.deepEqual([...new Set(databases.map(({ DeletionPolicy }) => DeletionPolicy))], ['RetainExceptOnCreate']);
});

test('the workgroup has its own place for results, encrypted, and a limit that nobody can lift', () => {
  const { properties } = resourceOf(lake, 'AWS::Athena::WorkGroup');
  assert.equal(properties['Name'], 'strata');
  const { EngineVersion, ...configuration } = at(properties, 'WorkGroupConfiguration') as Fields;
  assert.deepEqual(EngineVersion, { SelectedEngineVersion: 'Athena engine version 3' });
  assert.deepEqual(configuration, {
    EnforceWorkGroupConfiguration: true,
    PublishCloudWatchMetricsEnabled: true,
    BytesScannedCutoffPerQuery: 100_000_000_000,
    ResultConfiguration: {
      OutputLocation: `s3://${bucketName('ops')}/athena-results/`,
      EncryptionConfiguration: { EncryptionOption: 'SSE_S3' },
    },
  });
});

test('what holds data has the ids that it has always had, so that a deployed lake keeps it', async () => {
  const { lake: kms } = await deploy({ pipelines: [PLAIN], context: { kms: 'true' } });
  const types = ['AWS::S3::Bucket', 'AWS::KMS::Key', 'AWS::Glue::Database', 'AWS::Athena::WorkGroup'];
  assert.deepEqual(
    types.flatMap((type) => resourcesOf(kms, type).map(({ id }) => id)),
    [
      ...['Logs6819BB44', 'Bronze2BD6FD35', 'Silver060FFE09', 'Gold83B9B25C', 'OpsA097D252', 'AlertsKey9D05DB5E'],
      ...['Databaseplainsilver', 'Databaseplaingold', 'Databaseplainops', 'Queries'],
    ],
  );
});

test('outputs name what the commands look for', () => {
  const outputs = lake.findOutputs('*');
  assert.deepEqual(Object.keys(outputs).sort(), [
    'BronzeBucket',
    'DatabasePrefix',
    'GoldBucket',
    'OpsBucket',
    'SilverBucket',
    'Workgroup',
  ]);
  assert.deepEqual([outputs['Workgroup']?.['Value'], outputs['DatabasePrefix']?.['Value']], ['strata', 'none']);
});

test('a stack with data is protected, and needs no function of its own', () => {
  assert.equal(app.synth().getStackByName('strata-lake').terminationProtection, true);
  assert.deepEqual(resourcesOf(lake, 'AWS::Lambda::Function'), []);
  const keys = resourcesOf(lake, 'AWS::KMS::Key').map(({ properties }) => properties['Description']);
  assert.deepEqual(keys, ['Encrypts the alerts of the lake, and its data and logs where that is asked for']);
});
