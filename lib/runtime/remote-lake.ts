import { randomBytes } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudFormationClient } from '@aws-sdk/client-cloudformation';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { CONNECTIONS } from '../adapters/aws/connections.ts';
import { createStepFunctionsExecutions } from '../adapters/executions/step-functions.ts';
import { wakeExecution } from '../adapters/executions/wake.ts';
import { createS3Store } from '../adapters/store/s3.ts';
import { type DeploymentNames, deploymentNames } from '../core/deployment-names.ts';
import type { ExpireAnswer, VacuumAnswer } from '../core/maintenance.ts';
import type { RunRef, RunResult } from '../core/run.ts';
import type { ObjectStore } from '../ports.ts';
import { unfinishedRun } from '../query/plan-run.ts';
import { carryOut } from '../remote/carry-out.ts';
import type { CompactionAnswer } from '../remote/compaction.ts';
import { type RedriveRequest, redriveRemotely, stopRemotely } from '../remote/executions/act.ts';
import { type FoundExecution, listExecutions } from '../remote/executions/list.ts';
import { compactRemotely, type RemoteCompaction } from '../remote/remote-compact.ts';
import { type RemoteRunRequest, runRemotely } from '../remote/remote-run.ts';
import { type RemoteSweep, sweepRemotely } from '../remote/remote-sweep.ts';
import type { RunAnswer } from '../remote/run-request.ts';
import { readOutputs } from '../remote/stack.ts';
import type { LandingDeps } from './land-files.ts';
import { ownScratch, sweepScratch, TEMP_PREFIX } from './scratch.ts';

/** Which deployed lake. Account and region are the SDK's own settings. */
export type RemotePlace = {
  /** The name of the deployment; without it, the one that has none. */
  readonly deployment?: string;
  /** ARN of the state machine; the pipeline's stack names it otherwise. */
  readonly stateMachine?: string;
};

export type RemoteRuns = {
  run(request: RemoteRunRequest): Promise<RunAnswer>;
  compact(request: RemoteCompaction): Promise<CompactionAnswer>;
  expire(request: RemoteSweep): Promise<ExpireAnswer>;
  vacuum(request: RemoteSweep): Promise<VacuumAnswer>;
  redrive(request: RedriveRequest): Promise<RunAnswer>;
  stop(request: { readonly pipeline: string; readonly name: string }): Promise<void>;
  /** Has a run published or undone that was decided about; undefined where that takes longer than one waits. */
  carryOut(run: RunRef): Promise<RunResult | undefined>;
  /** The run of the pipeline that the next one finishes first. */
  unfinished(): Promise<string | null>;
};

const ids = { unique: (): string => randomBytes(6).toString('hex') };

/** The runs of a deployed pipeline, found by the outputs of its stack and the lake's. Throws InvalidInput when they are not deployed. */
export async function openRemoteRuns(
  pipeline: string,
  { deployment, stateMachine }: RemotePlace,
  machine: 'StateMachineArn' | 'MaintenanceStateMachineArn' = 'StateMachineArn',
): Promise<RemoteRuns> {
  const cloudFormation = new CloudFormationClient({});
  const names = namesOf(deployment);
  const { OpsBucket } = await readOutputs(cloudFormation, names.lakeStack, ['OpsBucket']);
  const stateMachineArn =
    stateMachine ?? (await readOutputs(cloudFormation, names.pipelineStack(pipeline), [machine]))[machine];
  const store = openStore({ ops: OpsBucket }, tmpdir());
  const deps = {
    sfn: new SFNClient({}),
    store,
    stateMachineArn,
    clock: { now: () => new Date() },
    ids,
    wait: (ms: number) => sleep(ms),
  };
  return {
    run: (request) => runRemotely(deps, request),
    compact: (request) => compactRemotely(deps, request),
    expire: (request) => sweepRemotely(deps, 'expire', request),
    vacuum: (request) => sweepRemotely(deps, 'vacuum', request),
    redrive: (request) => redriveRemotely(deps, request),
    stop: (request) => stopRemotely(deps, request),
    carryOut: (run) =>
      carryOut(
        {
          ...deps,
          executions: createStepFunctionsExecutions(deps.sfn, stateMachineArn),
          wake: (token) => wakeExecution(deps.sfn, token),
        },
        run,
      ),
    unfinished: () => unfinishedRun({ store }, pipeline),
  };
}

/** The executions of a deployed pipeline, the newest first. */
export async function listRemoteExecutions(
  pipeline: string,
  { deployment }: Pick<RemotePlace, 'deployment'>,
  limit: number,
): Promise<readonly FoundExecution[]> {
  const outputs = ['StateMachineArn', 'MaintenanceStateMachineArn'] as const;
  const stack = namesOf(deployment).pipelineStack(pipeline);
  const found = await readOutputs(new CloudFormationClient({}), stack, outputs);
  const machines = { runs: found.StateMachineArn, maintenance: found.MaintenanceStateMachineArn };
  return listExecutions(new SFNClient({}), machines, limit);
}

/** The bronze bucket of a deployed lake, with a folder for copies that `close` removes. Throws InvalidInput when the lake is not deployed. */
export async function openLanding({
  deployment,
}: Pick<RemotePlace, 'deployment'>): Promise<{ readonly deps: LandingDeps; close(): Promise<void> }> {
  const { lakeStack } = namesOf(deployment);
  const { BronzeBucket } = await readOutputs(new CloudFormationClient({}), lakeStack, ['BronzeBucket']);
  await sweepScratch(tmpdir(), TEMP_PREFIX);
  const scratch = ownScratch(tmpdir(), TEMP_PREFIX);
  return {
    deps: { store: openStore({ bronze: BronzeBucket }, scratch), ids, settings: { scratch } },
    close: () => rm(scratch, { recursive: true, force: true }),
  };
}

/** The flag is how people name a deployment here. */
function namesOf(deployment: string | undefined): DeploymentNames {
  return deploymentNames(deployment, '--stage');
}

function openStore(buckets: { readonly bronze?: string; readonly ops?: string }, scratch: string): ObjectStore {
  return createS3Store({ client: new S3Client({ maxAttempts: 1, requestHandler: CONNECTIONS }), buckets, scratch });
}
