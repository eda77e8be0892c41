import { SendTaskSuccessCommand, type SFNClient } from '@aws-sdk/client-sfn';
import { awsFailure, sdkErrorOf } from '../aws/errors.ts';

/** Step Functions knows of no execution that still waits with this token. */
const NOBODY_WAITS: readonly string[] = ['TaskDoesNotExist', 'TaskTimedOut', 'InvalidToken'];

/**
 * Lets the execution go on that waits with a token; false where none does any more. Throws Unavailable for passing faults, InvalidInput for what has
 * to be granted. Source: docs.aws.amazon.com/step-functions/latest/apireference/API_SendTaskSuccess.html
 */
export async function wakeExecution(client: SFNClient, taskToken: string): Promise<boolean> {
  try {
    await client.send(new SendTaskSuccessCommand({ taskToken, output: '{}' }));
    return true;
  } catch (cause) {
    if (NOBODY_WAITS.includes(sdkErrorOf(cause).name)) return false;
    throw awsFailure({ action: 'states:SendTaskSuccess', resource: 'the execution that waits' }, cause);
  }
}
