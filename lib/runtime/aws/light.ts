import { randomBytes } from 'node:crypto';
import { S3Client } from '@aws-sdk/client-s3';
import { SFNClient } from '@aws-sdk/client-sfn';
import { SNSClient } from '@aws-sdk/client-sns';
import { createSnsAlerts } from '../../adapters/alerts/sns.ts';
import { createParquetAuditLog } from '../../adapters/audit/parquet.ts';
import { createStepFunctionsExecutions } from '../../adapters/executions/step-functions.ts';
import { createS3Store } from '../../adapters/store/s3.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { AuditLog, Clock, Log, ObjectStore } from '../../ports.ts';
import type { FailDeps } from '../../steps/fail.ts';
import type { NotifyDeps } from '../../steps/notify.ts';
import type { StartDeps } from '../../steps/start-runs.ts';
import { type FunctionEnvironment, parseEnvironment } from './environment.ts';
import { LEASE_MS } from './lease.ts';

/** The composition of functions without an engine; made anew for each call from what the environment says. */
const requestHandler = { connectionTimeout: 5_000, requestTimeout: 20_000 };
const s3 = new S3Client({ maxAttempts: 1, requestHandler });
const clock: Clock = { now: () => new Date() };

type Common = {
  readonly environment: FunctionEnvironment;
  readonly store: ObjectStore;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Log;
};

function common(log: Log): Common {
  const environment = parseEnvironment(process.env);
  const store = createS3Store({ client: s3, buckets: environment.buckets, scratch: environment.tmp });
  const audit = createParquetAuditLog(store, environment.pipeline, () => randomBytes(8).toString('hex'));
  return { environment, store, audit, clock, log };
}

export function failDeps(log: Log): FailDeps {
  const { store, audit } = common(log);
  return {
    store,
    clock,
    log,
    isGone: () => false,
    settings: { holder: (runId) => `run:${runId}`, leaseMs: LEASE_MS },
    async recordFailed(plan, { error, duration_ms }) {
      const detail = `${error?.name}: ${error?.message} (after ${duration_ms} ms)`;
      await audit.append([{ at: clock.now(), function: 'fail', event: 'failed', run_id: plan.run.run_id, detail }]);
    },
  };
}

export function notifyDeps(log: Log): NotifyDeps {
  const { environment, store, audit } = common(log);
  const topic = required('STRATA_TOPIC_ARN', environment.topicArn);
  return { store, audit, clock, log, alerts: createSnsAlerts(new SNSClient({ requestHandler }), topic) };
}

export function startDeps(log: Log): StartDeps & { readonly pipeline: string } {
  const { environment, store, audit } = common(log);
  const machine = required('STRATA_STATE_MACHINE_ARN', environment.stateMachineArn);
  const executions = createStepFunctionsExecutions(new SFNClient({ requestHandler }), machine);
  return { pipeline: environment.pipeline, store, audit, clock, log, executions };
}

function required(name: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new InvalidInput(`no ${name} in the environment of this function: deploy its stack again`);
}
