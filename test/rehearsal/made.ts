import { ACCOUNT, REGION } from './moto-api.ts';
import type { Template, World } from './template.ts';

/** Who made a resource: moto's CloudFormation from the template, a call of its API, or nobody. */
export type Maker = 'cloudformation' | 'api' | 'harness' | 'none';

const arn = (service: string, rest: string): string => `arn:aws:${service}:${REGION}:${ACCOUNT}:${rest}`;
const lastPart = (id: string): string => id.split(/[/:]/).at(-1) ?? id;

/** `Fn::GetAtt` by type and attribute, out of what `Ref` gives. */
const ATTRIBUTES: Readonly<Record<string, (id: string) => string>> = {
  'AWS::S3::Bucket.Arn': (id) => `arn:aws:s3:::${id}`,
  'AWS::IAM::Role.Arn': (id) => `arn:aws:iam::${ACCOUNT}:role/${id}`,
  'AWS::Lambda::Function.Arn': (id) => arn('lambda', `function:${id}`),
  'AWS::Logs::LogGroup.Arn': (id) => arn('logs', `log-group:${id}:*`),
  'AWS::KMS::Key.Arn': (id) => arn('kms', `key/${lastPart(id)}`),
  'AWS::SNS::Topic.TopicName': lastPart,
  'AWS::SQS::Queue.Arn': (id) => arn('sqs', lastPart(id)),
  'AWS::SQS::Queue.QueueName': lastPart,
  'AWS::Events::Rule.Arn': (id) => arn('events', `rule/${lastPart(id)}`),
  'AWS::CloudWatch::Alarm.Arn': (id) => arn('cloudwatch', `alarm:${id}`),
  'AWS::StepFunctions::StateMachine.Arn': (id) => id,
};

const PSEUDO: Readonly<Record<string, string>> = {
  'AWS::AccountId': ACCOUNT,
  'AWS::Region': REGION,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
};

/** The world of a stack: pseudo parameters, and what has been made of its resources so far, by logical id. */
export function worldOf(stack: string, template: Template, made: ReadonlyMap<string, string>): World {
  return {
    ref: (id) => (id === 'AWS::StackName' ? stack : (PSEUDO[id] ?? made.get(id))),
    attribute(id, name) {
      const physical = made.get(id);
      const type = template.Resources[id]?.Type;
      return physical === undefined ? undefined : ATTRIBUTES[`${type}.${name}`]?.(physical);
    },
  };
}
