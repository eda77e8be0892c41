import { randomUUID } from 'node:crypto';
import { AthenaClient, CreateWorkGroupCommand } from '@aws-sdk/client-athena';
import { CreateDatabaseCommand, CreateTableCommand, GlueClient } from '@aws-sdk/client-glue';
import { CreateStateMachineCommand, SFNClient } from '@aws-sdk/client-sfn';
import { SetTopicAttributesCommand, SNSClient } from '@aws-sdk/client-sns';
import { callJson, callRest, clientSettings } from './moto-api.ts';

type Properties = Readonly<Record<string, unknown>>;

/** Makes one resource from its properties, which are worked out, and answers what `Ref` gives. */
type Make = (endpoint: string, properties: Properties) => Promise<string>;

const CLOUDWATCH = 'GraniteServiceVersion20100801';

/**
 * Types that moto's CloudFormation does not make, or not as AWS does, by the calls that CloudFormation itself would make.
 * Their properties go through as they are.
 */
export const BY_API: Readonly<Record<string, Make>> = {
  'AWS::Glue::Database': async (endpoint, { DatabaseInput }) => {
    const input = DatabaseInput as { Name: string };
    await new GlueClient(clientSettings(endpoint)).send(new CreateDatabaseCommand({ DatabaseInput: input }));
    return input.Name;
  },
  'AWS::Glue::Table': async (endpoint, { DatabaseName, TableInput }) => {
    const input = TableInput as { Name: string };
    const command = new CreateTableCommand({ DatabaseName: String(DatabaseName), TableInput: input });
    await new GlueClient(clientSettings(endpoint)).send(command);
    return input.Name;
  },
  'AWS::Athena::WorkGroup': async (endpoint, { Name, Description, WorkGroupConfiguration }) => {
    const command = new CreateWorkGroupCommand({
      Name: String(Name),
      Description: String(Description),
      Configuration: WorkGroupConfiguration as object,
    });
    await new AthenaClient(clientSettings(endpoint)).send(command);
    return String(Name);
  },
  'AWS::CloudWatch::Alarm': async (endpoint, properties) => {
    await callJson(endpoint, 'monitoring', `${CLOUDWATCH}.PutMetricAlarm`, properties);
    return String(properties['AlarmName']);
  },
  'AWS::CloudWatch::Dashboard': async (endpoint, { DashboardName, DashboardBody }) => {
    // Moto answers what it cannot read with an error, as CloudWatch does.
    await callJson(endpoint, 'monitoring', `${CLOUDWATCH}.PutDashboard`, { DashboardName, DashboardBody });
    return String(DashboardName);
  },
  'AWS::KMS::Alias': async (endpoint, { AliasName, TargetKeyId }) => {
    const key = { AliasName, TargetKeyId: String(TargetKeyId).split('/').at(-1) };
    await callJson(endpoint, 'kms', 'TrentService.CreateAlias', key);
    return String(AliasName);
  },
  'AWS::Lambda::Permission': async (endpoint, { FunctionName, ...rest }) => {
    const name = String(FunctionName).split(':').at(-1);
    const statement = { StatementId: 'rule', ...rest };
    await callRest(endpoint, 'lambda', 'POST', `/2015-03-31/functions/${name}/policy`, statement);
    return 'rule';
  },
  'AWS::Lambda::Version': async (endpoint, { FunctionName }) => {
    const name = String(FunctionName).split(':').at(-1);
    const made = await callRest(endpoint, 'lambda', 'POST', `/2015-03-31/functions/${name}/versions`, {});
    return String((made as { readonly FunctionArn: string }).FunctionArn);
  },
  'AWS::SQS::QueuePolicy': async (endpoint, { Queues, PolicyDocument }) => {
    for (const QueueUrl of Queues as readonly string[]) {
      const Attributes = { Policy: JSON.stringify(PolicyDocument) };
      await callJson(endpoint, 'sqs', 'AmazonSQS.SetQueueAttributes', { QueueUrl, Attributes });
    }
    return 'queue-policy';
  },
  'AWS::SNS::TopicPolicy': async (endpoint, { Topics, PolicyDocument }) => {
    const client = new SNSClient(clientSettings(endpoint));
    const AttributeValue = JSON.stringify(PolicyDocument);
    for (const TopicArn of Topics as readonly string[]) {
      await client.send(new SetTopicAttributesCommand({ TopicArn, AttributeName: 'Policy', AttributeValue }));
    }
    return 'topic-policy';
  },
  'AWS::SSM::Parameter': async (endpoint, { Name, Type, Value }) => {
    await callJson(endpoint, 'ssm', 'AmazonSSM.PutParameter', { Name, Type, Value });
    return String(Name);
  },
  'AWS::Scheduler::Schedule': async (endpoint, { Name, ...rest }) => {
    // CloudFormation makes a name of its own for one without.
    const name = Name === undefined ? `made-${randomUUID()}` : String(Name);
    await callRest(endpoint, 'scheduler', 'POST', `/schedules/${name}`, rest);
    return name;
  },
  'AWS::StepFunctions::StateMachine': async (endpoint, properties) => {
    const substitutions = properties['DefinitionSubstitutions'] as Readonly<Record<string, string>>;
    const command = new CreateStateMachineCommand({
      name: String(properties['StateMachineName']),
      roleArn: String(properties['RoleArn']),
      type: 'STANDARD',
      definition: substituted(String(properties['DefinitionString']), substitutions),
    });
    const { stateMachineArn } = await new SFNClient(clientSettings(endpoint)).send(command);
    return String(stateMachineArn);
  },
};

/** Puts values in the place of `${name}`. Throws an Error for a name without a value, which AWS would leave as it is. */
export function substituted(text: string, values: Readonly<Record<string, string>>): string {
  return text.replaceAll(/\$\{(\w+)\}/g, (whole, name: string) => {
    const value = values[name];
    if (value === undefined) throw new Error(`the definition has ${whole}, and no substitution for it`);
    return value;
  });
}
