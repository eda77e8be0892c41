import { SFNClient } from '@aws-sdk/client-sfn';
import { CONNECTIONS } from '../../adapters/aws/connections.ts';
import { createStepFunctionsExecutions } from '../../adapters/executions/step-functions.ts';
import { wakeExecution } from '../../adapters/executions/wake.ts';
import type { Log } from '../../ports.ts';
import type { AwaitDeps } from '../../steps/gate/await-decision.ts';
import type { MaintainAfterDeps } from '../../steps/start/maintain-after.ts';
import type { StartDeps } from '../../steps/start/start-runs.ts';
import { parseEnvironment } from './environment.ts';
import { common, notifyDeps, required } from './light.ts';

/** What light functions work with that start or wake executions: a file of its own, so that others do not load the client. */
let sfn: SFNClient | undefined;

export function awaitDeps(log: Log): AwaitDeps {
  const { store, alerts, clock } = notifyDeps(log);
  sfn ??= new SFNClient({ requestHandler: CONNECTIONS });
  const client = sfn;
  const wake = async (token: string): Promise<void> => {
    await wakeExecution(client, token);
  };
  return { store, clock, log, alerts, wake };
}

export function startDeps(log: Log): StartDeps & { readonly pipeline: string } {
  const { environment, store, audit, clock } = common(log);
  const { pipeline } = environment;
  sfn ??= new SFNClient({ requestHandler: CONNECTIONS });
  const machine = required('STRATA_STATE_MACHINE_ARN', environment.stateMachineArn);
  return { pipeline, store, audit, clock, log, executions: createStepFunctionsExecutions(sfn, machine) };
}

export function maintenanceDeps(log: Log): MaintainAfterDeps {
  const { stateMachineArn } = parseEnvironment(process.env);
  sfn ??= new SFNClient({ requestHandler: CONNECTIONS });
  return {
    log,
    executions: createStepFunctionsExecutions(sfn, required('STRATA_STATE_MACHINE_ARN', stateMachineArn)),
  };
}
