import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { S3Client } from '@aws-sdk/client-s3';
import { SNSClient } from '@aws-sdk/client-sns';
import { createSnsAlerts } from '../../adapters/alerts/sns.ts';
import { alertingAlso, createWebhookAlerts } from '../../adapters/alerts/webhook.ts';
import { createParquetAuditLog } from '../../adapters/audit/parquet.ts';
import { createAskAws } from '../../adapters/aws/ask.ts';
import { CONNECTIONS } from '../../adapters/aws/connections.ts';
import { createAwsSecrets } from '../../adapters/aws/secrets.ts';
import { stopsJobs } from '../../adapters/engines/spark/emr-jobs.ts';
import { stopsAthena } from '../../adapters/engines/stop-athena.ts';
import { createS3Store } from '../../adapters/store/s3.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { Webhook } from '../../core/webhook.ts';
import { recordOf, runRow } from '../../lake/ops/run-row.ts';
import type { Alerts, AuditLog, Clock, Log, ObjectStore } from '../../ports.ts';
import type { FailDeps } from '../../steps/end/fail.ts';
import type { NotifyDeps } from '../../steps/end/notify.ts';
import { lineageOf } from '../lineage/teller.ts';
import { type FunctionEnvironment, parseEnvironment } from './environment.ts';
import { LEASE_MS } from './lease.ts';

/**
 * What functions without an engine work with. The store repeats its calls itself; of the other clients a call is made
 * three times, and after that by whoever called the function.
 */
let s3: S3Client | undefined;
/** Made when first needed, so that only those functions carry it that do. */
let sns: SNSClient | undefined;

const clock: Clock = { now: () => new Date() };

type Common = {
  readonly environment: FunctionEnvironment;
  readonly store: ObjectStore;
  readonly audit: AuditLog;
  readonly clock: Clock;
  readonly log: Log;
};

export function common(log: Log): Common {
  const environment = parseEnvironment(process.env);
  s3 ??= new S3Client({ maxAttempts: 1, requestHandler: CONNECTIONS });
  const store = createS3Store({ client: s3, buckets: environment.buckets, scratch: environment.tmp });
  const books = createParquetAuditLog(store, environment.pipeline, () => randomBytes(8).toString('hex'));
  return { environment, store, audit: bestEffort(books, log), clock, log };
}

/** What was done stays done when the books cannot be written: that is a line in the log. */
export function bestEffort(audit: AuditLog, log: Log): AuditLog {
  return {
    async append(rows) {
      try {
        await audit.append(rows);
      } catch (cause) {
        log.warn('the audit log could not be written', {
          cause: cause instanceof Error ? cause.message : String(cause),
        });
      }
    },
  };
}

export function failDeps(log: Log): FailDeps {
  const { environment, store, audit } = common(log);
  return {
    store,
    clock,
    log,
    ...lineageOf(store),
    ...stopping(environment),
    isGone: () => false,
    settings: { holder: (runId) => `run:${runId}`, leaseMs: LEASE_MS, clocksAgree: true, billedBy: 'aws' },
    async recordFailed(plan, result) {
      const detail = `${result.error?.name}: ${result.error?.message} (after ${result.duration_ms} ms)`;
      const at = clock.now();
      const note = { at, function: 'fail', run_id: plan.run.run_id };
      const record = JSON.stringify(runRow(plan, recordOf(plan, result), at));
      // The first for people; the second is what the table of runs would say, which `strata runs` shows.
      await audit.append([
        { ...note, event: 'failed', detail },
        { ...note, event: 'recorded', detail: record },
      ]);
    },
  };
}

/** What may not be reached where a function is must not take the time that undoing a run takes. */
const IN_PASSING = { attempts: 2, timeoutMs: 5_000 };

/** Whom Fail asks to stop what they compute for a run that it undoes. */
function stopping({ athenaWorkgroup, spark }: FunctionEnvironment): Pick<FailDeps, 'sqlEngine'> {
  if (athenaWorkgroup === undefined && spark === undefined) return {};
  const ask = createAskAws(() => new S3Client({ requestHandler: CONNECTIONS }).config, IN_PASSING);
  const engines = {
    athena: athenaWorkgroup === undefined ? undefined : stopsAthena(ask),
    spark: spark === undefined ? undefined : stopsJobs(ask, spark.applicationId),
  };
  return { sqlEngine: (name) => engines[name] };
}

export function notifyDeps(log: Log): NotifyDeps & { readonly pipeline: string } {
  const { environment, store, audit } = common(log);
  const { pipeline } = environment;
  sns ??= new SNSClient({ requestHandler: CONNECTIONS });
  const topic = createSnsAlerts(sns, required('STRATA_TOPIC_ARN', environment.topicArn));
  const wait = (ms: number) => sleep(ms);
  const alerts = environment.webhook === undefined ? topic : alsoPosted(topic, environment.webhook, { log, wait });
  return { pipeline, store, audit, clock, log, alerts, wait };
}

/** The secret is read for each alert, so that a new URL counts from then on. */
function alsoPosted(topic: Alerts, webhook: Webhook, { log, wait }: Pick<NotifyDeps, 'log' | 'wait'>): Alerts {
  const ask = createAskAws(() => new SNSClient({ requestHandler: CONNECTIONS }).config, {});
  return alertingAlso(topic, createWebhookAlerts(webhook, { secret: createAwsSecrets(ask), wait }), log);
}

export function required(name: string, value: string | undefined): string {
  if (value !== undefined) return value;
  throw new InvalidInput(`no ${name} in the environment of this function: deploy its stack again`);
}
