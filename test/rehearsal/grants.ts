import type { StateMachineDefinition } from '../../lib/asl/definition.ts';
import type { AwsCall } from './aws-call.ts';
import type { Deployment } from './deployment.ts';
import { tasksOf } from './execution.ts';
import { refusedResources, type Statement } from './policy.ts';
import { resolve, resourcesOf } from './template.ts';

/** A bucket that the rehearsal names to a function, and that is not there: nobody is granted it. */
export const MISSING_BUCKET = 'no-such-bucket';

/** The statements that a role has, by the template: its policies' and no others, since no role here has a managed one. */
function statementsOf({ stack }: Pick<Deployment, 'stack'>, roleArn: unknown): readonly Statement[] {
  const { template, world } = stack;
  const [id] = resourcesOf(template, 'AWS::IAM::Role').find(([one]) => world.attribute(one, 'Arn') === roleArn) ?? [];
  const role = id === undefined ? undefined : template.Resources[id]?.Properties;
  if (id === undefined || role === undefined) throw new Error(`no role ${String(roleArn)} in ${stack.name}`);
  if (role['ManagedPolicyArns'] !== undefined)
    throw new Error(`${id} has managed policies, whose words are not at hand`);
  const own = ((role['Policies'] ?? []) as readonly { PolicyDocument: unknown }[]).map((one) => one.PolicyDocument);
  const attached = resourcesOf(template, 'AWS::IAM::Policy')
    .filter(([, { Roles }]) => (resolve(Roles ?? [], world) as readonly string[]).includes(world.ref(id) ?? ''))
    .map(([, { PolicyDocument }]) => PolicyDocument);
  return [...own, ...attached].flatMap(
    (document) => (resolve(document, world) as { Statement: Statement[] }).Statement,
  );
}

/**
 * What functions called without being granted it, by the roles of the template, and what the state machine needs beyond
 * its own role. Answers how many distinct calls were looked at.
 */
export function findUngranted(deployment: Deployment): {
  readonly calls: number;
  readonly ungranted: readonly string[];
} {
  const { stack, gateway, functions } = deployment;
  const roles = new Map(
    resourcesOf(stack.template, 'AWS::Lambda::Function').map(([, { FunctionName, Role }]) => {
      return [resolve(FunctionName, stack.world), statementsOf(deployment, resolve(Role, stack.world))] as const;
    }),
  );
  const names = new Set([...functions.values()].map(({ name }) => name));
  const calls = gateway
    .calls()
    .filter(
      ({ principal, resources }) => names.has(functionOf(principal)) && !resources.join().includes(MISSING_BUCKET),
    );
  const ungranted = calls.flatMap((call) => {
    const name = functionOf(call.principal);
    const statements = roles.get(name) ?? [];
    const refused = [call, ...impliedBy(call)].flatMap((one) =>
      refusedResources(statements, one).map((resource) => `${name} may not ${one.action} on ${resource}`),
    );
    return refused;
  });
  return { calls: calls.length, ungranted: [...new Set([...ungranted, ...ungrantedToMachine(deployment)])] };
}

/** S3 says that there is no object only to who may list the bucket; to others it says that access is denied. */
function impliedBy({
  action,
  resources,
  status,
}: AwsCall): readonly Pick<AwsCall, 'action' | 'resources' | 'context'>[] {
  if (status !== 404 || !action.startsWith('s3:GetObject')) return [];
  return [{ action: 's3:ListBucket', resources: resources.map((one) => one.split('/')[0] ?? one), context: {} }];
}

function ungrantedToMachine(deployment: Deployment): readonly string[] {
  const { stack, definition, buckets, pipeline } = deployment;
  const machines = resourcesOf(stack.template, 'AWS::StepFunctions::StateMachine');
  const [, machine] = machines.find(([id]) => stack.world.attribute(id, 'Arn') === deployment.machineArn) ?? [];
  const statements = statementsOf(deployment, resolve(machine?.['RoleArn'], stack.world));
  const tasks = tasksOf(JSON.parse(definition) as StateMachineDefinition);
  const folder = `arn:aws:s3:::${buckets.ops}/ops/${pipeline}/_runs/any`;
  const needed = [
    { action: 'lambda:InvokeFunction', resources: tasks.map(([, resource]) => resource), context: {} },
    { action: 's3:GetObject', resources: [`${folder}/level-0/stage-units.json`], context: {} },
    { action: 's3:PutObject', resources: [`${folder}/map-results/manifest.json`], context: {} },
    { action: 'states:StartExecution', resources: [deployment.machineArn], context: {} },
  ];
  return needed.flatMap((call) =>
    refusedResources(statements, call).map((resource) => `the state machine may not ${call.action} on ${resource}`),
  );
}

/** `strata-hr-open.2` is an environment of strata-hr-open. */
function functionOf(principal: string): string {
  return principal.replace(/\.\d+$/, '');
}
