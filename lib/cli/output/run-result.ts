import { LOG_SUFFIX } from '../../core/keyed.ts';
import { NONE_SKIPPED } from '../../core/objects.ts';
import { worstOf } from '../../core/row-counts.ts';
import type { RunResult } from '../../core/run.ts';
import { visibleLine } from '../../core/visible.ts';
import type { Row } from '../../ports.ts';
import { nameCommands } from '../command-here.ts';
import type { Context } from '../context.ts';
import { renderRunCost } from './cost.ts';
import { renderExports } from './exports.ts';
import { formatCount, formatDuration, formatQuantity } from './human.ts';
import { renderParities } from './parities.ts';
import type { ResultColumn } from './rows.ts';
import { renderServed } from './serve.ts';
import { renderSkipped } from './skipped.ts';
import { renderTable, type TableLayout } from './table.ts';

/** A run that ended well, for people: sources, tables, what to look at, and what to call next. `again`: it had ended before. */
export function renderRun(result: RunResult, again: boolean, context: Pick<Context, 'layout' | 'hint'>): string {
  const { layout } = context;
  const parts = [
    title(result, again),
    renderSources(result, layout),
    renderTables(result, layout),
    renderExports(result.exports ?? []),
    renderParities(result.parities ?? []),
    renderServed(result.serve, layout),
    renderAnew(result),
    renderPreviews(result, layout),
    renderRejected(result, context),
    renderLeft(result),
    renderSkipped(result.skipped ?? NONE_SKIPPED),
    renderWarnings(result),
    renderRunCost(result),
    renderNext(result, context),
  ];
  return `${parts.filter((part) => part !== '').join('\n')}`;
}

function title(result: RunResult, again: boolean): string {
  const { run_id, status, duration_ms, tables, branch } = result;
  const pipeline =
    branch === undefined ? result.pipeline : `${result.pipeline}, period ${branch.period} of ${branch.name},`;
  const time = formatDuration(duration_ms);
  if (again) return `run ${run_id} of ${pipeline} has ended before; this is its result (${time})\n`;
  if (status === 'DRY_RUN')
    return `dry run ${run_id} of ${pipeline}: computed and audited in ${time}, published nothing\n`;
  const changed = Object.values(tables).filter((table) => table.snapshot_id !== null).length;
  const what = changed === 0 ? 'changed no table' : `published ${formatQuantity(changed, 'table')}`;
  return `run ${run_id} of ${pipeline} ${what} in ${time}\n`;
}

function renderSources({ accounting }: RunResult, layout: TableLayout): string {
  const sources = Object.entries(accounting);
  if (sources.length === 0) return '';
  const accounts = sources.flatMap(([source, { tables = {}, ...own }]) => [
    { source, ...own },
    ...Object.entries(tables).map(([table, account]) => ({ source: `  ${table}`, ...account })),
  ]);
  const condemned = accounts.some((account) => account.condemned > 0);
  const counted = ['read', 'accepted', 'quarantined', ...(condemned ? ['condemned'] : []), 'duplicates'];
  return renderTable(counts(accounts, counted), columns('source', counted), layout);
}

function renderTables({ tables, status }: RunResult, layout: TableLayout): string {
  const rows = inReadingOrder(Object.keys(tables)).map((table) => ({
    table,
    'rows written': tables[table]?.rows_added ?? 0,
    'files written': tables[table]?.files_added ?? 0,
    snapshot: tables[table]?.snapshot_id ?? 'unchanged',
  }));
  if (rows.length === 0) return '';
  const counted = ['rows written', 'files written'];
  // The snapshot of a dry run is gone with it.
  const last = status === 'DRY_RUN' ? [] : [{ name: 'snapshot', type: 'VARCHAR', whole: true }];
  return renderTable(counts(rows, counted), [...columns('table', counted), ...last], layout);
}

function renderAnew({ anew = [], partitions, status }: RunResult): string {
  if (anew.length === 0) return '';
  const made = status === 'DRY_RUN' ? 'would be made' : 'made';
  if (partitions === undefined) return `${made} anew from all files: ${anew.join(', ')}\n`;
  const lines = Object.entries(partitions).map(([table, paths]) => `  ${table}: ${paths.join(', ') || 'none'}`);
  return [`partitions that ${made === 'made' ? 'were' : 'would be'} made anew:`, ...lines, ''].join('\n');
}

/** How many rows a run rejected, in words; where tables of a source count differently, the least that it can be. */
function countRejected(accounting: RunResult['accounting']): string | undefined {
  const accounts = Object.values(accounting);
  const rows = accounts.map(worstOf).reduce((sum, one) => sum + one.quarantined + one.condemned, 0);
  if (rows === 0) return undefined;
  return `${accounts.some(({ tables }) => tables !== undefined) ? 'at least ' : ''}${formatQuantity(rows, 'row')}`;
}

/** The log of a keyed table after the table itself. */
function inReadingOrder(names: readonly string[]): readonly string[] {
  const logs = names.filter(isLog);
  const others = names.filter((name) => !isLog(name));
  const owned = others.flatMap((name) => [name, ...logs.filter((log) => log === `${name}${LOG_SUFFIX}`)]);
  return [...owned, ...logs.filter((log) => !owned.includes(log))];
}

function isLog(name: string): boolean {
  return name.endsWith(LOG_SUFFIX);
}

function columns(first: string, counted: readonly string[]): readonly ResultColumn[] {
  return [{ name: first, whole: true }, ...counted.map((name) => ({ name, type: 'BIGINT' }))];
}

/** Counts with their thousands apart. */
function counts(rows: readonly Row[], names: readonly string[]): readonly Row[] {
  return rows.map((row) => ({ ...row, ...Object.fromEntries(names.map((n) => [n, formatCount(Number(row[n]))])) }));
}

function renderPreviews({ previews }: RunResult, layout: TableLayout): string {
  return Object.entries(previews)
    .filter(([, rows]) => rows.length > 0)
    .map(([table, rows]) => `${table}, the first rows:\n${renderTable(rows as readonly Row[], undefined, layout)}`)
    .join('\n');
}

function renderRejected({ pipeline, rejected_files }: RunResult, { hint }: Pick<Context, 'hint'>): string {
  if (rejected_files.length === 0) return '';
  const lines = rejected_files.map(({ file, reason }) => `  ${visibleLine(file)}: ${visibleLine(reason)}`);
  return [
    `${formatQuantity(rejected_files.length, 'file')} rejected, and not read:`,
    ...lines,
    'to have them read once the pipeline takes them; files that are mended are landed again:',
    `  ${hint(`files retry ${pipeline} --status rejected`)}`,
    '',
  ].join('\n');
}

/** The results of earlier releases have none. */
function renderLeft({ left_files = [] }: RunResult): string {
  if (left_files.length === 0) return '';
  const lines = left_files.map(({ file, reason }) => `  ${visibleLine(file)}: ${visibleLine(reason)}`);
  return [`${formatQuantity(left_files.length, 'file')} left to the next run:`, ...lines, ''].join('\n');
}

function renderWarnings({ warnings }: RunResult): string {
  if (warnings.length === 0) return '';
  return ['warnings:', ...warnings.map((warning) => `  ${visibleLine(nameCommands(warning))}`), ''].join('\n');
}

function renderNext(
  { pipeline, run_id, status, accounting, tables }: RunResult,
  { hint }: Pick<Context, 'hint'>,
): string {
  if (status === 'DRY_RUN') return `next:\n  ${hint(`run ${pipeline}`)}\n`;
  const quarantined = countRejected(accounting);
  const table = `${pipeline}_ops.quarantine`;
  const names = inReadingOrder(Object.keys(tables));
  const keyed = names.find(isLog)?.slice(0, -LOG_SUFFIX.length);
  const shown = names.find((name) => name.includes('_gold.')) ?? names[0];
  return [
    ...(quarantined === undefined
      ? []
      : [
          `${quarantined} in ${table}, each with its reasons:`,
          `  ${hint(`quarantine list ${pipeline} --run-id ${run_id}`)}`,
          '',
        ]),
    'next:',
    ...(shown === undefined
      ? []
      : [`  ${hint(`query "SELECT * FROM ${shown} LIMIT 10"`)}`, `  ${hint(`history ${shown}`)}`]),
    ...(keyed === undefined ? [] : [`  ${hint(`key ${keyed} KEY`)}`]),
    `  ${hint('tables')}`,
    '',
  ].join('\n');
}
