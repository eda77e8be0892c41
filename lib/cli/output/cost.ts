import type { CostEstimate } from '../../plan/cost.ts';
import { formatBytes, formatCount, formatUsd } from './human.ts';
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
    `on AWS it would cost about ${formatUsd(cost.usd)}, and ${formatUsd(glue.usd)} as a Glue job:`,
    renderTable(
      rows,
      [{ name: 'service' }, { name: 'what' }, { name: 'quantity', type: 'BIGINT' }, { name: 'USD', type: 'BIGINT' }],
      layout,
    ),
    `prices of ${cost.region}, checked ${cost.prices_checked}, without free tiers; ${basis}\n`,
  ].join('\n');
}
