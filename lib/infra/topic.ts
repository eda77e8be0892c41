import { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';

/**
 * The topic that Notify and the alarms tell: encrypted, TLS only. It has a key of its own, since alarms may not use AWS's.
 */
export function createTopic(
  scope: Construct,
  pipeline: string,
  emails: readonly string[],
  notify: LambdaFunction,
): Topic {
  const masterKey = new Key(scope, 'AlertsKey', {
    description: `Encrypts the alerts of the pipeline ${pipeline}`,
    enableKeyRotation: true,
    removalPolicy: RemovalPolicy.DESTROY,
  });
  masterKey.addToResourcePolicy(
    new PolicyStatement({
      sid: 'Alarms',
      principals: [new ServicePrincipal('cloudwatch.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey'],
      resources: ['*'],
    }),
  );
  const topic = new Topic(scope, 'Alerts', { displayName: `Strata: ${pipeline}`, masterKey, enforceSSL: true });
  topic.grantPublish(new ServicePrincipal('cloudwatch.amazonaws.com'));
  notify.addEnvironment('STRATA_TOPIC_ARN', topic.topicArn);
  notify.addToRolePolicy(new PolicyStatement({ sid: 'Alert', actions: ['sns:Publish'], resources: [topic.topicArn] }));
  const actions = ['kms:Decrypt', 'kms:GenerateDataKey'];
  notify.addToRolePolicy(new PolicyStatement({ sid: 'AlertsKey', actions, resources: [masterKey.keyArn] }));
  for (const email of emails) topic.addSubscription(new EmailSubscription(email));
  return topic;
}
