import { type AthenaClient, CreateWorkGroupCommand } from '@aws-sdk/client-athena';
import { type CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CreateDatabaseCommand, CreateTableCommand, type GlueClient } from '@aws-sdk/client-glue';
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { callJson, type Moto } from './moto-calls.ts';
import { type Known, type Resource, replaceReferences, resolve, type Template } from './templates.ts';

/** Types that moto 5.2.5 makes from a template. */
const BY_CLOUDFORMATION = new Set([
  'AWS::S3::Bucket',
  'AWS::SNS::Topic',
  'AWS::SQS::Queue',
  'AWS::IAM::Role',
  'AWS::IAM::Policy',
  'AWS::Lambda::Function',
  'AWS::Lambda::EventSourceMapping',
  'AWS::Lambda::Permission',
  'AWS::Logs::LogGroup',
  'AWS::Events::Rule',
  'AWS::StepFunctions::StateMachine',
]);

/** Types that a run never asks for: moto cannot make them, and cfn-lint and the unit tests look at them. */
const NOT_NEEDED = new Set([
  'AWS::S3::BucketPolicy',
  'AWS::SQS::QueuePolicy',
  'AWS::SNS::TopicPolicy',
  'AWS::CloudWatch::Alarm',
  'AWS::CloudWatch::Dashboard',
  'AWS::Scheduler::Schedule',
  'AWS::CDK::Metadata',
]);

export type Clients = {
  readonly cloudFormation: CloudFormationClient;
  readonly s3: S3Client;
  readonly glue: GlueClient;
  readonly athena: AthenaClient;
};

const TEMPLATES = 'rehearsal-templates';

/** How many resources of each type were made in which way. */
export type Provisioned = {
  readonly outputs: Readonly<Record<string, string>>;
  readonly made: readonly string[];
};

/** Creates a stack: what moto makes of a template by CloudFormation, the rest by API. Throws for a type nobody thought of. */
export async function createStack(
  moto: Moto,
  clients: Clients,
  name: string,
  template: Template,
): Promise<Provisioned> {
  const resources = Object.entries(template.Resources);
  const known = new Map<string, string>();
  const byApi: string[] = [];
  for (const [id, resource] of resources) {
    if (BY_CLOUDFORMATION.has(resource.Type) || NOT_NEEDED.has(resource.Type)) continue;
    await createByApi(moto, clients, id, resource, known);
    byApi.push(resource.Type);
  }
  const kept = resources
    .filter(([, { Type }]) => BY_CLOUDFORMATION.has(Type))
    .map(([id, resource]) => [id, substituted(moto, template, resource)] as const);
  await placeCode(clients.s3, moto, kept);
  const outputs = await createByCloudFormation(clients, name, template, kept, known);
  const skipped = resources.map(([, { Type }]) => Type).filter((type) => NOT_NEEDED.has(type));
  return {
    outputs,
    made: [
      `by CloudFormation: ${counted(kept.map(([, { Type }]) => Type))}`,
      `by API: ${counted(byApi)}`,
      `not made, since no run asks for them: ${counted(skipped)}`,
    ],
  };
}

/** moto 5.2.5 leaves a state machine's DefinitionSubstitutions out: they are made before it sees the definition. */
function substituted(moto: Moto, template: Template, resource: Resource): Resource {
  if (resource.Type !== 'AWS::StepFunctions::StateMachine') return resource;
  const { DefinitionString, DefinitionSubstitutions, ...others } = resource.Properties ?? {};
  const values = resolve(DefinitionSubstitutions, moto, functionArns(moto, template)) as Readonly<
    Record<string, string>
  >;
  const definition = String(DefinitionString).replaceAll(
    /\$\{(\w+)\}/g,
    (whole, name: string) => values[name] ?? whole,
  );
  return { ...resource, Properties: { ...others, DefinitionString: definition } };
}

function functionArns({ region, account }: Moto, { Resources }: Template): Known {
  const functions = Object.entries(Resources).filter(([, { Type }]) => Type === 'AWS::Lambda::Function');
  return new Map(
    functions.map(([id, { Properties }]) => [
      `${id}.Arn`,
      `arn:aws:lambda:${region}:${account}:function:${String(Properties?.['FunctionName'])}`,
    ]),
  );
}

/** Makes the bucket that templates are uploaded to, since they are too long for a request. */
export async function prepare(moto: Moto, { s3 }: Clients): Promise<void> {
  for (const Bucket of [TEMPLATES, assetsBucket(moto)]) await createBucket(s3, moto, Bucket);
}

async function createBucket(s3: S3Client, { region }: Moto, Bucket: string): Promise<void> {
  const CreateBucketConfiguration = { LocationConstraint: region as 'eu-central-1' };
  await s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
}

function assetsBucket({ account, region }: Moto): string {
  return `cdk-hnb659fds-assets-${account}-${region}`;
}

/** moto wants an archive for each function; the rehearsal runs the bundles themselves. */
async function placeCode(s3: S3Client, moto: Moto, resources: readonly (readonly [string, Resource])[]): Promise<void> {
  const emptyZip = Buffer.from('UEsFBgAAAAAAAAAAAAAAAAAAAAAAAA==', 'base64');
  for (const [, { Type, Properties }] of resources) {
    if (Type !== 'AWS::Lambda::Function') continue;
    const { S3Key } = (Properties?.['Code'] ?? {}) as { readonly S3Key?: string };
    await s3.send(new PutObjectCommand({ Bucket: assetsBucket(moto), Key: S3Key, Body: emptyZip }));
  }
}

async function createByCloudFormation(
  { cloudFormation, s3 }: Clients,
  StackName: string,
  template: Template,
  kept: readonly (readonly [string, Resource])[],
  known: Known,
): Promise<Readonly<Record<string, string>>> {
  const ids = new Set(kept.map(([id]) => id));
  const Resources = Object.fromEntries(
    kept.map(([id, resource]) => {
      const dependencies = [resource.DependsOn ?? []].flat().filter((other) => ids.has(other));
      return [id, { ...replaceReferences(resource, known), DependsOn: dependencies }];
    }),
  );
  const body = JSON.stringify({ Resources, Outputs: replaceReferences(template.Outputs ?? {}, known) });
  await s3.send(new PutObjectCommand({ Bucket: TEMPLATES, Key: StackName, Body: body }));
  const TemplateURL = `https://s3.amazonaws.com/${TEMPLATES}/${StackName}`;
  await cloudFormation.send(new CreateStackCommand({ StackName, TemplateURL, Capabilities: ['CAPABILITY_IAM'] }));
  const { Stacks } = await cloudFormation.send(new DescribeStacksCommand({ StackName }));
  const [stack] = Stacks ?? [];
  if (stack?.StackStatus !== 'CREATE_COMPLETE') throw new Error(`stack ${StackName} is ${stack?.StackStatus}`);
  return Object.fromEntries(
    (stack.Outputs ?? []).map(({ OutputKey, OutputValue }) => [OutputKey ?? '', OutputValue ?? '']),
  );
}

async function createByApi(
  moto: Moto,
  { glue, athena }: Clients,
  id: string,
  { Type, Properties }: Resource,
  known: Map<string, string>,
): Promise<void> {
  const properties = (): Record<string, never> => resolve(Properties ?? {}, moto, known) as Record<string, never>;
  switch (Type) {
    case 'AWS::KMS::Key': {
      const answer = await callJson<{ KeyMetadata: { Arn: string } }>(moto, 'kms', 'TrentService.CreateKey', {});
      known.set(`${id}.Arn`, answer.KeyMetadata.Arn);
      return;
    }
    case 'AWS::Glue::Database': {
      const { name, description, locationUri } = upperless(properties()['DatabaseInput']);
      const DatabaseInput = { Name: String(name), Description: String(description), LocationUri: String(locationUri) };
      await glue.send(new CreateDatabaseCommand({ DatabaseInput }));
      return;
    }
    case 'AWS::Glue::Table': {
      const { DatabaseName, TableInput } = properties();
      await glue.send(new CreateTableCommand({ DatabaseName, TableInput }));
      return;
    }
    case 'AWS::Athena::WorkGroup': {
      const { Name, Description, WorkGroupConfiguration } = properties();
      await athena.send(new CreateWorkGroupCommand({ Name, Description, Configuration: WorkGroupConfiguration }));
      return;
    }
    default:
      throw new Error(
        `the template has ${id} of type ${Type}, which the rehearsal cannot create; teach it in provision.ts`,
      );
  }
}

function upperless(value: unknown): Readonly<Record<string, unknown>> {
  const entries = Object.entries(value as object).map(([name, field]) => [
    `${name[0]?.toLowerCase()}${name.slice(1)}`,
    field,
  ]);
  return Object.fromEntries(entries);
}

function counted(types: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const type of types) counts.set(type, (counts.get(type) ?? 0) + 1);
  return [...counts].map(([type, count]) => `${count} ${type}`).join(', ') || 'nothing';
}
