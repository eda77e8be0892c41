import { type Resource, resolve, type Template, type World } from './template.ts';

/** What the resources of an account are called, so that no other of their type may be: `AWS::S3::Bucket strata-ops-...`. */
export type Taken = Set<string>;

export type Deployed =
  | { readonly status: 'CREATE_COMPLETE' }
  | { readonly status: 'ROLLBACK_COMPLETE'; readonly resource: string; readonly reason: string };

/** What fails at a resource, other than a name that is taken. */
export type Failing = (logicalId: string) => string | undefined;

/** The property by which a resource of a type is the only one of its account and region. */
const NAME: Readonly<Record<string, string>> = {
  'AWS::S3::Bucket': 'BucketName',
  'AWS::Lambda::Function': 'FunctionName',
  'AWS::Logs::LogGroup': 'LogGroupName',
  'AWS::StepFunctions::StateMachine': 'StateMachineName',
  'AWS::Athena::WorkGroup': 'Name',
  'AWS::Glue::Database': 'DatabaseInput',
  'AWS::KMS::Alias': 'AliasName',
  'AWS::IAM::ManagedPolicy': 'ManagedPolicyName',
  'AWS::Scheduler::Schedule': 'Name',
  'AWS::SNS::Topic': 'TopicName',
  'AWS::SQS::Queue': 'QueueName',
};

/**
 * Makes a stack for the first time, as CloudFormation does: resources in the order in which they need each other; at what fails all
 * that was made is removed again, but for what DeletionPolicy says of a stack that never was: `Retain` stays, `RetainExceptOnCreate` goes.
 * Source: https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-attribute-deletionpolicy.html
 */
export function createStack(template: Template, taken: Taken, failing: Failing = () => undefined): Deployed {
  const made: (readonly [string, Resource])[] = [];
  for (const [id, resource] of inOrder(template)) {
    const name = nameOf(resource);
    const reason = failing(id) ?? (name !== undefined && taken.has(name) ? `${name} already exists` : undefined);
    if (reason !== undefined) {
      for (const [, one] of made.toReversed()) if (one.DeletionPolicy !== 'Retain') taken.delete(nameOf(one) ?? '');
      return { status: 'ROLLBACK_COMPLETE', resource: id, reason };
    }
    if (name !== undefined) taken.add(name);
    made.push([id, resource]);
  }
  return { status: 'CREATE_COMPLETE' };
}

/** Removes a stack that was there: what is retained keeps its name. */
export function deleteStack(template: Template, taken: Taken): void {
  for (const resource of Object.values(template.Resources)) {
    if (!resource.DeletionPolicy?.startsWith('Retain')) taken.delete(nameOf(resource) ?? '');
  }
}

/** Whatever intrinsic functions give, equal ones give the same. */
const ANYWHERE: World = { ref: (id) => `<${id}>`, attribute: (id, name) => `<${id}.${name}>` };

export function nameOf({ Type, Properties = {} }: Resource): string | undefined {
  const given = NAME[Type] === undefined ? undefined : Properties[NAME[Type]];
  if (given === undefined) return undefined;
  const { Name = given } = given as { Name?: unknown };
  return `${Type} ${String(resolve(Name, ANYWHERE))}`;
}

/** Each resource after those that it refers to. */
function inOrder({ Resources }: Template): readonly (readonly [string, Resource])[] {
  const done = new Map<string, Resource>();
  const visit = (id: string, path: readonly string[]): void => {
    const resource = Resources[id];
    if (resource === undefined || done.has(id)) return;
    if (path.includes(id)) throw new Error(`resources need each other: ${[...path, id].join(', ')}`);
    for (const needed of neededBy(resource)) visit(needed, [...path, id]);
    done.set(id, resource);
  };
  for (const id of Object.keys(Resources)) visit(id, []);
  return [...done];
}

function neededBy({ Properties, DependsOn = [] }: Resource): readonly string[] {
  const text = JSON.stringify(Properties ?? {});
  const refs = [...text.matchAll(/"(?:Ref|Fn::GetAtt)":\s*\[?"([^"]+)"/g)].map(([, id = '']) => id);
  return [...[DependsOn].flat(), ...refs];
}
