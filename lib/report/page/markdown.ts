import { formatCount, formatQuantity, formatTime } from '../human.ts';
import { describePromise, formatPercent } from '../promise-text.ts';
import { FEW, percentOf } from '../statistics.ts';
import { markdownText } from './html.ts';
import { duration, MODEL_COSTS, modelCosts, stateText } from './overview.ts';
import type { PipelineReport, Report } from './report.ts';
import { signed } from './runs.ts';

/** The figures of a page for those who read text: a merge request, a chat, a mail. */
export function renderMarkdown({ lake, at, days, pipelines }: Report): string {
  return `${[`# ${markdownText(lake)}`, `As of ${formatTime(at)}, over ${days} days.`, ...pipelines.flatMap(renderPipeline)].join('\n\n')}\n`;
}

function renderPipeline(one: PipelineReport): readonly string[] {
  const { status, models, compared } = one;
  const { n, failed, success_rate, mean, p50, p95, few } = status.runs;
  const promises = status.slo.map((judged) => {
    const { promise, state, now, target, objective, attained, left } = describePromise(judged);
    return [promise, state, now, target, objective, attained, left, formatCount(judged.breaches.length)];
  });
  const figures = models.map((model) => [
    model.model,
    formatCount(model.runs),
    ...[model.mean, model.p50].map(duration),
    p95Text(model.p95, model.runs - model.failed < FEW),
    formatPercent(percentOf(model.runs - model.failed, model.runs)),
    ...modelCosts(model, status.days),
  ]);
  return [
    `## ${markdownText(status.pipeline)}`,
    stateText(one)
      .map(([name, text, wrong]) => `- ${name}: ${wrong ? `**${markdownText(text)}**` : markdownText(text)}`)
      .join('\n'),
    `${formatQuantity(n + failed, 'run')}, ${formatPercent(success_rate)} succeeded; mean ${duration(mean)}, p50 ${duration(p50)}, p95 ${p95Text(p95, few)}.`,
    ...tableOf(['promise', 'state', 'now', 'target', 'objective', 'attained', 'budget left', 'breaches'], promises),
    ...tableOf(['model', 'runs', 'mean', 'p50', 'p95', 'success rate', ...MODEL_COSTS], figures),
    ...tableOf(
      ['code', 'quarantined', 'condemned', 'in the last day'],
      status.quarantine.map((row) => [row.code, ...[row.quarantined, row.condemned, row.last_day].map(formatCount)]),
    ),
    ...tableOf(
      ['what', 'time before', 'time after', 'change', 'change of cost'],
      (compared === null ? [] : [{ model: 'all of a run', ...compared.whole }, ...compared.models]).map((row) => [
        ...[row.model, duration(row.before.mean), duration(row.after.mean)],
        ...[signed(row.time_change), signed(row.cost_change)],
      ]),
    ),
  ];
}

function p95Text(p95: number | null, few: boolean): string {
  return few && p95 !== null ? `${duration(p95)} (of few runs)` : duration(p95);
}

function tableOf(columns: readonly string[], rows: readonly (readonly string[])[]): readonly string[] {
  if (rows.length === 0) return [];
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [
    [line(columns), line(columns.map(() => '---')), ...rows.map((row) => line(row.map(markdownText)))].join('\n'),
  ];
}
