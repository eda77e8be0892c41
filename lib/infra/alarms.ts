import { Duration } from 'aws-cdk-lib';
import {
  Alarm,
  ComparisonOperator,
  type IAlarmAction,
  type IMetric,
  Metric,
  Stats,
  TreatMissingData,
} from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import type { Construct } from 'constructs';
import type { AlarmName } from '../core/alarms.ts';
import { isJudged } from '../core/compute.ts';
import type { PipelineSpec } from '../core/spec.ts';
import type { ILake } from './lake.ts';
import { machineMetric, ownMetric, succeededRuns } from './metrics.ts';
import type { PipelineMachine } from './state-machine.ts';

export type { AlarmName };

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
  /** By name. */
  readonly change?: { readonly [name in AlarmName]?: AlarmChange };
};

export type AlarmsProps = {
  readonly lake: ILake;
  readonly spec: PipelineSpec;
  readonly machine: PipelineMachine;
  readonly deadLetters: IQueue;
  readonly topic: ITopic;
  readonly options: AlarmsOptions;
};

type Watch = {
  readonly id: AlarmName;
  readonly description: string;
  readonly metric: IMetric;
  readonly threshold: number;
  readonly periods?: number;
  /** Default false: alarms above the threshold. */
  readonly below?: boolean;
  readonly missing?: TreatMissingData;
};

/**
 * One alarm for each kind of thing that someone has to look at; each tells the topic. An alarm is billed by the metrics that it
 * looks at, also within an expression, so each looks at one. docs/aws.md says what to do at each.
 */
export function createAlarms(scope: Construct, props: AlarmsProps): readonly Alarm[] {
  const topic = new SnsAction(props.topic);
  const { actions = [], change = {} } = props.options;
  const watches = [...runWatches(props), ...functionWatches(props), ...dataWatches(props)];
  const wanted = watches.filter(({ id }) => change[id] !== false);
  const nameOf = ({ id }: Watch): string => `${props.machine.name}-${id}`;
  props.lake.showAlarms(props.spec.name, wanted.map(nameOf));
  return wanted.map((watch) => {
    const { actions: own = [], threshold, evaluationPeriods } = change[watch.id] || {};
    const alarm = new Alarm(scope, `${watch.id}Alarm`, {
      alarmName: nameOf(watch),
      alarmDescription: watch.description,
      metric: watch.metric,
      threshold: threshold ?? watch.threshold,
      comparisonOperator: watch.below
        ? ComparisonOperator.LESS_THAN_THRESHOLD
        : ComparisonOperator.GREATER_THAN_THRESHOLD,
      evaluationPeriods: evaluationPeriods ?? watch.periods ?? 1,
      treatMissingData: watch.missing ?? TreatMissingData.NOT_BREACHING,
    });
    alarm.addAlarmAction(topic, ...actions, ...own);
    return alarm;
  });
}

function runWatches({ lake, spec, machine, deadLetters }: AlarmsProps): readonly Watch[] {
  return [
    {
      id: 'ExecutionFailed',
      description: 'A run failed; its alert names the cause',
      metric: machineMetric(machine.arn, 'ExecutionsFailed'),
      threshold: 0,
    },
    {
      id: 'EndedOtherwise',
      description: 'An execution timed out or was stopped, or maintenance failed; its alert says which',
      metric: ownMetric(lake.names.service(spec.name), 'EndedOtherwise'),
      threshold: 0,
    },
    {
      id: 'DeadLetters',
      description: 'Events of uploads, of the schedule or of ended runs could not be delivered',
      metric: deadLetters.metricApproximateNumberOfMessagesVisible({ period: Duration.minutes(5) }),
      threshold: 0,
    },
  ];
}

/** About all functions: which of them it was, the lines in their logs say. */
function functionWatches({ lake, spec }: AlarmsProps): readonly Watch[] {
  const service = lake.names.service(spec.name);
  const period = Duration.minutes(5);
  return [
    {
      id: 'Throttled',
      // What functions may do at once they share with all others of the account.
      description: 'Lambda refused calls in this account and region, maybe those of this pipeline',
      metric: new Metric({ namespace: 'AWS/Lambda', metricName: 'Throttles', statistic: Stats.SUM, period }),
      threshold: 0,
    },
    {
      id: 'NearTimeout',
      description: 'A call of a function took more than 80 % of the time that it may',
      metric: ownMetric(service, 'TimeUsedPercent', { statistic: Stats.MAXIMUM }),
      threshold: 80,
    },
    {
      id: 'NearMemory',
      description: 'A function used more than 90 % of its memory',
      metric: ownMetric(service, 'MemoryUsedPercent', { statistic: Stats.MAXIMUM }),
      threshold: 90,
    },
  ];
}

function dataWatches({ lake, spec }: AlarmsProps): readonly Watch[] {
  const service = lake.names.service(spec.name);
  const { quarantineRate, freshnessMs } = spec.slo;
  const watches: Watch[] = [];
  if (quarantineRate !== null) {
    watches.push({
      id: 'QuarantineRate',
      description: `A run rejected more than ${quarantineRate} % of the rows that it read`,
      metric: ownMetric(service, 'QuarantineRate', { statistic: Stats.MAXIMUM }),
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
  if (isJudged(spec.slo)) {
    watches.push({
      id: 'Promises',
      description: 'A promise was not kept when a run had ended; strata status --aws says which',
      metric: ownMetric(service, 'PromisesBroken', { statistic: Stats.MAXIMUM }),
      threshold: 0,
    });
  }
  return watches;
}
