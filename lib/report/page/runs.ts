import type { ModelFigures } from '../../core/page-facts.ts';
import { formatCount, formatDuration, formatQuantity } from '../human.ts';
import { formatPercent } from '../promise-text.ts';
import { FEW, percentOf } from '../statistics.ts';
import { renderBars, renderLines, renderStacks } from './charts.ts';
import { type Html, html } from './html.ts';
import { duration, idOf, MODEL_COSTS, modelCosts, p95Of, usd } from './overview.ts';
import type { Change, PipelineReport } from './report.ts';
import { renderTable } from './table.ts';
import { renderTime } from './time.ts';

const MOST_BARS = 20;

/** How long runs took, and how many failed, day by day. */
export function renderRuns({ status: { pipeline, runs }, by_day }: PipelineReport): Html {
  if (runs.n + runs.failed === 0) return html`<p class="none">Runs: none in these days</p>`;
  const of = { along: 'day', labels: by_day.map(({ day }) => day) };
  const times = renderLines({
    ...{ ...of, id: idOf('times', pipeline), title: `Time of the runs of ${pipeline}`, format: formatDuration },
    series: [
      { name: 'p50', values: by_day.map(({ p50 }) => p50) },
      { name: 'p95', values: by_day.map(({ p95 }) => p95) },
    ],
  });
  const ends = renderStacks({
    ...{ ...of, id: idOf('ends', pipeline), title: `How the runs of ${pipeline} ended`, format: formatCount },
    series: [
      { name: 'succeeded', values: by_day.map(({ succeeded }) => succeeded) },
      { name: 'failed', values: by_day.map(({ failed }) => failed) },
    ],
  });
  return html`<p>${formatQuantity(runs.n + runs.failed, 'run')}, ${formatPercent(runs.success_rate)} succeeded; mean ${duration(runs.mean)}, p50 ${duration(runs.p50)}, p95 ${p95Of(runs)}.</p>${times}${ends}`;
}

export function renderLatest({ status: { pipeline }, latest }: PipelineReport): Html {
  if (latest.length === 0) return html``;
  const columns = [
    { name: 'run' },
    { name: 'ended' },
    { name: 'began' },
    { name: 'took', numeric: true },
    { name: 'cost', numeric: true },
    { name: 'error', prose: true as const },
  ];
  const rows = latest.map(({ run_id, succeeded, started_at, duration_ms, cost_usd, error }) => [
    run_id,
    succeeded ? 'succeeded' : html`<span class="bad">failed</span>`,
    renderTime(started_at),
    formatDuration(duration_ms),
    usd(cost_usd ?? null),
    error ?? '-',
  ]);
  return html`<details><summary>The latest ${rows.length} runs</summary>${renderTable({ caption: `The latest runs of ${pipeline}`, columns, rows })}</details>`;
}

/** What each model took; those that took longest as bars. */
export function renderModels({ status: { pipeline, days }, models }: PipelineReport): Html {
  const numeric = ['runs', 'mean', 'p50', 'p95', 'success rate', 'rows of the latest', ...MODEL_COSTS];
  const table = renderTable({
    caption: `The models of ${pipeline}`,
    columns: [{ name: 'model' }, ...numeric.map((name) => ({ name, numeric: true }))],
    ids: models.map(({ model }) => idOf('model', pipeline, model)),
    rows: models.map((one) => [
      one.model,
      formatCount(one.runs),
      duration(one.mean),
      duration(one.p50),
      p95Of({ n: succeededOf(one), p95: one.p95, few: succeededOf(one) < FEW }),
      formatPercent(percentOf(succeededOf(one), one.runs)),
      one.rows_out === null ? '-' : formatCount(one.rows_out),
      ...modelCosts(one, days),
    ]),
    empty: 'no run has told of them yet',
  });
  const longest = [...models].sort((a, b) => (b.mean ?? 0) - (a.mean ?? 0)).slice(0, MOST_BARS);
  if (longest.length === 0) return table;
  const chart = renderBars({
    ...{
      id: idOf('models', pipeline),
      title: `Models of ${pipeline} by their mean time`,
      along: 'model',
      format: formatDuration,
    },
    labels: longest.map(({ model }) => model),
    series: [{ name: 'mean', values: longest.map(({ mean }) => mean) }],
  });
  return html`${chart}${table}`;
}

function succeededOf({ runs, failed }: ModelFigures): number {
  return runs - failed;
}

/** Two sets of runs beside each other; nothing where none were asked for. */
export function renderCompared({ status: { pipeline }, compared }: PipelineReport): Html {
  if (compared === null) return html``;
  const { before, after, whole, models } = compared;
  const rows = [['all of a run', whole] as const, ...models.map((one) => [one.model, one] as const)];
  const table = renderTable({
    caption: `Runs ${after}… against runs ${before}…, by their means`,
    columns: [
      { name: 'what' },
      ...[
        'runs before',
        'runs after',
        'time before',
        'time after',
        'change',
        'cost before',
        'cost after',
        'change of cost',
      ].map((name) => ({ name, numeric: true })),
    ],
    rows: rows.map(([name, one]) => [name, ...cellsOf(one)]),
  });
  const shown = rows.slice(0, MOST_BARS);
  const chart = renderBars({
    ...{
      id: idOf('compared', pipeline),
      title: `Mean times of ${pipeline}, ${before} and ${after}`,
      along: 'what',
      format: formatDuration,
    },
    labels: shown.map(([name]) => name),
    series: [
      { name: before, values: shown.map(([, one]) => one.before.mean) },
      { name: after, values: shown.map(([, one]) => one.after.mean) },
    ],
  });
  return html`<h3>Before and after</h3>${chart}${table}`;
}

function cellsOf({ before, after, time_change, cost_change }: Change): readonly string[] {
  return [
    formatCount(before.runs),
    formatCount(after.runs),
    duration(before.mean),
    duration(after.mean),
    signed(time_change),
    usd(before.cost_usd),
    usd(after.cost_usd),
    signed(cost_change),
  ];
}

export function signed(percent: number | null): string {
  return percent === null ? '-' : `${percent > 0 ? '+' : ''}${percent.toFixed(1)} %`;
}
