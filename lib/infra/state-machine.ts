import { Arn, ArnFormat, Stack } from 'aws-cdk-lib';
import { Policy, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { LogGroup } from 'aws-cdk-lib/aws-logs';
import { CfnStateMachine } from 'aws-cdk-lib/aws-stepfunctions';
import type { Construct } from 'constructs';
import { leastReserved } from '../core/compute.ts';
import { InvalidInput } from '../core/errors.ts';
import { functionsFor, machineFor } from '../core/optional-states.ts';
import type { PipelineSpec } from '../core/spec.ts';
import { type MachineName, STATES, type TaskName, tasksOf } from '../core/states.ts';
import { acknowledge, acknowledgeResources } from './acknowledge.ts';
import { computeOf, type Functions, type LogSettings } from './functions.ts';
import { encryptLogs } from './lake-key.ts';
import { grantTracing, useKeys } from './permissions.ts';
import { bucketArn, bucketName, type LakePlaces } from './places.ts';

export type StateMachineProps = {
  readonly lake: LakePlaces;
  readonly spec: PipelineSpec;
  readonly functions: Functions;
  /** Of both machines. */
  readonly role: Role;
  readonly machine: MachineName;
  /** The text of `statemachines/<machine>.asl.json`. */
  readonly definition: string;
  readonly logs: LogSettings;
};

/** What begins the ids of a machine's constructs; where its lists of units and the results of its maps lie. */
const MACHINES = {
  medallion: { id: 'Machine', machineId: 'Machine', folders: ['_runs', '_dry_runs'] },
  maintenance: { id: 'Maintenance', machineId: 'MaintenanceMachine', folders: ['_compactions'] },
} as const;

export type PipelineMachine = { readonly arn: string; readonly name: string };

export function stateMachineArn(stack: Stack, name: string): string {
  const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
  return Arn.format({ service: 'states', resource: 'stateMachine', resourceName: name, arnFormat }, stack);
}

/** The run of a pipeline, or its maintenance, as the file says it, with the pipeline's own limits. */
export function createStateMachine(scope: Construct, props: StateMachineProps): PipelineMachine {
  const { lake, spec, functions, role, machine: which } = props;
  const name = which === 'medallion' ? lake.names.stateMachine(spec.name) : lake.names.maintenance(spec.name);
  const { id, machineId } = MACHINES[which];
  const stack = Stack.of(scope);
  const arn = stateMachineArn(stack, name);
  const policy = grantMachine(props, name, arn);
  const logGroup = new LogGroup(scope, `${id}Logs`, {
    logGroupName: `/aws/vendedlogs/states/${name}`,
    ...props.logs,
  });
  encryptLogs(logGroup, lake);
  const called = tasksFor(which, spec);
  const machine = new CfnStateMachine(scope, machineId, {
    stateMachineName: name,
    stateMachineType: 'STANDARD',
    roleArn: role.roleArn,
    definitionString: JSON.stringify(withLimits(machineFor(JSON.parse(props.definition) as Definition, spec), spec)),
    definitionSubstitutions: {
      ...Object.fromEntries(called.map((step) => [`${step}FunctionArn`, functions[step]?.currentVersion.functionArn])),
      OpsBucket: bucketName(lake, 'ops'),
    },
    loggingConfiguration: {
      // States carry references and counts, so their data may be logged.
      level: 'ALL',
      includeExecutionData: true,
      destinations: [{ cloudWatchLogsLogGroup: { logGroupArn: logGroup.logGroupArn } }],
    },
    tracingConfiguration: { enabled: true },
  });
  machine.node.addDependency(policy);
  return { arn, name };
}

/** The tasks of a machine for which a pipeline has a function. */
function tasksFor(machine: MachineName, spec: PipelineSpec): readonly TaskName[] {
  const there = functionsFor(spec);
  return tasksOf(machine).filter((task) => there.includes(task));
}

/** By name, since functions of this role wait for its policies. */
function functionArn(stack: Stack, { names }: LakePlaces, { name }: PipelineSpec, step: TaskName): string {
  const resourceName = `${names.lambda(name, STATES[step].file)}:*`;
  return Arn.format(
    { service: 'lambda', resource: 'function', resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME },
    stack,
  );
}

type State = { Type: string; [field: string]: unknown };
type Definition = { States: Record<string, State>; [field: string]: unknown };

/**
 * Puts the pipeline's limits into the definition: units at once, tolerated failures, and how long a call may take.
 * Throws InvalidInput for more units at once than are reserved for those that work on them.
 */
export function withLimits(definition: Definition, spec: PipelineSpec): Definition {
  refuseBeyondReserved(spec);
  return { ...definition, States: limitStates(definition.States, spec) };
}

/** The compiler says so too; a spec may also be made in other ways. */
function refuseBeyondReserved({ name, compute: { steps, maxConcurrency } }: PipelineSpec): void {
  const least = leastReserved(steps);
  if (least === undefined || maxConcurrency <= least.reserved) return;
  throw new InvalidInput(
    `pipeline ${name}: compute.maxConcurrency: got ${maxConcurrency}; expected ${least.reserved} or less, as many as compute.steps.${least.step}.reservedConcurrency sets aside: ` +
      'Lambda refuses calls beyond what is reserved. Lower the one or raise the other, and build again',
  );
}

function limitStates(states: Record<string, State>, spec: PipelineSpec): Record<string, State> {
  return Object.fromEntries(Object.entries(states).map(([name, state]) => [name, limitState(name, state, spec)]));
}

function limitState(name: string, state: State, spec: PipelineSpec): State {
  // What waits for a person waits as long as it says.
  if (state.Type === 'Task' && 'TimeoutSecondsPath' in state) return state;
  if (state.Type === 'Task') {
    // Lambda ends a call itself; what comes after that is a call whose end got lost.
    const { timeoutSeconds } = computeOf(spec, name as TaskName);
    return { ...state, TimeoutSeconds: timeoutSeconds + 30 };
  }
  if (state.Type !== 'Map') return state;
  const { maxConcurrency, toleratedFailurePercentage } = spec.compute;
  const processor = state['ItemProcessor'] as Definition;
  const own = state['MaxConcurrency'];
  return {
    ...state,
    // That of runs is the pipeline's; maintenance takes half of it at most, so that runs beside it have workers left.
    MaxConcurrency:
      name === 'RewriteMap' && typeof own === 'number'
        ? Math.min(own, Math.max(1, Math.floor(maxConcurrency / 2)))
        : maxConcurrency,
    ToleratedFailurePercentage: toleratedFailurePercentage,
    ItemProcessor: { ...processor, States: limitStates(processor.States, spec) },
  };
}

/** Source: docs.aws.amazon.com/step-functions/latest/dg/iam-policies-eg-dist-map.html */
function grantMachine(props: StateMachineProps, name: string, arn: string): Policy {
  const { lake, spec, role, machine } = props;
  const policy = new Policy(role, MACHINES[machine].id);
  const allow = (sid: string, actions: string[], resources: string[], reason: string): void => {
    policy.addStatements(new PolicyStatement({ sid, actions, resources }));
    acknowledgeResources(policy, resources, reason);
  };
  // Also in the versions that runs have begun with, which a deployment replaces.
  const called = tasksFor(machine, spec).map((step) => functionArn(Stack.of(role), lake, spec, step));
  allow('Steps', ['lambda:InvokeFunction'], called, 'Exactly these functions, in whichever version');
  const runs = MACHINES[machine].folders.map((folder) => `${bucketArn(lake, 'ops')}/ops/${spec.name}/${folder}/*`);
  const inRuns = 'Lists of units and results of maps lie in the folders of runs, whose names come with the runs';
  allow(
    'Units',
    ['s3:GetObject', 's3:PutObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload'],
    runs,
    inRuns,
  );
  allow('Children', ['states:StartExecution'], [arn], 'The children of a map are executions of the machine itself');
  const execution = (rest: string): string =>
    Arn.format(
      { service: 'states', resource: 'execution', resourceName: rest, arnFormat: ArnFormat.COLON_RESOURCE_NAME },
      Stack.of(role),
    );
  const executions = [execution(`${name}:*`), execution(`${name}/*`)];
  const actions = ['states:DescribeExecution', 'states:StopExecution', 'states:RedriveExecution'];
  allow('ChildrenOfMaps', actions, executions, 'The executions of this machine, whose names come with the runs');
  const delivery = [
    'logs:CreateLogDelivery',
    'logs:GetLogDelivery',
    'logs:UpdateLogDelivery',
    'logs:DeleteLogDelivery',
    'logs:ListLogDeliveries',
    'logs:PutResourcePolicy',
    'logs:DescribeResourcePolicies',
    'logs:DescribeLogGroups',
  ];
  policy.addStatements(new PolicyStatement({ sid: 'Logs', actions: delivery, resources: ['*'] }));
  acknowledge(policy, 'IAM5[Resource::*]', 'Log deliveries and X-Ray have no resources that a policy could name');
  grantTracing(policy);
  // Step Functions asks how much to trace; Lambda is told. Source: docs.aws.amazon.com/step-functions/latest/dg/xray-iam.html
  const sampling = ['xray:GetSamplingRules', 'xray:GetSamplingTargets'];
  policy.addStatements(new PolicyStatement({ sid: 'Sampling', actions: sampling, resources: ['*'] }));
  useKeys(policy, lake);
  policy.attachToRole(role);
  return policy;
}
