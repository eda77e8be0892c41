import { Arn, ArnFormat, Stack } from 'aws-cdk-lib';
import { Grant, ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { InvalidInput } from '../core/errors.ts';
import { acknowledge, acknowledgeResources, flatten } from './acknowledge.ts';
import { grantQuery, grantRead, grantStart, grantUpload } from './grants.ts';
import type { ILake } from './lake.ts';

/** For which pipelines each of the lake's policies is, by their names; default: all. */
export type ManagedPolicies = {
  /** Queries of Athena, and nothing written but their results. */
  readonly reader?: readonly string[];
  /** Files into bronze, which can be neither read again nor removed. */
  readonly uploader?: readonly string[];
  /** Runs and maintenance: started, followed, stopped and redriven; dead letters too. */
  readonly operator?: readonly string[];
};

/** What IAM takes in one policy. Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
const MOST_CHARACTERS = 6_144;
const ALL: readonly string[] = ['*'];

/** `strata-reader`, `strata-uploader` and `strata-operator`, with the deployment in their names. */
export function createManagedPolicies(
  stack: Stack,
  lake: ILake,
  { reader, uploader, operator }: ManagedPolicies,
): void {
  const read = policyFor(stack, lake, 'reader', 'Queries the tables of the lake in Athena');
  grantQuery(lake, read);
  for (const pipeline of chosen('reader', reader)) grantRead(lake, read, pipeline);
  const upload = policyFor(stack, lake, 'uploader', 'Puts files into bronze');
  for (const pipeline of chosen('uploader', uploader)) grantUpload(lake, upload, { pipeline });
  const operate = policyFor(stack, lake, 'operator', 'Starts, follows and stops runs and maintenance');
  for (const pipeline of chosen('operator', operator)) grantOperate(lake, operate, pipeline);
  for (const [name, policy] of Object.entries({ reader: read, uploader: upload, operator: operate })) {
    findStacks(stack, policy);
    acknowledgeAll(policy);
    refuseLong(name, policy);
  }
}

function policyFor(stack: Stack, lake: ILake, name: string, description: string): ManagedPolicy {
  const id = `${name[0]?.toUpperCase()}${name.slice(1)}Policy`;
  return new ManagedPolicy(stack, id, { managedPolicyName: `${lake.names.workgroup}-${name}`, description });
}

function chosen(policy: keyof ManagedPolicies, pipelines: readonly string[] = ALL): readonly string[] {
  if (pipelines.length > 0) return pipelines;
  throw new InvalidInput(`policies.${policy}: got no pipeline; expected some, or no list: then it is for all`);
}

function grantOperate(lake: ILake, policy: ManagedPolicy, pipeline: string): void {
  const { names } = lake;
  // What stands for all pipelines stands for their maintenance as well.
  const machines = [names.stateMachine(pipeline), ...(pipeline === '*' ? [] : [names.maintenance(pipeline)])];
  for (const name of machines) {
    const arn = statesArn(lake, 'stateMachine', name);
    grantStart({ lake, pipeline, machine: { arn, name } }, policy);
    const executions = [statesArn(lake, 'execution', `${name}:*`)];
    Grant.addToPrincipal({ grantee: policy, actions: ['states:ListExecutions'], resourceArns: [arn] });
    Grant.addToPrincipal({
      grantee: policy,
      actions: ['states:StopExecution', 'states:RedriveExecution'],
      resourceArns: executions,
    });
  }
  const origins = Arn.format(
    {
      ...{ service: 'lambda', resource: 'function', arnFormat: ArnFormat.COLON_RESOURCE_NAME },
      resourceName: `${names.origins(pipeline)}*`,
    },
    Stack.of(lake),
  );
  Grant.addToPrincipal({ grantee: policy, actions: ['lambda:InvokeFunction'], resourceArns: [origins] });
  // The queues of a pipeline are named after its stack.
  const queues = Arn.format({ service: 'sqs', resource: `${names.pipelineStack(pipeline)}-*` }, Stack.of(lake));
  Grant.addToPrincipal({ grantee: policy, actions: DEAD_LETTERS, resourceArns: [queues] });
}

/** Dead letters are looked at, sent once more, and removed. */
const DEAD_LETTERS = ['sqs:ReceiveMessage', 'sqs:ChangeMessageVisibility', 'sqs:SendMessage', 'sqs:DeleteMessage'];

/** The commands find what is deployed by the outputs of its stacks. */
function findStacks(stack: Stack, policy: ManagedPolicy): void {
  const stacks = Arn.format({ service: 'cloudformation', resource: 'stack', resourceName: 'strata-*' }, stack);
  Grant.addToPrincipal({ grantee: policy, actions: ['cloudformation:DescribeStacks'], resourceArns: [stacks] });
}

function statesArn(lake: ILake, resource: string, resourceName: string): string {
  const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
  return Arn.format({ service: 'states', resource, resourceName, arnFormat }, Stack.of(lake));
}

/** What a policy names is known when it is complete; references count with the length of their names, which is about that of their values. */
function refuseLong(name: string, policy: ManagedPolicy): void {
  const { length } = JSON.stringify(
    statementsOf(policy).map((one) => ({ ...one, Resource: [one.Resource].flat().map(flatten) })),
  );
  if (length <= MOST_CHARACTERS) return;
  throw new InvalidInput(
    `policies.${name}: got pipelines that make ${length} characters; expected at most ${MOST_CHARACTERS}, which is what IAM takes: name fewer, or none, then it is for all; or make roles by the grants of the lake`,
  );
}

function statementsOf(policy: ManagedPolicy): readonly Resolved[] {
  return Stack.of(policy).resolve(policy.document).Statement;
}

type Resolved = { readonly Action: string | readonly string[]; readonly Resource: unknown };

function acknowledgeAll(policy: ManagedPolicy): void {
  const statements = statementsOf(policy);
  const resources = statements.flatMap(({ Resource }) => Resource);
  acknowledgeResources(policy, resources, 'What pipelines have comes with their data and their runs');
  const actions = statements.flatMap(({ Action }) => Action).filter((action) => action.endsWith('*'));
  for (const action of actions) acknowledge(policy, `IAM5[Action::${action}]`, 'Uses of the one key that is named');
}
