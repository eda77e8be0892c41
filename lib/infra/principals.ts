import { Arn, type ArnComponents, ArnFormat, Stack } from 'aws-cdk-lib';
import { PrincipalWithConditions, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';

/**
 * A service of AWS, as long as it works for this account: others' resources cannot make it use what is ours. `source`:
 * the resource that it works for, where the service says which.
 * Source: docs.aws.amazon.com/IAM/latest/UserGuide/confused-deputy.html
 */
function serviceFor(scope: IConstruct, service: string, source?: string): PrincipalWithConditions {
  return new PrincipalWithConditions(new ServicePrincipal(service), {
    StringEquals: { 'aws:SourceAccount': Stack.of(scope).account },
    ...(source === undefined ? {} : { ArnLike: { 'aws:SourceArn': source } }),
  });
}

/** Functions: Lambda says of a role's user whose it is, and its SourceArn is made for policies on functions. */
export function functionsOf(scope: IConstruct): PrincipalWithConditions {
  return serviceFor(scope, 'lambda.amazonaws.com');
}

/**
 * State machines, whichever works through a run: what the runs of a map give as their source, nobody says.
 * Source: docs.aws.amazon.com/step-functions/latest/dg/procedure-create-iam-role.html
 */
export function machinesOf(scope: IConstruct): PrincipalWithConditions {
  const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
  const machines = sourceIn(scope, { service: 'states', resource: 'stateMachine', resourceName: '*', arnFormat });
  return serviceFor(scope, 'states.amazonaws.com', machines);
}

/**
 * Schedules of the default group, since the scheduler names no single schedule.
 * Source: docs.aws.amazon.com/scheduler/latest/UserGuide/cross-service-confused-deputy-prevention.html
 */
export function schedulesOf(scope: IConstruct): PrincipalWithConditions {
  const group = sourceIn(scope, { service: 'scheduler', resource: 'schedule-group', resourceName: 'default' });
  return serviceFor(scope, 'scheduler.amazonaws.com', group);
}

/** All alarms of the account and region, as a topic may be given to alarms of the user's own. */
export function alarmsOf(scope: IConstruct): PrincipalWithConditions {
  const arnFormat = ArnFormat.COLON_RESOURCE_NAME;
  const alarms = sourceIn(scope, { service: 'cloudwatch', resource: 'alarm', resourceName: '*', arnFormat });
  return serviceFor(scope, 'cloudwatch.amazonaws.com', alarms);
}

function sourceIn(scope: IConstruct, components: ArnComponents): string {
  return Arn.format(components, Stack.of(scope));
}
