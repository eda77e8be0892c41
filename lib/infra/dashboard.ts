import { type Alarm, AlarmStatusWidget, Dashboard, GraphWidget, type IMetric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';
import type { AlarmsProps } from './alarms.ts';
import { machineMetric, ownMetric } from './metrics.ts';

/** One page on a pipeline: what is wrong, its runs, its rows, its functions, what it costs. */
export function createDashboard(
  scope: Construct,
  { lake, spec, functions, machine, deadLetters }: Omit<AlarmsProps, 'topic' | 'options'>,
  alarms: readonly Alarm[],
): Dashboard {
  const service = lake.names.service(spec.name);
  const run = (name: string, statistic: string = Stats.SUM): IMetric =>
    ownMetric(service, 'Finish', name, { statistic });
  const graph = (title: string, left: IMetric[]): GraphWidget => new GraphWidget({ title, left, width: 12 });
  const dashboard = new Dashboard(scope, 'Dashboard', { dashboardName: machine.name });
  if (alarms.length > 0) {
    dashboard.addWidgets(new AlarmStatusWidget({ title: 'Alarms', alarms: [...alarms], width: 24 }));
  }
  dashboard.addWidgets(
    graph(
      'Executions',
      ['ExecutionsStarted', 'ExecutionsSucceeded', 'ExecutionsFailed'].map((name) => machineMetric(machine.arn, name)),
    ),
    graph('Duration of runs (ms)', [run('RunDuration', Stats.MAXIMUM)]),
  );
  dashboard.addWidgets(
    graph(
      'Rows',
      ['RowsRead', 'RowsAccepted', 'RowsQuarantined', 'RowsCondemned', 'RowsDuplicate'].map((name) => run(name)),
    ),
    graph('Rejected rows (%)', [run('QuarantineRate', Stats.MAXIMUM)]),
  );
  dashboard.addWidgets(
    graph(
      'Duration of calls (ms)',
      Object.values(functions).map((made) => made.metricDuration({ statistic: Stats.MAXIMUM })),
    ),
    graph(
      'Memory used (%)',
      (['Stage', 'Merge', 'Audit', 'Commit'] as const).map((step) =>
        ownMetric(service, step, 'MemoryUsedPercent', { statistic: Stats.MAXIMUM }),
      ),
    ),
  );
  dashboard.addWidgets(
    graph('Files and bytes read', [run('FilesRead'), run('BytesRead')]),
    graph('Estimated cost (USD)', [run('EstimatedCost')]),
  );
  dashboard.addWidgets(
    graph('Time since the run before (ms)', [run('Freshness', Stats.MAXIMUM)]),
    graph('Dead letters', [deadLetters.metricApproximateNumberOfMessagesVisible()]),
  );
  return dashboard;
}
