import { DEFAULT_COMPUTE } from '../../core/compute.ts';
import type { RunCost } from '../../core/cost.ts';
import type { RunResult } from '../../core/run.ts';
import { type CostEstimate, costOfRun } from '../../plan/cost.ts';
import type { IdleCost } from '../../plan/idle-cost.ts';
import { formatBytes, formatCount, formatDuration, formatQuantity, formatUsd } from './human.ts';
import { renderTable, type TableLayout } from './table.ts';

/** What a run would cost on AWS, line by line, with Glue beside it and where the durations come from. */
export function renderCost(cost: CostEstimate, layout: TableLayout): string {
  const { glue, rates } = cost;
  const rows = [
    ...cost.lines.map(({ service, item, quantity, unit, usd }) => ({
      service,
      what: item,
      quantity: `${formatCount(quantity)} ${unit}`,
      USD: usd.toFixed(6),
    })),
    { service: 'total', what: '', quantity: '', USD: cost.usd.toFixed(6) },
    {
      service: 'Glue',
      what: 'the same work',
      quantity: `${glue.dpus} DPU for ${glue.seconds} s`,
      USD: glue.usd.toFixed(6),
    },
  ];
  const parse = `${formatBytes(rates.bytesPerSecond.parse)} a second and vCPU`;
  const basis =
    rates.run === null
      ? `files are assumed to be read at ${parse}`
      : `files are read at ${parse}, as run ${rates.run} did on this machine`;
  return [
    `on AWS it would take about ${formatDuration(cost.seconds * 1_000)} and cost about ${formatUsd(cost.usd)}, and ${formatUsd(glue.usd)} as a Glue job:`,
    renderTable(
      rows,
      [{ name: 'service' }, { name: 'what' }, { name: 'quantity', type: 'BIGINT' }, { name: 'USD', type: 'BIGINT' }],
      layout,
    ),
    `prices of ${cost.region}, checked ${cost.prices_checked}, without free tiers; ${basis}\n`,
  ].join('\n');
}

/** What a deployed pipeline costs a month while nothing lands, line by line. */
export function renderIdle(idle: IdleCost, layout: TableLayout): string {
  const rows = idle.lines.map(({ of, item, quantity, unit, usd }) => ({
    of,
    what: item,
    quantity: `${formatCount(quantity)} ${unit}`,
    USD: usd.toFixed(4),
  }));
  return [
    `deployed and idle it costs about ${formatUsd(idle.pipeline_usd)} a month, and the lake ${formatUsd(idle.lake_usd)} for all its pipelines, beside storage:`,
    renderTable(
      rows,
      [{ name: 'of' }, { name: 'what' }, { name: 'quantity', type: 'BIGINT' }, { name: 'USD', type: 'BIGINT' }],
      layout,
    ),
  ].join('\n');
}

/** What a run costs on AWS, in a line; of a result of an earlier release it says what is assumed. */
export function renderRunCost(result: Pick<RunResult, 'status' | 'steps' | 'tables' | 'cost'>): string {
  if (result.cost === null) return '';
  const cost: RunCost = result.cost ?? costOfRun(result, DEFAULT_COMPUTE);
  const found = new Map(cost.lines.map(({ item, quantity }) => [item, quantity]));
  const quantity = (item: string): number => found.get(item) ?? 0;
  const counts = [
    formatQuantity(quantity('requests'), 'call'),
    formatQuantity(quantity('state transitions'), 'state transition'),
    `${formatCount(quantity('PUT and LIST'))} PUT`,
    `${formatCount(quantity('GET'))} GET`,
  ].join(', ');
  const rest =
    cost.requests === 'assumed'
      ? 'the requests are assumed, as an earlier release did not count them'
      : `files read ${formatBytes(quantity('files read'))}, written ${formatBytes(quantity('files written'))}`;
  return `on AWS this run costs about ${formatUsd(cost.usd)}: ${counts}; ${rest}\n`;
}
