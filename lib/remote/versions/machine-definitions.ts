import {
  DescribeStateMachineCommand,
  DescribeStateMachineForExecutionCommand,
  type ExecutionStatus,
  paginateListExecutions,
  type SFNClient,
} from '@aws-sdk/client-sfn';
import { awsFailure } from '../../adapters/aws/errors.ts';
import { StrataError } from '../../core/errors.ts';

/** What state machines, and executions of them that may still call something, were defined as. */
export type MachineDefinitions = {
  current(machineArn: string): Promise<string>;
  /** Of the executions that work, and of those that failed since a moment and may be redriven. */
  held(machineArn: string, since: Date): Promise<readonly string[]>;
};

/** One that begins or fails while the others are listed is in one of these; RUNNING once more, for one that is redriven then. */
const HOLDING: readonly ExecutionStatus[] = [
  'RUNNING',
  'PENDING_REDRIVE',
  ...(['FAILED', 'TIMED_OUT', 'ABORTED', 'RUNNING'] as const),
];

/** Source: docs.aws.amazon.com/step-functions/latest/apireference/API_DescribeStateMachineForExecution.html */
export function definitionsOn(sfn: SFNClient): MachineDefinitions {
  return {
    current: (stateMachineArn) =>
      asked('states:DescribeStateMachine', stateMachineArn, async () => {
        const { definition } = await sfn.send(new DescribeStateMachineCommand({ stateMachineArn }));
        return definition ?? '';
      }),

    async held(stateMachineArn, since) {
      const found = new Map<string, string>();
      for (const statusFilter of HOLDING) {
        for (const executionArn of await listed(sfn, stateMachineArn, { statusFilter, since })) {
          if (found.has(executionArn)) continue;
          const definition = await asked('states:DescribeStateMachineForExecution', executionArn, async () => {
            const described = await sfn.send(new DescribeStateMachineForExecutionCommand({ executionArn }));
            return described.definition ?? '';
          });
          found.set(executionArn, definition);
        }
      }
      return [...found.values()];
    },
  };
}

function listed(
  client: SFNClient,
  stateMachineArn: string,
  { statusFilter, since }: { readonly statusFilter: ExecutionStatus; readonly since: Date },
): Promise<readonly string[]> {
  return asked('states:ListExecutions', stateMachineArn, async () => {
    const found: string[] = [];
    // The newest come first, by their starts; an execution may have waited and worked for long.
    for await (const { executions = [] } of paginateListExecutions({ client }, { stateMachineArn, statusFilter })) {
      for (const { executionArn = '', stopDate } of executions) {
        if (stopDate === undefined || stopDate >= since) found.push(executionArn);
      }
    }
    return found;
  });
}

async function asked<T>(action: string, resource: string, ask: () => Promise<T>): Promise<T> {
  try {
    return await ask();
  } catch (cause) {
    throw cause instanceof StrataError ? cause : awsFailure({ action, resource }, cause);
  }
}
