import { ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Function as LambdaFunction } from 'aws-cdk-lib/aws-lambda';
import { type CfnTopic, type ITopic, Topic } from 'aws-cdk-lib/aws-sns';
import { EmailSubscription } from 'aws-cdk-lib/aws-sns-subscriptions';
import type { Construct, IConstruct } from 'constructs';
import { renderWebhook, type Webhook } from '../core/webhook.ts';
import type { Functions } from './functions.ts';
import { USE_KEY } from './keys.ts';
import type { LakePlaces } from './places.ts';
import { alarmsOf } from './principals.ts';

/** The topic that Notify and the alarms tell: encrypted by the lake's key of alerts, TLS only. */
export function createTopic(scope: Construct, lake: IConstruct & LakePlaces, pipeline: string): Topic {
  const topic = new Topic(scope, 'Alerts', { displayName: `Strata: ${pipeline}`, enforceSSL: true });
  (topic.node.defaultChild as CfnTopic).kmsMasterKeyId = lake.names.alertsKey;
  topic.node.addDependency(lake);
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
    new PolicyStatement({ principals: [alarmsOf(scope)], actions: [...USE_KEY], resources: ['*'] }),
  );
}

/** Notify, the starter, which hears of what ended otherwise, and what tells of runs that wait. They have one role. */
function tellersOf({ Notify, Starter, AwaitDecision }: Functions): readonly LambdaFunction[] {
  return [Notify, Starter, ...(AwaitDecision === undefined ? [] : [AwaitDecision])];
}

/** Lets those who tell of runs tell a topic, and lets people hear of it. */
export function connectTopic(topic: ITopic, functions: Functions, emails: readonly string[]): void {
  const { Notify } = functions;
  for (const teller of tellersOf(functions)) teller.addEnvironment('STRATA_TOPIC_ARN', topic.topicArn);
  Notify.addToRolePolicy(new PolicyStatement({ sid: 'Alert', actions: ['sns:Publish'], resources: [topic.topicArn] }));
  if (topic.masterKey !== undefined) {
    const resources = [topic.masterKey.keyArn];
    Notify.addToRolePolicy(new PolicyStatement({ sid: 'AlertsKey', actions: [...USE_KEY], resources }));
  }
  for (const email of emails) topic.addSubscription(new EmailSubscription(email));
}

/** Lets the same post to a webhook: they are told the name of the secret that has the URL, and may read that one. */
export function connectWebhook(scope: Construct, functions: Functions, webhook: Webhook): void {
  const { Notify } = functions;
  for (const teller of tellersOf(functions)) teller.addEnvironment('STRATA_WEBHOOK', renderWebhook(webhook));
  // Secrets Manager puts six characters of its own after a name.
  const resource = Stack.of(scope).formatArn({
    service: 'secretsmanager',
    resource: 'secret',
    resourceName: `${webhook.secret}-??????`,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  });
  Notify.addToRolePolicy(
    new PolicyStatement({ sid: 'Webhook', actions: ['secretsmanager:GetSecretValue'], resources: [resource] }),
  );
}
