import { Arn, Aws, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import { ZONES } from '../core/objects.ts';
import { bucketArn, type LakePlaces } from './places.ts';

export const USE_KEY = ['kms:Decrypt', 'kms:GenerateDataKey'] as const;

/**
 * Whoever reads or writes objects uses the keys that those are encrypted with, whichever they were when they were written: by way of S3
 * alone, which says for which bucket. So a lake gets a key, and lets go of it, without a word about it in another stack.
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/UsingKMSEncryption.html, "Encryption context"
 */
export function keysOfObjects(
  scope: IConstruct,
  lake: LakePlaces,
  actions: readonly string[] = USE_KEY,
): PolicyStatement {
  const buckets = ZONES.map((zone) => bucketArn(lake, zone));
  return new PolicyStatement({
    actions: [...actions],
    resources: [Arn.format({ service: 'kms', resource: 'key', resourceName: '*' }, Stack.of(scope))],
    conditions: {
      StringEquals: { 'kms:ViaService': `s3.${Aws.REGION}.amazonaws.com` },
      // The bucket, where it has a key of its own for a while; else the object.
      StringLike: { 'kms:EncryptionContext:aws:s3:arn': buckets.map((arn) => `${arn}*`) },
    },
  });
}

/** Keys that were given, of another account maybe, by their names. */
export function givenKeys({ keys }: LakePlaces): readonly PolicyStatement[] {
  if (keys.length === 0) return [];
  return [new PolicyStatement({ sid: 'Key', actions: [...USE_KEY], resources: keys.map(({ keyArn }) => keyArn) })];
}
