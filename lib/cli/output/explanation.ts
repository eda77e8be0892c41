import type { ChangeWork } from '../../plan/change-work.ts';
import type { ExplainedTable } from '../../plan/explain.ts';
import type { PlannedRun } from '../../query/plan-cost.ts';
import type { Context } from '../context.ts';
import { renderCost, renderIdle } from './cost.ts';
import { formatBytes, formatCount, formatDuration, formatQuantity, formatUsd } from './human.ts';
import { renderRungs } from './ladder/rungs.ts';
import { renderSkipped } from './skipped.ts';
import { renderSuspended } from './suspended.ts';
import { renderTable } from './table.ts';
import { renderText } from './text.ts';

/** What a run would do, for people. */
export function renderExplanation(plan: PlannedRun, { layout, hint }: Pick<Context, 'layout' | 'hint'>): string {
  const { pipeline, levels } = plan;
  const suspended = plan.suspended.length === 0 ? '' : renderSuspended(pipeline, plan.suspended, hint);
  const changes = `${renderTexts(plan.texts)}${renderChanges(plan, layout)}`;
  if (plan.status === 'NOTHING_TO_DO') {
    const nothing =
      plan.selected === null
        ? `a run of ${pipeline} would do nothing: no new files in bronze/${pipeline}/, and no gold table is out of date`
        : `${renderSelection(plan.selected)}a run of these would do nothing: they have no new files, and are not out of date`;
    return `${changes}${suspended}${nothing}\n${renderSkipped(plan.skipped)}${renderDue(plan, layout)}${renderIdle(plan.idle, layout)}`;
  }
  const count = (name: string) => ({ name, type: 'BIGINT' });
  const sources = plan.sources.map((source) => ({
    source: source.source,
    files: formatCount(source.files),
    size: formatBytes(source.bytes),
    'to parse': formatBytes(source.estimated_bytes),
  }));
  const tables = levels.flatMap(({ level, tables: ofLevel }) =>
    ofLevel.map((table) => ({
      // Counted as the progress of a run counts.
      level: level + 1,
      table: table.table,
      action: table.action,
      units: formatCount(table.units),
      'to parse': table.estimated_bytes === null ? '' : formatBytes(table.estimated_bytes),
      because: becauseText(table),
    })),
  );
  const rungs = renderRungs(levels.flatMap((level) => level.tables));
  const columns = [
    count('level'),
    { name: 'table', whole: true },
    { name: 'action' },
    count('units'),
    count('to parse'),
    { name: 'because' },
  ];
  return [
    ...firstOf(plan),
    ...(changes === '' ? [] : [changes]),
    ...(suspended === '' ? [] : [suspended]),
    ...(plan.selected === null ? [] : [renderSelection(plan.selected)]),
    ...(Object.keys(plan.vars).length === 0 ? [] : [`with ${renderVars(plan.vars)}\n`]),
    `a run of ${pipeline} would read:`,
    renderTable(sources, [{ name: 'source' }, count('files'), count('size'), count('to parse')], layout),
    ...(plan.skipped.count === 0 ? [] : [renderSkipped(plan.skipped)]),
    ...(levels.length === 0 ? [] : ['and write:', renderTable(tables, columns, layout)]),
    ...(rungs === '' ? [] : [rungs]),
    ...renderAfter(plan),
    ...(plan.cost === null ? [] : [renderCost(plan.cost, layout)]),
    renderIdle(plan.idle, layout),
    ...(plan.maintenance.length === 0 ? [] : [renderDue(plan, layout)]),
    'next:',
    ...nextOf(plan).map((step) => `  ${hint(step)}`),
    '',
  ].join('\n');
}

/** What comes before a run. */
function firstOf({ resumes, awaiting }: PlannedRun): readonly string[] {
  if (awaiting !== undefined) {
    const { run_id, expires_at } = awaiting;
    return [
      `run ${run_id} awaits approval until ${expires_at}, and no other begins before; what follows does not count its work\n`,
    ];
  }
  if (resumes === null) return [];
  return [`the unfinished run ${resumes} would be resumed first; what follows does not count its work\n`];
}

function nextOf({ pipeline, awaiting }: PlannedRun): readonly string[] {
  return awaiting === undefined ? [`run ${pipeline} --dry-run`, `run ${pipeline}`] : [`review ${awaiting.run_id}`];
}

/** What leaves the lake once the tables are published. */
function renderAfter({ exports = [], serves = [] }: Pick<PlannedRun, 'exports' | 'serves'>): readonly string[] {
  const lines = [
    ...exports.map(({ model, kind, to }) => `then export ${model} to ${to} (${kind})`),
    ...serves.map(({ to, from }) => `then serve ${from} as ${to}`),
  ];
  return lines.length === 0 ? [] : [`${lines.join('\n')}\n`];
}

/** Which of several texts makes a table. */
function renderTexts(texts: PlannedRun['texts'] = []): string {
  return texts.map((text) => `${text.table} is made by ${renderText(text)}\n`).join('');
}

/** What has changed in the pipeline since its tables were made; nothing where nothing has. */
function renderChanges({ changes }: Pick<PlannedRun, 'changes'>, layout: Context['layout']): string {
  if (changes.length === 0) return '';
  const sizeOf = ({ rows, bytes }: (typeof changes)[number]): string =>
    rows === undefined ? '' : ` (${formatQuantity(rows, 'row')}, ${formatBytes(bytes ?? 0)})`;
  const rows = changes.map((change) => {
    const { table, kind, what, does } = change;
    return { table, kind, changed: `${what.join(', ')}${sizeOf(change)}`, 'a run': does };
  });
  const columns = [{ name: 'table', whole: true }, { name: 'changed' }, { name: 'kind' }, { name: 'a run' }];
  const works = changes.flatMap(({ table, work }) => (work === null ? [] : [`${renderWork(table, work)}\n`]));
  return `the pipeline has changed since its tables were made:\n${renderTable(rows, columns, layout)}${works.join('')}`;
}

/** What follows the next run that changes something; nothing where nothing does. */
function renderDue(
  { maintenance, pipeline }: Pick<PlannedRun, 'maintenance' | 'pipeline'>,
  layout: Context['layout'],
): string {
  if (maintenance.length === 0) return '';
  const rows = maintenance.map(({ operation, table, why }) => ({
    due: operation,
    table: table ?? pipeline,
    because: why,
  }));
  const columns = [{ name: 'due' }, { name: 'table', whole: true }, { name: 'because' }];
  return `maintenance follows the next run that changes something:\n${renderTable(rows, columns, layout)}`;
}

function renderWork(table: string, { downstream, files, bytes, seconds, usd }: ChangeWork): string {
  const others = downstream.length === 0 ? '' : `, with ${downstream.join(', ')} after it`;
  return (
    `to make ${table} anew${others}: ${formatQuantity(files, 'file')}, ${formatBytes(bytes)}; ` +
    `on AWS about ${formatDuration(seconds * 1_000)} and ${formatUsd(usd)}`
  );
}

/** Which models alone run, and which with them. */
function renderSelection({ models, along }: NonNullable<PlannedRun['selected']>): string {
  const others = along.map(({ model, because }) => `${model} runs as well: ${because}\n`);
  return `only ${models.join(', ')}\n${others.join('')}`;
}

/** `min_amount = 10.00, since = NULL`. */
function renderVars(vars: PlannedRun['vars']): string {
  return Object.entries(vars)
    .map(([name, value]) => `${name} = ${value ?? 'NULL'}`)
    .join(', ');
}

const MOST_NAMED = 5;

/** Why a table is written and, for gold that follows its input, which part of it. */
function becauseText({ reason, partitions }: ExplainedTable): string {
  if (partitions === null) return reason;
  const { known, of_new_rows } = partitions;
  const more = known.length > MOST_NAMED ? [`${formatCount(known.length - MOST_NAMED)} more`] : [];
  const parts = [
    ...known.slice(0, MOST_NAMED),
    ...more,
    ...(of_new_rows ? ['the partitions that the new rows touch'] : []),
  ];
  return `${reason}: ${parts.length === 0 ? 'no partition is touched' : parts.join(', ')}`;
}
