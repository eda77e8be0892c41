import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  type IBucket,
  type LifecycleRule,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { DeploymentNames } from '../core/deployment-names.ts';
import { ZONES, type Zone } from '../core/objects.ts';
import { bucketName } from './lake.ts';

export type BucketsProps = {
  readonly names: DeploymentNames;
  readonly pipelines: readonly string[];
  readonly dataKey: IKey | undefined;
  /** Removes the buckets with all that is in them when the stack is removed. */
  readonly destroy: boolean;
};

/** Where Athena puts results, in the ops bucket; no key of the store begins so. */
export const ATHENA_RESULTS = 'athena-results/';

/** Table data is never expired by a rule: only versions that were replaced, and what runs leave behind. */
const RULES: Readonly<Record<Zone, (pipelines: readonly string[]) => readonly LifecycleRule[]>> = {
  bronze: () => [{ noncurrentVersionExpiration: Duration.days(90) }],
  silver: () => [{ noncurrentVersionExpiration: Duration.days(30) }],
  gold: () => [{ noncurrentVersionExpiration: Duration.days(30) }],
  ops: (pipelines) => [
    { noncurrentVersionExpiration: Duration.days(30) },
    { prefix: ATHENA_RESULTS, expiration: Duration.days(7) },
    ...pipelines.flatMap((pipeline) => [
      { prefix: `ops/${pipeline}/_runs/`, expiration: Duration.days(90) },
      { prefix: `ops/${pipeline}/_dry_runs/`, expiration: Duration.days(7) },
      { prefix: `ops/${pipeline}/_events/`, expiration: Duration.days(90) },
      { prefix: `ops/${pipeline}/_alerts/`, expiration: Duration.days(90) },
    ]),
  ],
};

/** The four buckets of a lake, and one for their access logs: encrypted, TLS only, private, versioned, kept. */
export function createBuckets(scope: Construct, props: BucketsProps): Readonly<Record<Zone, Bucket>> {
  const { names, pipelines, dataKey, destroy } = props;
  const kept = destroy
    ? { removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true }
    : { removalPolicy: RemovalPolicy.RETAIN };
  const common = {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    ...kept,
  };
  const logs = new Bucket(scope, 'Logs', {
    ...common,
    bucketName: bucketName(names, 'logs'),
    encryption: BucketEncryption.S3_MANAGED,
    lifecycleRules: [{ expiration: Duration.days(90) }],
  });
  const encryption =
    dataKey === undefined
      ? { encryption: BucketEncryption.S3_MANAGED }
      : { encryption: BucketEncryption.KMS, encryptionKey: dataKey, bucketKeyEnabled: true };
  const buckets = ZONES.map((zone) => {
    const bucket = new Bucket(scope, `${zone[0]?.toUpperCase()}${zone.slice(1)}`, {
      ...common,
      ...encryption,
      bucketName: bucketName(names, zone),
      versioned: true,
      // The CDK's own classes are not exact about optional properties.
      serverAccessLogsBucket: logs as IBucket,
      serverAccessLogsPrefix: `${zone}/`,
      lifecycleRules: [
        // A removed object leaves a marker, which listing would have to pass for ever.
        { abortIncompleteMultipartUploadAfter: Duration.days(7), expiredObjectDeleteMarker: true },
        ...RULES[zone](pipelines),
      ],
    });
    if (zone === 'bronze') reportUploads(bucket);
    return [zone, bucket] as const;
  });
  return Object.fromEntries(buckets) as Record<Zone, Bucket>;
}

/** Every upload becomes an event. The CDK's own way needs a function that CloudFormation does not. */
function reportUploads(bucket: Bucket): void {
  const resource = bucket.node.defaultChild as CfnBucket;
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
}
