import { Duration } from 'aws-cdk-lib';
import { type IMetric, MathExpression, Metric, type MetricOptions, Stats } from 'aws-cdk-lib/aws-cloudwatch';

/** Of the executions of a state machine. */
export function machineMetric(machineArn: string, metricName: string, options: MetricOptions = {}): Metric {
  const dimensionsMap = { StateMachineArn: machineArn };
  const period = Duration.minutes(5);
  return new Metric({ namespace: 'AWS/States', metricName, dimensionsMap, statistic: Stats.SUM, period, ...options });
}

/** What the functions of a pipeline measure themselves; see lib/runtime/lambda/telemetry.ts. */
export function ownMetric(service: string, step: string, metricName: string, options: MetricOptions = {}): Metric {
  const dimensionsMap = { service, function: step };
  const period = Duration.minutes(5);
  return new Metric({ namespace: 'Strata', metricName, dimensionsMap, statistic: Stats.SUM, period, ...options });
}

/**
 * Runs that ended well: those that published, and those that found nothing new. Dry runs are none. In an array a metric
 * without data counts as nothing, where `a + b` would be nothing as a whole.
 * Source: docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/using-metric-math.html
 */
export function succeededRuns(service: string, options: MetricOptions = {}): IMetric {
  const period = options.period ?? Duration.minutes(5);
  const of = (step: string): IMetric => ownMetric(service, step, 'RunSucceeded', { ...options, period });
  return new MathExpression({
    expression: 'SUM([published, unchanged])',
    usingMetrics: { published: of('Finish'), unchanged: of('Open') },
    label: 'runs that succeeded',
    period,
  });
}
