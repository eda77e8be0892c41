import type { RemovalPolicy } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { Key } from 'aws-cdk-lib/aws-kms';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct } from 'constructs';
import { alarmsOf } from './principals.ts';

const USE_KEY = ['kms:Decrypt', 'kms:GenerateDataKey'];

/**
 * The topic that Notify and the alarms tell: encrypted, TLS only. It has a key of its own, since alarms may not use AWS's.
 */
export function createTopic(scope: Construct, pipeline: string, removalPolicy: RemovalPolicy): Topic {
  const masterKey = new Key(scope, 'AlertsKey', {
    description: `Encrypts the alerts of the pipeline ${pipeline}`,
    enableKeyRotation: true,
    removalPolicy,
  });
  const topic = new Topic(scope, 'Alerts', { displayName: `Strata: ${pipeline}`, masterKey, enforceSSL: true });
  openToAlarms(scope, topic);
  return topic;
}

/** Lets alarms tell a topic, as far as its policies are this app's. */
export function openToAlarms(scope: Construct, topic: ITopic): void {
  topic.addToResourcePolicy(
    new PolicyStatement({
      principals: [alarmsOf(scope)],
      actions: ['sns:Publish'],
      resources: [topic.topicArn],
    }),
  );
  topic.masterKey?.addToResourcePolicy(
    new PolicyStatement({ principals: [alarmsOf(scope)], actions: USE_KEY, resources: ['*'] }),
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
