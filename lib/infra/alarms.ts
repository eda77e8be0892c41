import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  MathExpression,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { Topic } from 'aws-cdk-lib/aws-sns';
import type { Queue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { PipelineSpec } from '../core/spec.ts';
import { FUNCTIONS, type FunctionAlarm, type FunctionName, STATES } from '../core/states.ts';
import { computeOf, type Functions } from './functions.ts';
import type { Lake } from './lake.ts';
import type { PipelineMachine } from './state-machine.ts';

export type AlarmsProps = {
  readonly lake: Lake;
  readonly spec: PipelineSpec;
  readonly functions: Functions;
  readonly machine: PipelineMachine;
  readonly deadLetters: Queue;
  readonly topic: Topic;
};

type Watch = {
  readonly id: string;
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
  const action: IAlarmAction = new SnsAction(props.topic);
  return [...runWatches(props), ...functionWatches(props), ...dataWatches(props)].map((watch) => {
    const alarm = new Alarm(scope, `${watch.id}Alarm`, {
      alarmName: `${props.machine.name}-${watch.id}`,
      alarmDescription: watch.description,
      metric: watch.metric,
      threshold: watch.threshold,
      comparisonOperator: watch.below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: watch.periods ?? 1,
      treatMissingData: watch.missing ?? TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(action);
    return alarm;
  });
}

/** Of the executions of the state machine. */
export function machineMetric(machine: PipelineMachine, metricName: string): Metric {
  const dimensionsMap = { StateMachineArn: machine.arn };
  const period = Duration.minutes(5);
  return new Metric({ namespace: 'AWS/States', metricName, dimensionsMap, statistic: Stats.SUM, period });
}

/** What the functions measure themselves; see lib/runtime/lambda/telemetry.ts. */
export function ownMetric(
  service: string,
  step: string,
  metricName: string,
  statistic: string,
  period = Duration.minutes(5),
): Metric {
  const dimensionsMap = { service, function: step };
  return new Metric({ namespace: 'Strata', metricName, dimensionsMap, statistic, period });
}

/**
 * Runs that ended well: those that published, and those that found nothing new. Dry runs are none. In an array a metric
 * without data counts as nothing, where `a + b` would be nothing as a whole.
 * Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
function succeededRuns(service: string, period: Duration): IMetric {
  const of = (step: string): IMetric => ownMetric(service, step, 'RunSucceeded', Stats.SUM, period);
  return new MathExpression({
    expression: 'SUM([published, unchanged])',
    usingMetrics: { published: of('Finish'), unchanged: of('Open') },
    label: 'runs that succeeded',
    period,
  });
}

function runWatches({ machine, deadLetters }: AlarmsProps): readonly Watch[] {
  return [
    {
      id: 'ExecutionFailed',
      description: 'A run failed; its alert names the cause',
      metric: machineMetric(machine, 'ExecutionsFailed'),
      threshold: 0,
    },
    {
      id: 'ExecutionTimedOut',
      description: 'An execution timed out',
      metric: machineMetric(machine, 'ExecutionsTimedOut'),
      threshold: 0,
    },
    {
      id: 'ExecutionAborted',
      description: 'Somebody stopped an execution',
      metric: machineMetric(machine, 'ExecutionsAborted'),
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

function functionWatch({ lake, spec, functions }: AlarmsProps, name: FunctionName, alarm: FunctionAlarm): Watch {
  const id = `${name}${alarm}`;
  const { timeoutSeconds, memoryMb } = computeOf(spec, name);
  const period = Duration.minutes(5);
  switch (alarm) {
    case 'Throttled': {
      const metric = functions[name].metricThrottles({ period, statistic: Stats.SUM });
      return { id, description: `Lambda refused calls of ${name}`, metric, threshold: 0 };
    }
    case 'NearTimeout': {
      const description = `A call of ${name} took more than 80 % of the ${timeoutSeconds} s that it may`;
      const metric = functions[name].metricDuration({ period, statistic: Stats.MAXIMUM });
      return { id, description, metric, threshold: timeoutSeconds * 800 };
    }
    case 'NearMemory': {
      const metric = ownMetric(lake.names.service(spec.name), name, 'MemoryUsedPercent', Stats.MAXIMUM);
      return { id, description: `${name} used more than 90 % of its ${memoryMb} MB`, metric, threshold: 90 };
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
      metric: ownMetric(service, 'Finish', 'QuarantineRate', Stats.MAXIMUM),
      threshold: quarantineRate,
    });
  }
  if (freshnessMs !== null) {
    const hours = Math.ceil(freshnessMs / 3_600_000);
    watches.push({
      id: 'Freshness',
      description: `No run has succeeded for ${hours} hours, or none ever since the deployment`,
      metric: succeededRuns(service, Duration.hours(1)),
      threshold: 1,
      below: true,
      periods: hours,
      missing: TreatMissingData.BREACHING,
    });
  }
  return watches;
}
