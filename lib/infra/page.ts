import { Arn, ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { STATES } from '../core/states.ts';
import type { Functions } from './functions.ts';
import type { LakePlaces } from './places.ts';

/** Lets the functions that end a run ask Finish for the page, by a call of its own that nobody waits for. It is named by its name: it cannot depend on itself. */
export function connectPage(
  scope: Construct,
  { Finish, Fail }: Functions,
  { names }: LakePlaces,
  pipeline: string,
): void {
  const name = names.lambda(pipeline, STATES.Finish.file);
  for (const asking of [Finish, Fail]) asking.addEnvironment('STRATA_PAGE_FUNCTION', name);
  const own = {
    service: 'lambda',
    resource: 'function',
    resourceName: name,
    arnFormat: ArnFormat.COLON_RESOURCE_NAME,
  };
  const resources = [Arn.format(own, Stack.of(scope))];
  // They have one role.
  Finish.addToRolePolicy(new PolicyStatement({ sid: 'Page', actions: ['lambda:InvokeFunction'], resources }));
}
