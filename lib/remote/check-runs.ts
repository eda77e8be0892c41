import { type CloudFormationClient, paginateListStackResources } from '@aws-sdk/client-cloudformation';
import { ListExecutionsCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { awsFailure } from '../adapters/aws/errors.ts';
import type { AskAws } from '../core/aws-question.ts';
import { CODE_OF_DEPLOY } from '../core/deployment-needs.ts';
import { type Finding, fail, ok, warn } from '../core/finding.ts';
import { ROLE_NAMES } from '../core/roles.ts';
import { FUNCTIONS } from '../core/states.ts';
import { lambdaLimits } from './account.ts';
import type { Deployed } from './deployed.ts';

/** Each deploy that changes code leaves the versions that runs may still call. */
export async function checkCode(ask: AskAws, pipelines: number): Promise<readonly Finding[]> {
  const { has, most } = (await lambdaLimits(ask)).code;
  const needed = pipelines * CODE_OF_DEPLOY;
  const found = `${gigabytes(has)} of ${gigabytes(most)} GB of code in functions, up to ${gigabytes(needed)} to come`;
  if (has + needed <= most) return [ok('code', found)];
  const advice = 'strata stacks prune, or ask for more: Service Quotas, AWS Lambda, Function and layer storage';
  return [fail('code', found, advice)];
}

function gigabytes(bytes: number): string {
  return (bytes / 1e9).toFixed(1);
}

export type RunsDeps = { readonly sfn: SFNClient; readonly cloudFormation: CloudFormationClient };

/**
 * What works beside a deploy goes on with the versions that it began with, and with the roles of now. Roles that this release has no more go with the
 * deploy, also for what works.
 */
export async function checkRuns(
  deps: RunsDeps,
  pipelines: Deployed['pipelines'] = new Map(),
): Promise<readonly Finding[]> {
  const working: string[] = [];
  const losing: string[] = [];
  for (const [pipeline, { stack, machines }] of pipelines) {
    const names: string[] = [];
    for (const machine of machines) names.push(...(await workingOn(deps.sfn, machine)));
    if (names.length === 0) continue;
    working.push(`${pipeline} (${names.join(', ')})`);
    if ((await rolesToGo(deps.cloudFormation, stack)).length > 0) losing.push(pipeline);
  }
  if (working.length === 0) return [ok('runs', 'none works')];
  const found = `at work: ${working.join('; ')}`;
  if (losing.length === 0) return [ok('runs', `${found}; a deploy leaves them their versions`)];
  const advice = `wait until they have ended: the deploy takes roles that the functions of ${losing.join(', ')} work with; a run that fails by it is finished by the next`;
  return [warn('runs', found, advice)];
}

/** The names of executions that work; one is as good as all of them. */
export async function workingOn(sfn: SFNClient, stateMachineArn: string): Promise<readonly string[]> {
  try {
    const asked = new ListExecutionsCommand({ stateMachineArn, statusFilter: 'RUNNING', maxResults: 1 });
    return ((await sfn.send(asked)).executions ?? []).map(({ name = '' }) => name);
  } catch (cause) {
    throw awsFailure({ action: 'states:ListExecutions', resource: stateMachineArn }, cause);
  }
}

async function rolesToGo(client: CloudFormationClient, stack: string): Promise<readonly string[]> {
  const found: string[] = [];
  try {
    for await (const { StackResourceSummaries = [] } of paginateListStackResources({ client }, { StackName: stack })) {
      for (const { ResourceType, LogicalResourceId = '' } of StackResourceSummaries) {
        if (ResourceType === 'AWS::IAM::Role' && goes(LogicalResourceId)) found.push(LogicalResourceId);
      }
    }
  } catch (cause) {
    throw awsFailure({ action: 'cloudformation:ListStackResources', resource: `stack ${stack}` }, cause);
  }
  return found;
}

/** As releases before this one named the roles of functions, machines and schedules. Others are of whoever added to the stack. */
function goes(logicalId: string): boolean {
  const [, name = ''] = /^(\w+)Role[0-9A-F]{8}$/.exec(logicalId) ?? [];
  const known: readonly string[] = [...FUNCTIONS, 'Machine', 'Maintenance'];
  return (known.includes(name) || name.endsWith('Schedule')) && !ROLE_NAMES.some((role) => role === name);
}
