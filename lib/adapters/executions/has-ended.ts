import { DescribeExecutionCommand, type SFNClient } from '@aws-sdk/client-sfn';
import type { Log } from '../../ports.ts';
import { sdkErrorOf } from '../aws/errors.ts';

/**
 * Whether an execution has ended, by its ARN. One that is not there any more has; of one that cannot be asked about now that is
 * not known.
 * Source: docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeExecution.html
 */
export function createHasEnded(client: SFNClient, log: Log): (executionArn: string) => Promise<boolean> {
  return async (executionArn) => {
    if (!executionArn.startsWith('arn:')) return false;
    try {
      const { status } = await client.send(new DescribeExecutionCommand({ executionArn }));
      return status !== 'RUNNING' && status !== 'PENDING_REDRIVE';
    } catch (cause) {
      const { name } = sdkErrorOf(cause);
      if (name === 'ExecutionDoesNotExist') return true;
      log.warn('an execution could not be looked at', { execution: executionArn, error: name });
      return false;
    }
  };
}
