import { type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import type { Executions } from '../../ports.ts';
import { awsFailure, sdkErrorOf } from '../aws/errors.ts';

/**
 * Executions of one state machine. Step Functions keeps names apart for 90 days: a name that ran is refused, one that
 * still runs with the same input is answered as if it was started now.
 * Source: docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 */
export function createStepFunctionsExecutions(client: SFNClient, stateMachineArn: string): Executions {
  return {
    async start(name, input) {
      try {
        await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
        return 'started';
      } catch (cause) {
        if (sdkErrorOf(cause).name === 'ExecutionAlreadyExists') return 'exists';
        throw awsFailure({ action: 'states:StartExecution', resource: stateMachineArn }, cause);
      }
    },
  };
}
