import type { RunResult } from '../../core/run.ts';
import { visibleLine } from '../../core/visible.ts';
import type { PipelineStatus } from '../../report/status.ts';
import type { SimulatedIncident } from '../../runtime/simulate-incident.ts';
import type { Context } from '../context.ts';
import { formatBytes, formatDuration, formatQuantity } from './human.ts';

/** The incident, and how the pipeline was judged while it lasted and after it. */
export type JudgedIncident = Omit<SimulatedIncident, 'during' | 'after' | 'at'> & {
  readonly during: PipelineStatus;
  readonly after: PipelineStatus;
};

/** A simulated incident for people, in the order in which it happened. */
export function renderIncident(incident: JudgedIncident, { lake }: Pick<Context, 'lake'>): string {
  const { pipeline, files, bytes, failed, alert, during, recovered, after } = incident;
  const open = during.open_incident;
  const lines = [
    `an incident of ${pipeline}, simulated with ${formatQuantity(files, 'file')} (${formatBytes(bytes)}) in a lake of its own; ${lake} was not touched`,
    '',
    `1. ${outcome(failed)}`,
    alert === null ? '   nobody was told' : `   alert: ${alert.subject}`,
    open === null
      ? '   no incident is open'
      : `   incident open since ${open.since}; breached: ${listed(during.breached)}`,
    `2. ${outcome(recovered)}`,
    after.mttr_ms === null
      ? '   the incident is not over'
      : `   incident over: mean time to repair ${formatDuration(after.mttr_ms)}, success rate ${after.runs.success_rate ?? 0} % of ${formatQuantity(after.runs.n + after.runs.failed, 'run')}; breached: ${listed(after.breached)}`,
  ];
  return [...lines, '', ...(alert === null ? [] : ['the alert:', '', indented(alert.message)])].join('\n');
}

function outcome({ run_id, status, duration_ms, error }: RunResult): string {
  const why = error === null ? '' : `: ${visibleLine(error.message.split('\n')[0] ?? '')}`;
  return `run ${run_id} ${status} after ${formatDuration(duration_ms)}${why}`;
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? 'nothing' : names.join(', ');
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}
