import type { Amount } from '../../plan/compare-costs.ts';
import type { MonthCost, PipelineCost } from '../../query/month-cost.ts';
import type { Context } from '../context.ts';
import { formatCount, formatQuantity, formatUsd } from './human.ts';
import { renderTable, type TableLayout } from './table.ts';

/** What the runs of a month have cost on AWS beside their estimates, pipeline by pipeline. */
export function renderMonth(cost: MonthCost, { lake, layout }: Pick<Context, 'lake' | 'layout'>): string {
  const { month, pipelines, region, prices_checked } = cost;
  if (pipelines.length === 0) return `no runs in ${lake} in ${month}\n`;
  const all =
    pipelines.length === 1
      ? []
      : [`all pipelines: about ${formatUsd(cost.recorded_usd)}, estimated ${formatUsd(cost.estimated_usd)}\n`];
  return [
    ...pipelines.map((one) => renderPipeline(one, month, layout)),
    ...all,
    `prices of ${region}, checked ${prices_checked}, without free tiers, storage, logs and what the lake costs a month\n`,
  ].join('\n');
}

function renderPipeline(one: PipelineCost, month: string, layout: TableLayout): string {
  const { pipeline, runs, lines, idle } = one;
  const sum =
    runs === 0
      ? `${pipeline} in ${month}: no run whose cost is known${leftOut(one)}\n`
      : `${pipeline} in ${month}: ${formatQuantity(runs, 'run')} on AWS cost about ${formatUsd(one.recorded_usd)}, estimated ${formatUsd(one.estimated_usd)}${leftOut(one)}\n`;
  if (lines.length === 0) return sum;
  const rows = lines.map(({ service, item, unit, estimated, recorded }) => ({
    service,
    what: item,
    unit,
    estimated: quantityOf(estimated),
    recorded: quantityOf(recorded),
    'estimated USD': estimated?.usd.toFixed(6) ?? '',
    'recorded USD': recorded?.usd.toFixed(6) ?? '',
  }));
  const figures = ['estimated', 'recorded', 'estimated USD', 'recorded USD'];
  const columns = [
    ...['service', 'what', 'unit'].map((name) => ({ name })),
    ...figures.map((name) => ({ name, type: 'BIGINT' })),
  ];
  const beside = idle === null ? [] : [`beside its runs it costs about ${formatUsd(idle.pipeline_usd)} a month\n`];
  return [`${sum.trimEnd()}:`, renderTable(rows, columns, layout), ...beside].join('\n');
}

function quantityOf(amount: Amount | null): string {
  return amount === null ? '' : formatCount(amount.quantity);
}

function leftOut({ left_out: { failed, maintenance, gone }, assumed }: PipelineCost): string {
  const kinds = [
    [failed, 'failed'],
    [maintenance, 'of maintenance'],
    [gone, 'whose folders are gone'],
  ] as const;
  const counted = kinds.flatMap(([count, what]) => (count === 0 ? [] : [`${formatCount(count)} ${what}`]));
  const unpriced = counted.length === 0 ? '' : `, without ${counted.join(', ')}`;
  return assumed === 0 ? unpriced : `${unpriced}; of ${formatCount(assumed)} the requests are assumed`;
}
