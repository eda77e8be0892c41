import { StartExecutionCommand } from '@aws-sdk/client-sfn';
import { awsFailure, sdkErrorOf } from '../adapters/aws/errors.ts';
import { deploymentNames } from '../core/deployment-names.ts';
import type { DeadLetterDeps } from '../remote/dead-letters/dead-letters.ts';
import { queueOn } from '../remote/dead-letters/queue.ts';
import { readOutputs } from '../remote/stack.ts';
import { openAccount } from './remote-account.ts';
import type { RemotePlace } from './remote-lake.ts';

/** What the output EventsUrl says when nothing starts runs by events, since an output cannot be empty. */
const NO_QUEUE = 'none';

/** The dead letters of a deployed pipeline, found by the outputs of its stack. Throws InvalidInput when it is not deployed. */
export async function openDeadLetters(
  pipeline: string,
  { deployment }: Pick<RemotePlace, 'deployment'>,
): Promise<DeadLetterDeps> {
  const { ask, cloudFormation, sfn } = openAccount();
  const stack = deploymentNames(deployment, '--stage').pipelineStack(pipeline);
  const { DeadLettersUrl, EventsUrl } = await readOutputs(cloudFormation, stack, ['DeadLettersUrl', 'EventsUrl']);
  return {
    letters: queueOn(ask, DeadLettersUrl),
    events: EventsUrl === NO_QUEUE ? undefined : queueOn(ask, EventsUrl),
    start: async (start) => {
      try {
        await sfn.send(new StartExecutionCommand(start));
      } catch (cause) {
        if (sdkErrorOf(cause).name === 'ExecutionAlreadyExists') return;
        throw awsFailure({ action: 'states:StartExecution', resource: start.stateMachineArn }, cause);
      }
    },
  };
}
