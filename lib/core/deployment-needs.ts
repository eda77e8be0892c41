import type { Optional } from './optional-states.ts';

/**
 * What stacks take of the quotas of an account, at most: a pipeline that leaves nothing out has so many, and one that serves a
 * role more. A test counts them in the templates.
 */
export const STACK_NEEDS = {
  lake: { roles: 0, rules: 0, alarms: 0, resources: 18 },
  pipeline: { roles: 4, rules: 1, alarms: 9, resources: 150 },
} as const;

/** Roles that a stack of a pipeline makes: what serves has one of its own. */
export function rolesOf({ serve }: Pick<Optional, 'serve'>): number {
  return STACK_NEEDS.pipeline.roles + (serve === undefined ? 0 : 1);
}

/** Bytes of packed code that a deploy of one pipeline adds, at most: 14 workers of 24 MB, and light functions. */
export const CODE_OF_DEPLOY = 400e6;

/** Resources of the lake's stack for each pipeline: its databases, or the stack that they are nested in. */
export const LAKE_RESOURCES_PER_PIPELINE = { inline: 3, nested: 1 } as const;

/** Roles that an account has room for, until it asks for more. Source: docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const ROLES_OF_ACCOUNT = 1_000;

/** Source: docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html; it can be raised, which nothing tells. */
export function rulesOfBus(region: string): number {
  return ['af-south-1', 'eu-south-1'].includes(region) ? 100 : 300;
}

/** Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_limits.html; it can be raised. */
export const ALARMS_OF_REGION = 5_000;

/** What Lambda keeps free of reservations. Source: docs.aws.amazon.com/lambda/latest/dg/configuration-concurrency.html */
export const UNRESERVED_CALLS = 100;

/** Source: docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-limits.html */
export const RESOURCES_OF_STACK = 500;

/** The version of the bootstrap stack that templates ask for. */
export const LEAST_BOOTSTRAP = 6;
