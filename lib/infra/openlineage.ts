import { Arn, ArnFormat, Stack } from 'aws-cdk-lib';
import { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { busOf, type LineageReceiver, renderReceiver } from '../core/lineage-receiver.ts';
import type { Functions } from './functions.ts';

/** Lets the functions that end a run tell of it: they put events on the bus that is named, or read the one secret that has the key. */
export function connectOpenLineage(scope: Construct, { Finish, Fail }: Functions, receiver: LineageReceiver): void {
  for (const teller of [Finish, Fail]) teller.addEnvironment('STRATA_OPENLINEAGE', renderReceiver(receiver));
  const grant = grantOf(Stack.of(scope), receiver);
  // They have one role.
  if (grant !== undefined) Finish.addToRolePolicy(new PolicyStatement({ sid: 'OpenLineage', ...grant }));
}

function grantOf(stack: Stack, { to, secret }: LineageReceiver) {
  const bus = busOf(to);
  if (bus !== undefined) {
    const own = { service: 'events', resource: 'event-bus', resourceName: bus };
    return { actions: ['events:PutEvents'], resources: [bus.startsWith('arn:') ? bus : Arn.format(own, stack)] };
  }
  if (secret === undefined) return undefined;
  // Secrets Manager puts six characters of its own after a name.
  const resource = Arn.format(
    {
      service: 'secretsmanager',
      resource: 'secret',
      resourceName: `${secret}-??????`,
      arnFormat: ArnFormat.COLON_RESOURCE_NAME,
    },
    stack,
  );
  return { actions: ['secretsmanager:GetSecretValue'], resources: [resource] };
}
