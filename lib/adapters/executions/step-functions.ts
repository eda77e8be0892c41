import { type SFNClient, StartExecutionCommand } from '@aws-sdk/client-sfn';
import { InvalidInput, Unavailable } from '../../core/errors.ts';
import type { Executions } from '../../ports.ts';
import { awsFailure, sdkErrorOf } from '../aws/errors.ts';

/**
 * Executions of one state machine. Step Functions keeps names apart for 90 days: a name that ran is refused, one that
 * still runs with the same input is answered as if it was started now.
 * Throws Unavailable for passing faults and when too many executions are open, InvalidInput for what has to be granted.
 * Source: docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html
 */
export function createStepFunctionsExecutions(client: SFNClient, stateMachineArn: string): Executions {
  return {
    async start(name, input) {
      try {
        await client.send(new StartExecutionCommand({ stateMachineArn, name, input: JSON.stringify(input) }));
        return 'started';
      } catch (cause) {
        const { name: kind } = sdkErrorOf(cause);
        if (kind === 'ExecutionAlreadyExists') return 'exists';
        throw failureOf(kind, stateMachineArn, cause);
      }
    },
  };
}

function failureOf(kind: string, resource: string, cause: unknown): Error {
  const at = `states:StartExecution on ${resource}`;
  if (kind === 'ExecutionLimitExceeded') {
    return new Unavailable(`${at} is not possible now: too many executions are open; some must end first`, { cause });
  }
  if (kind === 'StateMachineDoesNotExist' || kind === 'StateMachineDeleting') {
    return new InvalidInput(`${at} failed: there is no such state machine (any more); deploy the pipeline again`, [], {
      cause,
    });
  }
  return awsFailure({ action: 'states:StartExecution', resource }, cause);
}
