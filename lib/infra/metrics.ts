import { Duration } from 'aws-cdk-lib';
import { Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';

/** Of the executions of a state machine. */
export function machineMetric(machineArn: string, metricName: string, options: MetricOptions = {}): Metric {
  const dimensionsMap = { StateMachineArn: machineArn };
  const period = Duration.minutes(5);
  return new Metric({ namespace: 'AWS/States', metricName, dimensionsMap, statistic: Stats.SUM, period, ...options });
}

/** What the functions of a pipeline measure themselves; see lib/runtime/lambda/telemetry.ts. */
export function ownMetric(service: string, metricName: string, options: MetricOptions = {}): Metric {
  const dimensionsMap = { service };
  const period = Duration.minutes(5);
  return new Metric({ namespace: 'Strata', metricName, dimensionsMap, statistic: Stats.SUM, period, ...options });
}

/** Runs that ended well: those that published, and those that found nothing new. Dry runs are none. */
export function succeededRuns(service: string, options: MetricOptions = {}): Metric {
  return ownMetric(service, 'RunSucceeded', options);
}
