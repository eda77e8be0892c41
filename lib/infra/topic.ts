import type { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';

const USE_KEY = ['kms:Decrypt', 'kms:GenerateDataKey'];
const ALARMS = 'cloudwatch.amazonaws.com';

/**
 * The topic that Notify and the alarms tell: encrypted, TLS only. It has a key of its own, since alarms may not use AWS's.
 */
export function createTopic(scope: Construct, pipeline: string, removalPolicy: RemovalPolicy): Topic {
  const masterKey = new Key(scope, 'AlertsKey', {
    description: `Encrypts the alerts of the pipeline ${pipeline}`,
    enableKeyRotation: true,
    removalPolicy,
  });
  masterKey.addToResourcePolicy(
    new PolicyStatement({
      sid: 'Alarms',
      principals: [new ServicePrincipal(ALARMS)],
      actions: USE_KEY,
      resources: ['*'],
    }),
  );
  const topic = new Topic(scope, 'Alerts', { displayName: `Strata: ${pipeline}`, masterKey, enforceSSL: true });
  topic.grantPublish(new ServicePrincipal(ALARMS));
  return topic;
}

/** Lets alarms tell a topic that was given, as far as its policies are this app's. */
export function openToAlarms(topic: ITopic): void {
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [new ServicePrincipal(ALARMS)],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
    }),
  );
  topic.masterKey?.addToResourcePolicy(
    new PolicyStatement({ principals: [new ServicePrincipal(ALARMS)], actions: USE_KEY, resources: ['*'] }),
  );
}

/** Lets Notify tell a topic, and people hear of it. */
export function connectTopic(topic: ITopic, notify: LambdaFunction, emails: readonly string[]): void {
  notify.addEnvironment('STRATA_TOPIC_ARN', topic.topicArn);
  notify.addToRolePolicy(new PolicyStatement({ sid: 'Alert', actions: ['sns:Publish'], resources: [topic.topicArn] }));
  if (topic.masterKey !== undefined) {
    const resources = [topic.masterKey.keyArn];
    notify.addToRolePolicy(new PolicyStatement({ sid: 'AlertsKey', actions: USE_KEY, resources }));
  }
  for (const email of emails) topic.addSubscription(new EmailSubscription(email));
}
