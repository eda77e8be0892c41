import { Arn, ArnFormat, Stack } from 'aws-cdk-lib';
import { Alarm, AlarmStatusWidget, Dashboard, GraphWidget, type IMetric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import { machineMetric, ownMetric } from './metrics.ts';
import type { LakePlaces } from './places.ts';
import { stateMachineArn } from './state-machine.ts';

/** One page on all pipelines of a lake, by names alone, so that no stack holds another by its exports. */
export type LakeDashboard = {
  /** Gives each graph a line for a pipeline. */
  addPipeline(pipeline: string): void;
  /** Shows the state of its alarms. */
  addAlarms(pipeline: string, names: readonly string[]): void;
};

/** Each graph: what it is called, and the line of a pipeline in it. */
const GRAPHS: readonly (readonly [title: string, metric: string, statistic: string])[] = [
  ['Rows read', 'RowsRead', Stats.SUM],
  ['Rejected rows (%)', 'QuarantineRate', Stats.MAXIMUM],
  ['Duration of runs (ms)', 'RunDuration', Stats.MAXIMUM],
  ['Time since the run before (ms)', 'Freshness', Stats.MAXIMUM],
  ['Time used of what a call may take (%)', 'TimeUsedPercent', Stats.MAXIMUM],
  ['Memory used (%)', 'MemoryUsedPercent', Stats.MAXIMUM],
  ['Estimated cost (USD)', 'EstimatedCost', Stats.SUM],
];

export function createLakeDashboard(scope: Construct, { names }: LakePlaces): LakeDashboard {
  const dashboard = new Dashboard(scope, 'Dashboard', { dashboardName: names.workgroup });
  const graph = (title: string): GraphWidget => new GraphWidget({ title, width: 12 });
  const [succeeded, failed] = [graph('Executions that succeeded'), graph('Executions that failed')];
  const graphs = GRAPHS.map(([title, metric, statistic]) => ({ widget: graph(title), metric, statistic }));
  const all = [failed, succeeded, ...graphs.map(({ widget }) => widget)];
  for (let at = 0; at < all.length; at += 2) dashboard.addWidgets(...all.slice(at, at + 2));
  return {
    addPipeline(pipeline) {
      const arn = stateMachineArn(Stack.of(scope), names.stateMachine(pipeline));
      const line = (name: string): IMetric => machineMetric(arn, name, { label: pipeline });
      succeeded.addLeftMetric(line('ExecutionsSucceeded'));
      failed.addLeftMetric(line('ExecutionsFailed'));
      for (const { widget, metric, statistic } of graphs) {
        widget.addLeftMetric(ownMetric(names.service(pipeline), metric, { statistic, label: pipeline }));
      }
    },
    addAlarms(pipeline, alarms) {
      const shown = alarms.map((resourceName) =>
        Alarm.fromAlarmArn(
          scope,
          `Shown-${resourceName}`,
          Arn.format(
            { service: 'cloudwatch', resource: 'alarm', resourceName, arnFormat: ArnFormat.COLON_RESOURCE_NAME },
            Stack.of(scope),
          ),
        ),
      );
      dashboard.addWidgets(new AlarmStatusWidget({ title: pipeline, alarms: shown, width: 24 }));
    },
  };
}
