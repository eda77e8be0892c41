import {
  CloudFormationClient,
  CreateStackCommand,
  DescribeStackResourcesCommand,
} from '@aws-sdk/client-cloudformation';
import {
  CreateBucketCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  S3Client,
  type VersioningConfiguration,
} from '@aws-sdk/client-s3';
import { BY_API } from './by-api.ts';
import { type Maker, worldOf } from './made.ts';
import { clientSettings, REGION } from './moto-api.ts';
import { type Resource, resolve, resolveText, resourcesOf, type Template, type World } from './template.ts';

/** A stack as it was made, with how each type of resource came to be. */
export type MadeStack = {
  readonly name: string;
  readonly template: Template;
  readonly world: World;
  /** `AWS::S3::Bucket` -> how, and how many. */
  readonly makers: ReadonlyMap<string, { readonly maker: Maker; readonly count: number }>;
};

/** Types that moto's CloudFormation makes. */
const BY_CLOUDFORMATION: ReadonlySet<string> = new Set([
  'AWS::Events::Rule',
  'AWS::IAM::ManagedPolicy',
  'AWS::IAM::Policy',
  'AWS::IAM::Role',
  'AWS::KMS::Key',
  'AWS::Lambda::Function',
  'AWS::Lambda::LayerVersion',
  'AWS::Logs::LogGroup',
  'AWS::S3::Bucket',
  'AWS::SNS::Topic',
  'AWS::SQS::Queue',
]);

/** Types that the harness is itself: it polls the queue and calls the function. */
const BY_HARNESS: ReadonlySet<string> = new Set(['AWS::Lambda::EventSourceMapping']);
/**
 * Types that are left out: one stands for nothing in an account, one refuses callers without TLS, as moto's are, so that calls are held
 * against it as they would be by TLS (bucket-policies.ts), and one says what becomes of asynchronous calls that fail, of which there are none here.
 */
const NOTHING: ReadonlySet<string> = new Set([
  'AWS::CDK::Metadata',
  'AWS::Lambda::EventInvokeConfig',
  'AWS::S3::BucketPolicy',
]);

/** Bytes of template that CloudFormation takes in a call; a larger one lies in a bucket. */
const BODY_LIMIT = 51_200;
const TEMPLATES = 'rehearsal-templates';

/** Throws an Error that names every type that nobody here knows how to make, so that none is dropped in silence. */
export function makerOf(type: string): Maker {
  if (BY_CLOUDFORMATION.has(type)) return 'cloudformation';
  if (BY_API[type] !== undefined) return 'api';
  if (BY_HARNESS.has(type)) return 'harness';
  if (NOTHING.has(type)) return 'none';
  throw new Error(
    `the template has a ${type}, which neither moto nor the rehearsal makes: teach test/rehearsal/by-api.ts`,
  );
}

/** Makes a stack's resources in moto: those that its CloudFormation makes first, then the others by their APIs. */
export async function makeStack(endpoint: string, name: string, template: Template): Promise<MadeStack> {
  const makers = countMakers(template);
  const made = new Map<string, string>();
  const world = worldOf(name, template, made);
  await uploadCode(endpoint, template, world);
  const body = JSON.stringify(templateFor(template));
  const client = new CloudFormationClient(clientSettings(endpoint));
  await client.send(new CreateStackCommand({ StackName: name, ...(await placeTemplate(endpoint, name, body)) }));
  const { StackResources = [] } = await client.send(new DescribeStackResourcesCommand({ StackName: name }));
  for (const { LogicalResourceId, PhysicalResourceId } of StackResources) {
    if (LogicalResourceId !== undefined && PhysicalResourceId !== undefined)
      made.set(LogicalResourceId, PhysicalResourceId);
  }
  // Moto makes layers, and does not say what they are called; nothing but their functions, which it makes itself, has to know.
  for (const [id] of resourcesOf(template, 'AWS::Lambda::LayerVersion')) if (!made.has(id)) made.set(id, id);
  const missing = Object.entries(template.Resources).filter(
    ([id, { Type }]) => makerOf(Type) === 'cloudformation' && !made.has(id),
  );
  if (missing.length > 0) throw new Error(`moto did not make ${missing.map(([id]) => id).join(', ')} of ${name}`);
  await switchVersioningOn(endpoint, template, world);
  for (const [id, { Type, Properties }] of Object.entries(template.Resources)) {
    const make = makerOf(Type) === 'api' ? BY_API[Type] : undefined;
    if (make === undefined) continue;
    made.set(id, await make(endpoint, resolve(Properties ?? {}, world) as Record<string, unknown>));
  }
  return { name, template, world, makers };
}

/** Moto's CloudFormation leaves a bucket's versioning out. */
async function switchVersioningOn(endpoint: string, template: Template, world: World): Promise<void> {
  const client = new S3Client({ ...clientSettings(endpoint), forcePathStyle: true });
  for (const [id, { VersioningConfiguration }] of resourcesOf(template, 'AWS::S3::Bucket')) {
    if (VersioningConfiguration === undefined) continue;
    const wanted = VersioningConfiguration as VersioningConfiguration;
    await client.send(new PutBucketVersioningCommand({ Bucket: world.ref(id), VersioningConfiguration: wanted }));
  }
}

function countMakers(template: Template): MadeStack['makers'] {
  const counts = new Map<string, { maker: Maker; count: number }>();
  for (const { Type } of Object.values(template.Resources)) {
    const known = counts.get(Type);
    counts.set(Type, { maker: known?.maker ?? makerOf(Type), count: (known?.count ?? 0) + 1 });
  }
  return counts;
}

/** Fields that moto 5.2.5 trips over: it takes a key's tags for those of the KMS API, which are spelt otherwise. */
const LEFT_OUT: Readonly<Record<string, readonly string[]>> = { 'AWS::KMS::Key': ['Tags'] };

function propertiesFor({ Type, Properties = {} }: Resource): Readonly<Record<string, unknown>> {
  const kept = Object.entries(Properties).filter(([name]) => !LEFT_OUT[Type]?.includes(name));
  return Object.fromEntries(kept);
}

/** The template with nothing but what moto's CloudFormation is to make. */
function templateFor(template: Template): { Resources: Record<string, Resource> } {
  const kept = Object.entries(template.Resources).filter(([, { Type }]) => makerOf(Type) === 'cloudformation');
  return {
    Resources: Object.fromEntries(
      kept.map(([id, resource]) => {
        const before = [resource.DependsOn ?? []].flat().filter((other) => kept.some(([one]) => one === other));
        return [
          id,
          {
            Type: resource.Type,
            Properties: propertiesFor(resource),
            ...(before.length === 0 ? {} : { DependsOn: before }),
          },
        ];
      }),
    ),
  };
}

async function placeTemplate(
  endpoint: string,
  stack: string,
  body: string,
): Promise<{ TemplateBody: string } | { TemplateURL: string }> {
  if (Buffer.byteLength(body) <= BODY_LIMIT) return { TemplateBody: body };
  const Key = `${stack}.json`;
  const client = await withBucket(endpoint, TEMPLATES);
  await client.send(new PutObjectCommand({ Bucket: TEMPLATES, Key, Body: body }));
  return { TemplateURL: `https://${TEMPLATES}.s3.${REGION}.amazonaws.com/${Key}` };
}

/** An archive without files: the code itself is run from its folder, and moto only looks whether something is there. */
const EMPTY_ZIP = Buffer.concat([Buffer.from('PK\x05\x06', 'latin1'), Buffer.alloc(18)]);

/** As `cdk deploy` does before it makes a stack. */
async function uploadCode(endpoint: string, template: Template, world: World): Promise<void> {
  const codes = [
    ...resourcesOf(template, 'AWS::Lambda::Function').map(([, properties]) => properties['Code']),
    ...resourcesOf(template, 'AWS::Lambda::LayerVersion').map(([, properties]) => properties['Content']),
  ];
  for (const code of new Set(codes.map((one) => JSON.stringify(resolve(one, world))))) {
    const { S3Bucket, S3Key } = JSON.parse(code) as { S3Bucket: string; S3Key: string };
    const client = await withBucket(endpoint, resolveText(S3Bucket, world));
    await client.send(new PutObjectCommand({ Bucket: S3Bucket, Key: S3Key, Body: EMPTY_ZIP }));
  }
}

async function withBucket(endpoint: string, Bucket: string): Promise<S3Client> {
  const client = new S3Client({ ...clientSettings(endpoint), forcePathStyle: true });
  const where = { LocationConstraint: REGION } as const;
  await client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration: where })).catch((cause: unknown) => {
    if (!(cause instanceof Error) || cause.name !== 'BucketAlreadyOwnedByYou') throw cause;
  });
  return client;
}
