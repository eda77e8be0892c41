import type { Node } from 'constructs';

/** The CDK's better defaults, which it keeps behind flags for the sake of older apps. */
const FLAGS = [
  '@aws-cdk/aws-iam:minimizePolicies',
  '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy',
  // A version of a function is new where its code, its layers or its settings are, and nowhere else.
  '@aws-cdk/aws-lambda:recognizeVersionProps',
  '@aws-cdk/aws-lambda:recognizeLayerVersion',
];

/** Sets them below a construct that has no children yet, whatever its app says: access logs, for one, need the second. */
export function setFlags(node: Node): void {
  for (const flag of FLAGS) node.setContext(flag, true);
}
