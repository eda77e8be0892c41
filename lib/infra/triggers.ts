import { Aws, Duration } from 'aws-cdk-lib';
import { PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam';
import { SqsEventSource } from 'aws-cdk-lib/aws-lambda-event-sources';
import { CfnSchedule } from 'aws-cdk-lib/aws-scheduler';
import { type IQueue, Queue, QueueEncryption } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import { MAINTENANCE_OPERATIONS, type MaintenanceOperation, type MaintenanceRequest } from '../core/asked.ts';
import { InvalidInput } from '../core/errors.ts';
import { keptRules, LEAST_AGE_MS } from '../core/maintenance-rules.ts';
import { awsExpressions } from '../core/schedule/aws-cron.ts';
import { parseCron } from '../core/schedule/cron.ts';
import { DEFAULT_RECONCILE_MS, type PipelineSpec } from '../core/spec.ts';
import { listenToEvents } from './events.ts';
import { computeOf, type Functions } from './functions.ts';
import type { LakePlaces } from './places.ts';
import type { PipelineMachine } from './state-machine.ts';

export type TriggersProps = {
  readonly lake: LakePlaces;
  readonly spec: PipelineSpec;
  readonly functions: Functions;
  /** Of schedules. */
  readonly role: Role;
  readonly machine: PipelineMachine;
  readonly maintenance: PipelineMachine;
  /** What starts runs. */
  readonly startOn: StartOn;
  /** undefined: a queue is made. */
  readonly deadLetters: IQueue | undefined;
};

export type StartOn = {
  /** Files that land; default true. */
  readonly upload?: boolean;
  /** The schedule that the pipeline declares, and those of its branches; default true. */
  readonly schedule?: boolean;
  /** Runs of the pipelines that the pipeline says it runs after; default true. */
  readonly after?: boolean;
  /** When maintenance is done, and what of it; default: all of it, on the schedule that the pipeline declares for it. */
  readonly maintenance?: ScheduledMaintenance | false;
  /** When tables are compacted and no more, as EventBridge Scheduler says it: `rate(1 day)`, `cron(0 3 ? * SUN *)`, in UTC. Default: never. */
  readonly compaction?: string;
};

/** Maintenance on a schedule: in one execution the operations that are named, in this order. */
export type ScheduledMaintenance = {
  /** As EventBridge Scheduler says it: `rate(1 day)`, `cron(0 3 ? * SUN *)`, in UTC. */
  readonly schedule: string;
  /** Default: all. */
  readonly operations?: readonly MaintenanceOperation[];
  /** Hours that what is forgotten and removed has not been needed for, a week or more. Default: as the pipeline says. */
  readonly olderThanHours?: number;
  /** So many of the latest snapshots of a table stay. Default: as the pipeline says. */
  readonly keep?: number;
};

/** Uploads that come within this time go into one execution. */
const BATCH_WINDOW = Duration.seconds(30);
const BATCH_SIZE = 1_000;
const ATTEMPTS = 5;
const HOUR_MS = 3_600_000;
const MINUTE_MS = 60_000;

/** `events`: what the starter reads; undefined: nothing starts runs by events. `deadLetters`: what could not be delivered. */
export type Queues = { readonly events: IQueue | undefined; readonly deadLetters: IQueue };

/** What starts runs: uploads to bronze and the pipeline's schedule. */
export function createTriggers(scope: Construct, props: TriggersProps): Queues {
  const deadLetters = props.deadLetters ?? createDeadLetters(scope);
  const { upload = true, schedule = true, after = true } = props.startOn;
  const followed = after ? (props.spec.after ?? []) : [];
  const queue = upload || followed.length > 0 ? startByQueue(scope, props, deadLetters) : undefined;
  if (upload) compareOnSchedule(scope, props, deadLetters);
  listenToEvents(scope, { ...props, upload, followed, queue, deadLetters });
  if (schedule && props.spec.schedule !== null) {
    const { lake, spec, machine } = props;
    startOnSchedule(scope, {
      id: 'Schedule',
      name: lake.names.stateMachine(spec.name),
      description: `Runs the pipeline ${spec.name}`,
      schedule: spec.schedule ?? '',
      machine,
      input: { pipeline: spec.name, started_by: 'schedule' },
      role: props.role,
      deadLetters,
    });
  }
  if (schedule) startBranches(scope, props, deadLetters);
  const asked = props.startOn.maintenance ?? declaredMaintenance(props.spec);
  if (asked !== undefined && asked !== false) {
    const { lake, spec, maintenance } = props;
    startOnSchedule(scope, {
      id: 'MaintenanceSchedule',
      name: `${lake.names.maintenance(spec.name)}_all`,
      description: `Maintains the tables of the pipeline ${spec.name}`,
      schedule: asked.schedule,
      machine: maintenance,
      input: { pipeline: spec.name, kind: 'maintenance', maintenance: requestOf(scope, spec, asked) },
      role: props.role,
      deadLetters,
    });
  }
  if (props.startOn.compaction !== undefined) {
    const { lake, spec, maintenance } = props;
    startOnSchedule(scope, {
      id: 'CompactionSchedule',
      name: lake.names.maintenance(spec.name),
      description: `Compacts the tables of the pipeline ${spec.name}`,
      schedule: props.startOn.compaction,
      machine: maintenance,
      input: { pipeline: spec.name, kind: 'maintenance', compact: {} },
      role: props.role,
      deadLetters,
    });
  }
  return { events: queue, deadLetters };
}

/**
 * A run of a branch is for the period that begins when its schedule fires, however late it is delivered; which that is, and what is to be
 * caught up before it, the run finds out.
 */
function startBranches(scope: Construct, { lake, spec, machine, role }: TriggersProps, deadLetters: IQueue): void {
  for (const branch of spec.schedules ?? []) {
    const fields = parseCron(branch.cron);
    for (const [at, schedule] of (fields === undefined ? [] : awsExpressions(fields)).entries()) {
      startOnSchedule(scope, {
        id: `Branch-${branch.name}${at === 0 ? '' : at + 1}`,
        name: lake.names.branch(spec.name, branch.name, at + 1),
        description: `Runs the branch ${branch.name} of the pipeline ${spec.name}`,
        schedule,
        zone: branch.zone,
        machine,
        input: {
          pipeline: spec.name,
          started_by: 'schedule',
          branch: branch.name,
          fired_at: '<aws.scheduler.scheduled-time>',
        },
        role,
        deadLetters,
      });
    }
  }
}

function declaredMaintenance({ maintenance }: PipelineSpec): ScheduledMaintenance | undefined {
  const schedule = maintenance?.schedule;
  return schedule === undefined ? undefined : { schedule };
}

/** What the execution is asked for, by the rules of the pipeline. Throws InvalidInput for less than a week, and for no operation. */
function requestOf(scope: Construct, spec: PipelineSpec, asked: ScheduledMaintenance): MaintenanceRequest {
  const rules = keptRules(spec);
  const {
    operations = MAINTENANCE_OPERATIONS,
    olderThanHours = rules.olderThanMs / HOUR_MS,
    keep = rules.keep,
  } = asked;
  const place = `${scope.node.path}: startOn.maintenance`;
  if (operations.length === 0) {
    throw new InvalidInput(`${place}.operations: got none; expected some of ${MAINTENANCE_OPERATIONS.join(', ')}`);
  }
  const older_than_ms = olderThanHours * HOUR_MS;
  if (older_than_ms < LEAST_AGE_MS) {
    throw new InvalidInput(
      `${place}.olderThanHours: got ${olderThanHours}; expected ${LEAST_AGE_MS / HOUR_MS} or more: what is younger may be read by a query, a run or another engine`,
    );
  }
  return {
    operations,
    ...(operations.includes('expire') ? { expire: { older_than_ms, keep } } : {}),
    ...(operations.includes('vacuum') ? { vacuum: { older_than_ms } } : {}),
  };
}

function createDeadLetters(scope: Construct): IQueue {
  return new Queue(scope, 'DeadLetters', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
  });
}

/** Tells a function which maintenance to start when a run has found it to be due; the machines' own policies let their role do so. */
export function maintainAfter({ MaintainAfter }: Functions, { arn }: PipelineMachine): void {
  MaintainAfter.addEnvironment('STRATA_STATE_MACHINE_ARN', arn);
}

/** Lets what waits for a decision be woken that has come before it could wait. */
export function wakeWaiting({ AwaitDecision }: Functions, { arn }: PipelineMachine): void {
  AwaitDecision?.addToRolePolicy(
    new PolicyStatement({ sid: 'Wake', actions: ['states:SendTaskSuccess'], resources: [arn] }),
  );
}

/** The queue of what starts runs, and the function that reads it. */
function startByQueue(scope: Construct, { spec, functions, machine }: TriggersProps, deadLetters: IQueue): Queue {
  const starter = functions.Starter;
  const { timeoutSeconds } = computeOf(spec, 'Starter');
  const uploads = new Queue(scope, 'Uploads', {
    encryption: QueueEncryption.SQS_MANAGED,
    enforceSSL: true,
    retentionPeriod: Duration.days(14),
    // As AWS advises: six times what the function may take, and the time it waits for a batch.
    visibilityTimeout: Duration.seconds(timeoutSeconds * 6 + BATCH_WINDOW.toSeconds()),
    deadLetterQueue: { queue: deadLetters, maxReceiveCount: ATTEMPTS },
  });
  starter.addEventSource(
    new SqsEventSource(uploads, {
      batchSize: BATCH_SIZE,
      maxBatchingWindow: BATCH_WINDOW,
      maxConcurrency: 2,
      reportBatchItemFailures: true,
    }),
  );
  starter.addEnvironment('STRATA_STATE_MACHINE_ARN', machine.arn);
  return uploads;
}

/** Events may be lost: what no event told of is found when all of bronze is compared. */
function compareOnSchedule(scope: Construct, { lake, spec, role, machine }: TriggersProps, deadLetters: IQueue): void {
  const minutes = Math.max(1, Math.floor((spec.discover?.reconcileMs ?? DEFAULT_RECONCILE_MS) / MINUTE_MS));
  startOnSchedule(scope, {
    id: 'ComparisonSchedule',
    name: lake.names.comparison(spec.name),
    description: `Compares all that has landed for the pipeline ${spec.name} with what is known`,
    schedule: minutes === 1 ? 'rate(1 minute)' : `rate(${minutes} minutes)`,
    machine,
    input: { pipeline: spec.name, started_by: 'comparison' },
    role,
    deadLetters,
  });
}

type Scheduled = {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly schedule: string;
  /** Left out: UTC. */
  readonly zone?: string;
  readonly machine: PipelineMachine;
  readonly input: { readonly pipeline: string; readonly [asked: string]: unknown };
  /** May start the machine, which the state machines' own policies say. */
  readonly role: Role;
  readonly deadLetters: IQueue;
};

/**
 * The scheduler names the execution by its own execution id, so that an attempt that is delivered twice runs once. Should
 * it try again because an answer was lost, the second execution waits for the first and finds nothing to do.
 * Source: docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html
 */
function startOnSchedule(
  scope: Construct,
  { id, name, description, schedule, zone = 'UTC', machine, input: asked, role, deadLetters }: Scheduled,
): void {
  deadLetters.grantSendMessages(role);
  const runId = '<aws.scheduler.execution-id>';
  const input = { ...asked, run_id: runId, dry_run: false, wait: true };
  const target = { StateMachineArn: machine.arn, Name: runId, Input: JSON.stringify(input) };
  const made = new CfnSchedule(scope, id, {
    name,
    description,
    scheduleExpression: schedule,
    scheduleExpressionTimezone: zone,
    flexibleTimeWindow: { mode: 'OFF' },
    target: {
      arn: `arn:${Aws.PARTITION}:scheduler:::aws-sdk:sfn:startExecution`,
      roleArn: role.roleArn,
      input: JSON.stringify(target),
      retryPolicy: { maximumRetryAttempts: ATTEMPTS, maximumEventAgeInSeconds: 3_600 },
      deadLetterConfig: { arn: deadLetters.queueArn },
    },
  });
  made.node.addDependency(role);
}
