import { RemovalPolicy, Stack } from 'aws-cdk-lib';
import { AnyPrincipal, PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { CfnLogGroup, LogGroup } from 'aws-cdk-lib/aws-logs';
import { StringParameter } from 'aws-cdk-lib/aws-ssm';
import type { Construct } from 'constructs';
import type { DeploymentNames } from '../core/deployment-names.ts';
import { KEPT } from './kept.ts';
import { USE_KEY } from './keys.ts';
import type { LakePlaces } from './places.ts';
import { alarmsOf } from './principals.ts';

/**
 * The one key of a lake: of its alerts, and where it is asked for of its data and its logs. Other stacks find it by its alias, or by the
 * parameter that has its ARN, so that no stack holds another by its exports. It is there and kept in any case, since what
 * was once encrypted with it stays so. Alarms may not use AWS's own keys; who else may tell a topic may use this one by way of it.
 */
export function createLakeKey(scope: Construct, names: DeploymentNames, destroy: boolean): Key {
  const key = new Key(scope, 'AlertsKey', {
    description: 'Encrypts the alerts of the lake, and its data and logs where that is asked for',
    enableKeyRotation: true,
    alias: names.alertsKey,
    removalPolicy: destroy ? RemovalPolicy.DESTROY : KEPT,
  });
  const { account, region } = Stack.of(scope);
  const allow = (statement: PolicyStatement): void => void key.addToResourcePolicy(statement);
  allow(new PolicyStatement({ principals: [alarmsOf(scope)], actions: [...USE_KEY], resources: ['*'] }));
  allow(
    new PolicyStatement({
      principals: [new AnyPrincipal()],
      actions: [...USE_KEY],
      resources: ['*'],
      conditions: { StringEquals: { 'kms:CallerAccount': account, 'kms:ViaService': `sns.${region}.amazonaws.com` } },
    }),
  );
  allow(logsOf(scope));
  new StringParameter(scope, 'KeyParameter', {
    parameterName: names.keyParameter,
    description: 'The key of the lake',
    stringValue: key.keyArn,
  });
  return key;
}

/** Source: docs.aws.amazon.com/AmazonCloudWatch/latest/logs/encrypt-log-data-kms.html */
function logsOf(scope: Construct): PolicyStatement {
  const { account, region, partition } = Stack.of(scope);
  return new PolicyStatement({
    principals: [new ServicePrincipal(`logs.${region}.amazonaws.com`)],
    actions: ['kms:Encrypt', 'kms:Decrypt', 'kms:ReEncrypt*', 'kms:GenerateDataKey*', 'kms:DescribeKey'],
    resources: ['*'],
    conditions: {
      ArnLike: { 'kms:EncryptionContext:aws:logs:arn': `arn:${partition}:logs:${region}:${account}:log-group:*` },
    },
  });
}

/** Encrypts a log group with the lake's key, where that encrypts its data. */
export function encryptLogs(group: LogGroup, { ownKey, names }: LakePlaces): void {
  if (ownKey === undefined) return;
  const isOfThisStack = Stack.of(ownKey) === Stack.of(group);
  (group.node.defaultChild as CfnLogGroup).kmsKeyId = isOfThisStack
    ? ownKey.keyArn
    : `{{resolve:ssm:${names.keyParameter}}}`;
}
