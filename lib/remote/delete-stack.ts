import {
  type CloudFormationClient,
  DeleteStackCommand,
  waitUntilStackDeleteComplete,
} from '@aws-sdk/client-cloudformation';
import type { SFNClient } from '@aws-sdk/client-sfn';
import { awsFailure } from '../adapters/aws/errors.ts';
import { InvalidInput, RunFailed } from '../core/errors.ts';
import { workingOn } from './check-runs.ts';
import type { Deployed } from './deployed.ts';

export type DeleteStackDeps = { readonly cloudFormation: CloudFormationClient; readonly sfn: SFNClient };

export type DeleteStackRequest = {
  readonly pipeline: string;
  /** Pipelines of the folder: the next deploy would make their stacks again. */
  readonly here: readonly string[];
  readonly deployed: Deployed['pipelines'];
};

/** A stack with its functions takes some minutes; those in a VPC half an hour. */
const LONGEST_WAIT_S = 3_600;

/**
 * Deletes the stack of a pipeline that the folder has no more, and waits until it is gone; tables and uploads stay. Throws InvalidInput for a pipeline that
 * is here, is not deployed, or works; RunFailed when CloudFormation could not delete it.
 */
export async function deleteStack(
  { cloudFormation, sfn }: DeleteStackDeps,
  { pipeline, here, deployed }: DeleteStackRequest,
): Promise<string> {
  const found = deployed.get(pipeline);
  if (found === undefined) {
    const known = [...deployed.keys()].sort().join(', ') || 'none';
    throw new InvalidInput(`pipeline ${pipeline} is not deployed: expected one of those that are (${known})`);
  }
  const { stack, machines } = found;
  if (here.includes(pipeline)) {
    throw new InvalidInput(
      `pipeline ${pipeline} is in the folder, so that the next deploy would make its stack again: remove its folder first, or run npx cdk destroy ${stack}`,
    );
  }
  const working = (await Promise.all(machines.map((machine) => workingOn(sfn, machine)))).flat();
  if (working.length > 0) {
    throw new InvalidInput(
      `pipeline ${pipeline} works (${working.join(', ')}): wait until it has ended, or run strata executions stop ${pipeline} ${working[0]} --aws`,
    );
  }
  try {
    await cloudFormation.send(new DeleteStackCommand({ StackName: stack }));
  } catch (cause) {
    throw awsFailure({ action: 'cloudformation:DeleteStack', resource: `stack ${stack}` }, cause);
  }
  try {
    await waitUntilStackDeleteComplete({ client: cloudFormation, maxWaitTime: LONGEST_WAIT_S }, { StackName: stack });
  } catch (cause) {
    throw new RunFailed(
      `stack ${stack} is not deleted: npx strata stacks shows how it stands, and its events say why`,
      {
        cause,
      },
    );
  }
  return stack;
}
