import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { PipelineSpec } from '../core/spec.ts';
import { FUNCTIONS, type FunctionAlarm, type FunctionName, STATES } from '../core/states.ts';
import { computeOf, type Functions } from './functions.ts';
import { machineMetric, ownMetric, succeededRuns } from './metrics.ts';
import type { LakePlaces } from './places.ts';
import type { PipelineMachine } from './state-machine.ts';

/** An alarm by its name, or all functions' alarms of a kind. */
export type AlarmName =
  | 'ExecutionFailed'
  | 'ExecutionTimedOut'
  | 'ExecutionAborted'
  | 'MaintenanceFailed'
  | 'DeadLetters'
  | 'QuarantineRate'
  | 'Freshness'
  | FunctionAlarm
  | `${FunctionName}${FunctionAlarm}`;

/** What is other than the default about an alarm; false: there is none. */
export type AlarmChange =
  | false
  | {
      /** In the unit of its metric. */
      readonly threshold?: number;
      readonly evaluationPeriods?: number;
      /** Beside the topic, and beside `actions` of all alarms. */
      readonly actions?: readonly IAlarmAction[];
    };

export type AlarmsOptions = {
  /** What each alarm does beside telling the topic. */
  readonly actions?: readonly IAlarmAction[];
  /** By name. That of a kind, such as `Throttled`, counts for every function whose own is not named. */
  readonly change?: { readonly [name in AlarmName]?: AlarmChange };
};

export type AlarmsProps = {
  readonly lake: LakePlaces;
  readonly spec: PipelineSpec;
  readonly functions: Functions;
  readonly machine: PipelineMachine;
  readonly maintenance: PipelineMachine;
  readonly deadLetters: IQueue;
  readonly topic: ITopic;
  readonly options: AlarmsOptions;
};

type Watch = {
  readonly id: AlarmName;
  /** Of a function's alarm. */
  readonly kind?: FunctionAlarm;
  readonly description: string;
  readonly metric: IMetric;
  readonly threshold: number;
  readonly periods?: number;
  /** Default false: alarms above the threshold. */
  readonly below?: boolean;
  readonly missing?: TreatMissingData;
};

/** One alarm for each thing that someone has to look at; each tells the topic. docs/aws.md says what to do at each. */
export function createAlarms(scope: Construct, props: AlarmsProps): readonly Alarm[] {
  const topic = new SnsAction(props.topic);
  const { actions = [], change = {} } = props.options;
  return [...runWatches(props), ...functionWatches(props), ...dataWatches(props)].flatMap((watch) => {
    const changed = change[watch.id] ?? (watch.kind === undefined ? undefined : change[watch.kind]) ?? {};
    if (changed === false) return [];
    const alarm = new Alarm(scope, `${watch.id}Alarm`, {
      alarmName: `${props.machine.name}-${watch.id}`,
      alarmDescription: watch.description,
      metric: watch.metric,
      threshold: changed.threshold ?? watch.threshold,
      comparisonOperator: watch.below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: changed.evaluationPeriods ?? watch.periods ?? 1,
      treatMissingData: watch.missing ?? TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(topic, ...actions, ...(changed.actions ?? []));
    return [alarm];
  });
}

function runWatches({ machine, maintenance, deadLetters }: AlarmsProps): readonly Watch[] {
  return [
    {
      id: 'ExecutionFailed',
      description: 'A run failed; its alert names the cause',
      metric: machineMetric(machine.arn, 'ExecutionsFailed'),
      threshold: 0,
    },
    {
      id: 'ExecutionTimedOut',
      description: 'An execution timed out',
      metric: machineMetric(machine.arn, 'ExecutionsTimedOut'),
      threshold: 0,
    },
    {
      id: 'ExecutionAborted',
      description: 'Somebody stopped an execution',
      metric: machineMetric(machine.arn, 'ExecutionsAborted'),
      threshold: 0,
    },
    {
      id: 'MaintenanceFailed',
      description: 'Maintenance of the tables failed; its alert names the cause',
      metric: machineMetric(maintenance.arn, 'ExecutionsFailed'),
      threshold: 0,
    },
    {
      id: 'DeadLetters',
      description: 'Events of uploads or of the schedule could not be delivered',
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5) }),
      threshold: 0,
    },
  ];
}

/** What the table of states says about each function. */
function functionWatches(props: AlarmsProps): readonly Watch[] {
  const watched = FUNCTIONS.flatMap((name) => STATES[name].alarms.map((alarm) => [name, alarm] as const));
  return watched.map(([name, alarm]) => functionWatch(props, name, alarm));
}

function functionWatch({ lake, spec, functions }: AlarmsProps, name: FunctionName, kind: FunctionAlarm): Watch {
  const watch = { id: `${name}${kind}`, kind } as const;
  const { timeoutSeconds, memoryMb } = computeOf(spec, name);
  const period = Duration.minutes(5);
  switch (kind) {
    case 'Throttled': {
      const metric = functions[name].metricThrottles({ period, statistic: Stats.SUM });
      return { ...watch, description: `Lambda refused calls of ${name}`, metric, threshold: 0 };
    }
    case 'NearTimeout': {
      const description = `A call of ${name} took more than 80 % of the ${timeoutSeconds} s that it may`;
      const metric = functions[name].metricDuration({ period, statistic: Stats.MAXIMUM });
      return { ...watch, description, metric, threshold: timeoutSeconds * 800 };
    }
    case 'NearMemory': {
      const service = lake.names.service(spec.name);
      const metric = ownMetric(service, name, 'MemoryUsedPercent', { statistic: Stats.MAXIMUM });
      return { ...watch, description: `${name} used more than 90 % of its ${memoryMb} MB`, metric, threshold: 90 };
    }
  }
}

function dataWatches({ lake, spec }: AlarmsProps): readonly Watch[] {
  const service = lake.names.service(spec.name);
  const { quarantineRate, freshnessMs } = spec.slo;
  const watches: Watch[] = [];
  if (quarantineRate !== null) {
    watches.push({
      id: 'QuarantineRate',
      description: `A run rejected more than ${quarantineRate} % of the rows that it read`,
      metric: ownMetric(service, 'Finish', 'QuarantineRate', { statistic: Stats.MAXIMUM }),
      threshold: quarantineRate,
    });
  }
  if (freshnessMs !== null) {
    const hours = Math.ceil(freshnessMs / 3_600_000);
    watches.push({
      id: 'Freshness',
      description: `No run has succeeded for ${hours} hours, or none ever since the deployment`,
      metric: succeededRuns(service, { period: Duration.hours(1) }),
      threshold: 1,
      below: true,
      periods: hours,
      missing: TreatMissingData.BREACHING,
    });
  }
  return watches;
}
