import { visibleLine } from '../../core/visible.ts';
import { describePromise, formatPercent } from '../../report/promise-text.ts';
import type { PipelineStatus } from '../../report/status.ts';
import type { Context } from '../context.ts';
import { formatCount, formatDuration, formatQuantity } from './human.ts';
import { renderTable } from './table.ts';

type Shown = Pick<Context, 'layout' | 'hint' | 'lake'>;

const MOST_NAMED = 5;
/** All pipelines of a lake, a line for each. */
export function renderPipelines(found: readonly PipelineStatus[], context: Shown): string {
  if (found.length === 0) return `no pipelines in ${context.lake} yet; try ${context.hint('init')}\n`;
  const rows = found.map((one) => ({
    pipeline: one.pipeline,
    breached: one.breached.join(', ') || '-',
    'last run': latestOf(one),
    'last success': one.last_success === null ? '-' : agoOf(one.last_success, one.at),
    incident: one.open_incident === null ? '-' : formatQuantity(one.open_incident.failures, 'failure'),
    breaker: one.breaker,
    rejected: formatCount(rejectedOf(one)),
    behind: formatCount(one.behind.length),
    due: formatCount(one.maintenance.length),
  }));
  const whole = ['pipeline', 'breached', 'last run', 'last success', 'breaker'];
  const columns = Object.keys(rows[0] ?? {}).map((name) => ({ name, whole: whole.includes(name) }));
  const next = found.flatMap(nextStepOf);
  return `${renderTable(rows, columns, context.layout)}${renderNext(next, context)}`;
}

/** One pipeline on one screen. */
export function renderPipeline(one: PipelineStatus, context: Shown): string {
  const { breached } = one;
  const judged = one.slo.length === 0 ? 'nothing is promised' : 'all that is promised is kept, as far as it is known';
  const lines = [
    `${one.pipeline}${whoseOf(one)}: ${breached.length === 0 ? judged : `breached: ${breached.join(', ')}`}`,
    '',
    ...LINES.map(([title, textOf]) => `${title.padEnd(13)} ${textOf(one)}`),
    ...awaitingOf(one),
  ];
  const slo = one.slo.length === 0 ? '' : `\n${renderSlo(one, context)}`;
  return `${lines.join('\n')}\n${slo}${renderNext(nextStepsOf(one), context)}`;
}

const LINES: readonly (readonly [title: string, textOf: (one: PipelineStatus) => string])[] = [
  ['last run', lastRunOf],
  ['last success', ({ last_success, at }) => (last_success === null ? 'none' : agoOf(last_success, at))],
  ['incident', incidentOf],
  ['runs', runsOf],
  ['breaker', ({ breaker }) => breaker],
  ['quarantine', quarantineOf],
  ['behind', behindOf],
  ['maintenance', maintenanceOf],
];

function whoseOf({ owner, tier }: PipelineStatus): string {
  const known = [owner, tier === null ? null : `tier ${tier}`].filter((text) => text !== null);
  return known.length === 0 ? '' : ` (${known.join(', ')})`;
}

function lastRunOf({ last_run, at }: PipelineStatus): string {
  if (last_run === null) return 'none yet';
  const { run_id, status, finished_at, duration_ms, error } = last_run;
  const how = status === 'SUCCEEDED' ? 'succeeded' : 'failed';
  const why = error === null ? '' : `: ${visibleLine(error)}`;
  return `${run_id} ${how} ${agoOf(finished_at, at)} after ${formatDuration(duration_ms)}${why}`;
}

function incidentOf({ open_incident, incidents, mttr_ms, days, at }: PipelineStatus): string {
  const past =
    mttr_ms === null
      ? `none ended in ${days} days`
      : `${incidents} ended in ${days} days, after ${formatDuration(mttr_ms)} on average`;
  if (open_incident === null) return `none is open; ${past}`;
  return `open for ${sinceOf(open_incident.since, at)}: ${formatQuantity(open_incident.failures, 'run')} failed; ${past}`;
}

function runsOf({ runs, days }: PipelineStatus): string {
  const { n, failed, success_rate, mean, p50, p95, few } = runs;
  if (n + failed === 0) return `none in ${days} days`;
  const times = [
    ['mean', mean],
    ['p50', p50],
    ['p95', few ? null : p95],
  ] as const;
  const shown = times.flatMap(([name, ms]) => (ms === null ? [] : [`${name} ${formatDuration(ms)}`]));
  const counted = `${formatQuantity(n + failed, 'run')} in ${days} days, ${formatPercent(success_rate)} succeeded`;
  return [counted, shown.join(', ')].filter((part) => part !== '').join('; ');
}

function quarantineOf({ quarantine, suspended_files, rejected_files = 0 }: PipelineStatus): string {
  const shown = quarantine.slice(0, MOST_NAMED).map(({ code, quarantined, condemned, last_day }) => {
    const gone = condemned === 0 ? '' : `, ${formatCount(condemned)} of them condemned`;
    return `${code} ${formatCount(quarantined + condemned)} (${formatCount(last_day)} in the last day${gone})`;
  });
  const files = [
    ...(suspended_files === 0 ? [] : [`${formatQuantity(suspended_files, 'file')} suspended`]),
    ...(rejected_files === 0 ? [] : [`${formatQuantity(rejected_files, 'file')} rejected`]),
  ];
  return [...listed(shown, quarantine.length), ...files].join('; ') || 'empty';
}

function awaitingOf({ awaiting }: PipelineStatus): readonly string[] {
  if (awaiting === undefined) return [];
  const { run_id, expires_at, differing = [] } = awaiting;
  return [`approval      run ${run_id} awaits it until ${expires_at}${differing.map((one) => `; ${one}`).join('')}`];
}

function behindOf({ behind, unfinished }: PipelineStatus): string {
  const shown = behind
    .slice(0, MOST_NAMED)
    // Why a pipeline is not planned, such as that it cannot be loaded, may have several lines.
    .map(({ table, why }) => visibleLine(table === null ? why.replaceAll(/\s*\n\s*/g, ' ') : `${table}: ${why}`));
  const resumed = unfinished === null ? [] : [`run ${unfinished} is unfinished`];
  return [...resumed, ...listed(shown, behind.length)].join('; ') || 'no table';
}

function maintenanceOf({ maintenance }: PipelineStatus): string {
  const shown = maintenance
    .slice(0, MOST_NAMED)
    .map(({ operation, table, why }) => `${operation}${table === null ? '' : ` ${table}`}: ${why}`);
  return listed(shown, maintenance.length).join('; ') || 'nothing is due';
}

function listed(shown: readonly string[], all: number): readonly string[] {
  return all > shown.length ? [...shown, `${formatCount(all - shown.length)} more`] : shown;
}

function renderSlo({ slo, days }: PipelineStatus, { layout }: Shown): string {
  const rows = slo.map((one) => {
    const { left, ...text } = describePromise(one);
    return { ...text, 'budget left': left, breaches: formatCount(one.breaches.length) };
  });
  const columns = Object.keys(rows[0] ?? {}).map((name) => ({ name, whole: true }));
  return `what is promised, over ${days} days:\n${renderTable(rows, columns, layout)}`;
}

/** What looks closer at what is wrong, the worst first. */
function nextStepsOf(one: PipelineStatus): readonly string[] {
  const { pipeline, breaker, open_incident, last_run, quarantine, behind, suspended_files, rejected_files, awaiting } =
    one;
  return [
    ...(awaiting === undefined ? [] : [`review ${awaiting.run_id}`]),
    ...(open_incident === null || last_run === null ? [] : [`runs show ${last_run.run_id}`]),
    ...(breaker === 'open' ? [`breaker status ${pipeline}`] : []),
    ...(suspended_files === 0 ? [] : [`files list ${pipeline}`]),
    ...(rejected_files === undefined ? [] : [`files list ${pipeline} --status rejected`]),
    ...(quarantine.length === 0 ? [] : [`quarantine list ${pipeline}`]),
    ...(behind.length === 0 ? [] : [`plan ${pipeline}`]),
  ];
}

function nextStepOf({ pipeline, breached, awaiting }: PipelineStatus): readonly string[] {
  if (breached.length > 0) return [`status ${pipeline}`];
  return awaiting === undefined ? [] : [`review ${awaiting.run_id}`];
}

/** The run that waits to be decided about, else the last that has ended. */
function latestOf({ awaiting, last_run, at }: PipelineStatus): string {
  if (awaiting !== undefined) return `AWAITING_APPROVAL ${agoOf(awaiting.since, at)}`;
  return last_run === null ? '-' : `${last_run.status} ${agoOf(last_run.finished_at, at)}`;
}

function renderNext(steps: readonly string[], { hint }: Shown): string {
  return steps.length === 0 ? '' : `\nnext:\n${steps.map((step) => `  ${hint(step)}\n`).join('')}`;
}

function rejectedOf({ quarantine }: PipelineStatus): number {
  return quarantine.reduce((sum, { quarantined, condemned }) => sum + quarantined + condemned, 0);
}

function agoOf(then: string, now: string): string {
  return `${sinceOf(then, now)} ago`;
}

function sinceOf(then: string, now: string): string {
  return formatDuration(Math.max(0, Date.parse(now) - Date.parse(then)));
}
