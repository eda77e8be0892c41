import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type BucketProps,
  type CfnBucket,
  type IBucket,
  type LifecycleRule,
  ObjectOwnership,
} from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import type { DeploymentNames } from '../core/deployment-names.ts';
import { ZONES, type Zone } from '../core/objects.ts';
import { KEPT } from './kept.ts';
import { type GivenBuckets, ownBucketName } from './places.ts';

/** How long things stay in buckets that the lake makes. Table data is never expired by a rule. */
export type BucketRules = {
  /** Versions that were replaced or removed; default: 90 days in bronze, 30 elsewhere. */
  readonly replaced?: { readonly [zone in Zone]?: Duration };
  /** Folders of runs, their events and their alerts; default: 90 days. */
  readonly runs?: Duration;
  /** Folders of dry runs, and results of Athena; default: 7 days. */
  readonly dryRuns?: Duration;
  /** Access logs; default: 90 days. */
  readonly accessLogs?: Duration;
};

export type BucketsProps = {
  readonly names: DeploymentNames;
  readonly given: GivenBuckets;
  readonly accessLogs: IBucket | undefined;
  readonly dataKey: IKey | undefined;
  readonly rules: BucketRules;
  /** Removes the buckets with all that is in them when the stack is removed. */
  readonly destroy: boolean;
};

/** Where Athena puts results, in the ops bucket; no key of the store begins so. */
export const ATHENA_RESULTS = 'athena-results/';

/** The four buckets of a lake, and one for their access logs: encrypted, TLS only, private, versioned, kept. */
export function createBuckets(scope: Construct, props: BucketsProps): Readonly<Record<Zone, IBucket>> {
  const { given, accessLogs } = props;
  const missing = ZONES.filter((zone) => given[zone] === undefined);
  const logs = accessLogs ?? (missing.length === 0 ? undefined : createLogs(scope, props));
  const buckets = ZONES.map((zone) => [zone, given[zone] ?? createBucket(scope, zone, logs, props)] as const);
  return Object.fromEntries(buckets) as Record<Zone, IBucket>;
}

/** What the runs of a pipeline leave behind goes after a while. A bucket that was given keeps its own rules. */
export function endRunFolders(ops: IBucket, pipeline: string, { runs, dryRuns }: BucketRules): void {
  if (!(ops instanceof Bucket)) return;
  const [after, afterDry] = [runs ?? Duration.days(90), dryRuns ?? Duration.days(7)];
  ops.addLifecycleRule({ prefix: `ops/${pipeline}/_runs/`, expiration: after });
  ops.addLifecycleRule({ prefix: `ops/${pipeline}/_dry_runs/`, expiration: afterDry });
  ops.addLifecycleRule({ prefix: `ops/${pipeline}/_events/`, expiration: after });
  ops.addLifecycleRule({ prefix: `ops/${pipeline}/_alerts/`, expiration: after });
}

function safe(destroy: boolean): BucketProps {
  return {
    blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
    enforceSSL: true,
    minimumTLSVersion: 1.2,
    objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
    ...(destroy ? { removalPolicy: RemovalPolicy.DESTROY, autoDeleteObjects: true } : { removalPolicy: KEPT }),
  };
}

function createLogs(scope: Construct, { names, rules, destroy }: BucketsProps): IBucket {
  return new Bucket(scope, 'Logs', {
    ...safe(destroy),
    bucketName: ownBucketName(names, 'logs'),
    encryption: BucketEncryption.S3_MANAGED,
    lifecycleRules: [{ expiration: rules.accessLogs ?? Duration.days(90) }],
  }) as IBucket; // The CDK's own classes are not exact about optional properties.
}

function createBucket(scope: Construct, zone: Zone, logs: IBucket | undefined, props: BucketsProps): IBucket {
  const { names, dataKey, rules, destroy } = props;
  const replaced = rules.replaced?.[zone] ?? Duration.days(zone === 'bronze' ? 90 : 30);
  const results: LifecycleRule = { prefix: ATHENA_RESULTS, expiration: rules.dryRuns ?? Duration.days(7) };
  const bucket = new Bucket(scope, `${zone[0]?.toUpperCase()}${zone.slice(1)}`, {
    ...safe(destroy),
    ...(dataKey === undefined
      ? { encryption: BucketEncryption.S3_MANAGED }
      : { encryption: BucketEncryption.KMS, encryptionKey: dataKey, bucketKeyEnabled: true }),
    bucketName: ownBucketName(names, zone),
    versioned: true,
    ...(logs === undefined ? {} : { serverAccessLogsBucket: logs, serverAccessLogsPrefix: `${zone}/` }),
    lifecycleRules: [
      // A removed object leaves a marker, which listing would have to pass for ever.
      { abortIncompleteMultipartUploadAfter: Duration.days(7), expiredObjectDeleteMarker: true },
      { noncurrentVersionExpiration: replaced },
      ...(zone === 'ops' ? [results] : []),
    ],
  });
  if (zone === 'bronze') reportUploads(bucket);
  return bucket as IBucket;
}

/** Every upload becomes an event. The CDK's own way needs a function that CloudFormation does not. */
function reportUploads(bucket: Bucket): void {
  const resource = bucket.node.defaultChild as CfnBucket;
  resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
}
