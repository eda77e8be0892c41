import type { AwsCall } from './aws-call.ts';
import { refusedResources, type Statement } from './policy.ts';
import type { MadeStack } from './provision.ts';
import { resolve, resourcesOf } from './template.ts';

/** Who calls by which protocol, as policies see it. Source: https://docs.aws.amazon.com/AmazonS3/latest/userguide/amazon-s3-policy-keys.html */
const BY = {
  'TLS 1.3': { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' },
  'TLS 1.2': { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.2' },
  'TLS 1.1': { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.1' },
  'plain HTTP': { 'aws:SecureTransport': 'false' },
} as const;
const LET_PASS: ReadonlySet<string> = new Set(['TLS 1.3', 'TLS 1.2']);

/** What roles grant is looked at elsewhere: here everything is, so that only what a bucket denies is refused. */
const GRANTED: Statement = { Effect: 'Allow', Action: '*', Resource: '*' };

/** What the buckets of a stack say to whoever calls; statements about services of AWS are not about functions. */
function bucketStatements({ template, world }: MadeStack): readonly Statement[] {
  type Said = Statement & { readonly Principal?: { readonly AWS?: string } };
  return resourcesOf(template, 'AWS::S3::BucketPolicy')
    .flatMap(([, { PolicyDocument }]) => (resolve(PolicyDocument, world) as { Statement: Said[] }).Statement)
    .filter(({ Principal }) => Principal?.AWS === '*');
}

/** Of the calls of S3 those that the policies of the buckets treat otherwise than they should: by TLS each passes, otherwise none. */
export function misjudgedCalls(
  lake: MadeStack,
  calls: readonly Pick<AwsCall, 'action' | 'resources' | 'context'>[],
): { readonly looked: number; readonly problems: readonly string[] } {
  const statements = [GRANTED, ...bucketStatements(lake)];
  const asked = calls.filter(({ action }) => action.startsWith('s3:'));
  const problems = asked.flatMap((call) =>
    Object.entries(BY).flatMap(([protocol, context]) => {
      const passes = refusedResources(statements, { ...call, context: { ...call.context, ...context } }).length === 0;
      if (passes === LET_PASS.has(protocol)) return [];
      return [`${call.action} on ${call.resources.join(', ')} by ${protocol} ${passes ? 'passes' : 'is denied'}`];
    }),
  );
  return { looked: asked.length, problems: [...new Set(problems)] };
}
