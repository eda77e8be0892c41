import type { ModelFigures } from '../../core/page-facts.ts';
import { formatCount, formatDuration, formatQuantity, formatTime, formatUsd } from '../human.ts';
import { formatPercent } from '../promise-text.ts';
import { type Html, html } from './html.ts';
import { MONTH_DAYS, type PipelineReport, type Report } from './report.ts';
import { renderTable } from './table.ts';

/** An id of the page for things by their names, of which the first says what they are. */
export function idOf(...names: readonly string[]): string {
  // Of names that differ, ids differ too.
  return names
    .map((name) => name.replaceAll(/[^A-Za-z0-9.]/g, (char) => `_${char.codePointAt(0)?.toString(16)}_`))
    .join('-');
}

export function anchorOf(pipeline: string): string {
  return idOf('pipeline', pipeline);
}

export function ago(ms: number | null): string {
  return ms === null ? '-' : `${formatDuration(ms)} ago`;
}

export function usd(cost: number | null): string {
  return cost === null ? '-' : formatUsd(cost);
}

/** What a model costs, of a run and of 30 days at the rate of these. */
export const MODEL_COSTS = ['cost per run', 'cost a month'] as const;

export function modelCosts({ runs, cost_usd }: ModelFigures, days: number): readonly [perRun: string, month: string] {
  if (cost_usd === null || runs === 0) return ['-', '-'];
  return [formatUsd(cost_usd / runs), formatUsd((cost_usd * MONTH_DAYS) / days)];
}

export function duration(ms: number | null): string {
  return ms === null ? '-' : formatDuration(ms);
}

/** `hrefOf`: where there is more of a pipeline. */
export function renderOverview({ pipelines, days }: Report, hrefOf: (pipeline: string) => string): Html {
  const numeric = ['runs', 'success rate', 'mean', 'p50', 'p95', 'last success', 'rejected', 'behind', 'cost per run'];
  return renderTable({
    caption: `How the pipelines do; figures of runs over ${days} days`,
    columns: [
      { name: 'pipeline' },
      { name: 'breached' },
      { name: 'waits for someone' },
      ...numeric.map((name) => ({ name, numeric: true })),
    ],
    rows: pipelines.map(({ status, cost }) => [
      html`<a href="${hrefOf(status.pipeline)}">${status.pipeline}</a>`,
      status.breached.length === 0 ? '-' : html`<span class="bad">${status.breached.join(', ')}</span>`,
      waitingOf(status).join(', ') || '-',
      formatCount(status.runs.n + status.runs.failed),
      formatPercent(status.runs.success_rate),
      duration(status.runs.mean),
      duration(status.runs.p50),
      p95Of(status.runs),
      ago(status.freshness_ms),
      formatCount(status.quarantine.reduce((sum, one) => sum + one.quarantined + one.condemned, 0)),
      status.unseen === true ? '-' : formatCount(status.behind.length),
      usd(cost?.per_run_usd ?? null),
    ]),
    empty: 'there are none yet',
  });
}

/** What goes on only once somebody has done something. */
function waitingOf({ open_incident, awaiting, suspended_files }: PipelineReport['status']): readonly string[] {
  return [
    ...(open_incident === null ? [] : [formatQuantity(open_incident.failures, 'failed run')]),
    ...(awaiting === undefined ? [] : [`approval of ${awaiting.run_id}`]),
    ...(suspended_files === 0 ? [] : [formatQuantity(suspended_files, 'suspended file')]),
  ];
}

/** Grey where there are too few runs. */
export function p95Of({
  n,
  p95,
  few,
}: {
  readonly n: number;
  readonly p95: number | null;
  readonly few: boolean;
}): Html {
  if (p95 === null) return html`-`;
  return few ? html`<span class="dim">${duration(p95)} (of ${n} runs)</span>` : html`${duration(p95)}`;
}

type Item = readonly [name: string, text: string, wrong: boolean];

const MOST_NAMED = 10;

/** What a person on call looks at first, each with whether it is wrong. */
export function stateText({ status, cost }: PipelineReport): readonly Item[] {
  const { last_run, open_incident, at, behind, maintenance, breaker, breached, mttr_ms, awaiting, suspended_files } =
    status;
  const since = (then: string): number => Math.max(0, Date.parse(at) - Date.parse(then));
  const run =
    last_run === null
      ? 'none yet'
      : `${last_run.run_id} ${last_run.status} ${ago(since(last_run.finished_at))}${last_run.error === null ? '' : `: ${last_run.error}`}`;
  const incident =
    open_incident === null
      ? 'none is open'
      : `open for ${formatDuration(since(open_incident.since))}, ${formatCount(open_incident.failures)} failed`;
  const costs =
    cost === null
      ? []
      : [
          [
            'cost',
            `${formatUsd(cost.per_run_usd)} a run${cost.rate === null ? '' : ` (${cost.rate})`}, ${formatUsd(cost.month_usd)} a month; on Glue ${formatUsd(cost.glue_month_usd)} a month or more`,
            false,
          ] as const,
        ];
  return [
    ['owner', [status.owner ?? 'nobody', ...(status.tier === null ? [] : [`tier ${status.tier}`])].join(', '), false],
    ['last run', run, last_run?.status === 'FAILED'],
    [
      'freshness',
      status.freshness_ms === null
        ? 'no run has succeeded yet'
        : `${formatDuration(status.freshness_ms)} since the last success`,
      breached.includes('freshness'),
    ],
    ['incident', incident, open_incident !== null],
    [
      'mean time to repair',
      `${duration(mttr_ms)}, of ${formatQuantity(status.incidents, 'incident')}`,
      breached.includes('mttr'),
    ],
    ['breaker', breaker, breaker === 'open'],
    ...(awaiting === undefined
      ? []
      : [['awaits approval', `run ${awaiting.run_id}, rejected at ${formatTime(awaiting.expires_at)}`, true] as const]),
    ...(suspended_files === 0 ? [] : [['suspended', formatQuantity(suspended_files, 'file'), true] as const]),
    [
      'behind',
      status.unseen === true
        ? 'not asked, when the last run ended'
        : listed(behind.map(({ table, why }) => (table === null ? why : `${table} (${why})`))),
      behind.length > 0,
    ],
    ['maintenance due', listed(maintenance.map(({ operation, table }) => `${operation} ${table ?? ''}`.trim())), false],
    ...costs,
  ];
}

function listed(names: readonly string[]): string {
  if (names.length === 0) return 'nothing';
  const more = names.length - MOST_NAMED;
  return [...names.slice(0, MOST_NAMED), ...(more > 0 ? [`${formatCount(more)} more`] : [])].join(', ');
}
