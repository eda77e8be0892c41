import type { ProfiledOperator, StatementProfile, UnitProfile } from '../../core/profile.ts';
import { visibleLine } from '../../core/visible.ts';
import { formatBytes, formatCount, formatDuration, formatQuantity } from './human.ts';

/** Statements that take less are counted only. */
const LEAST_MS = 1;
const LONGEST_ABOUT = 60;

/** What DuckDB did in a run, unit by unit, with the operators of its statements: rows, bytes, and the time of all threads. */
export function renderProfile(units: readonly UnitProfile[]): string {
  const worked = units.filter(({ statements }) => statements.length > 0);
  return worked.map((unit, at) => `${renderUnit(unit, at + 1)}\n`).join('\n');
}

function renderUnit({ statements }: UnitProfile, number: number): string {
  const most = (of: (one: StatementProfile) => number): number => Math.max(...statements.map(of));
  const ms = statements.reduce((sum, one) => sum + one.ms, 0);
  const shown = statements.filter((one) => one.ms >= LEAST_MS);
  const spilled = most((one) => one.spilled_bytes);
  const facts = [
    formatQuantity(statements.length, 'statement'),
    formatDuration(ms),
    `memory ${formatBytes(most((one) => one.memory_bytes))}`,
    ...(spilled > 0 ? [`spilled ${formatBytes(spilled)}`] : []),
  ];
  return [`unit ${number}${titleOf(statements)}: ${facts.join(', ')}`, ...shown.map(renderStatement)].join('\n');
}

/** A unit is known by the tables that it writes. */
function titleOf(statements: readonly StatementProfile[]): string {
  const tables = statements.flatMap(({ name }) => /^write (.+)$/.exec(name)?.[1] ?? []);
  return tables.length === 0 ? '' : `, ${[...new Set(tables)].join(', ')}`;
}

function renderStatement(one: StatementProfile): string {
  const facts = [
    formatDuration(one.ms),
    `${formatCount(one.rows_scanned)} rows scanned`,
    ...(one.bytes_read > 0 ? [`read ${formatBytes(one.bytes_read)}`] : []),
    ...(one.bytes_written > 0 ? [`written ${formatBytes(one.bytes_written)}`] : []),
    `memory ${formatBytes(one.memory_bytes)}`,
    ...(one.spilled_bytes > 0 ? [`spilled ${formatBytes(one.spilled_bytes)}`] : []),
  ];
  const plan = one.plan === null ? [] : operatorLines(one.plan, 2);
  return [`  ${one.name}: ${facts.join(', ')}`, ...plan].join('\n');
}

function operatorLines({ operator, about, rows, bytes, ms, children }: ProfiledOperator, depth: number): string[] {
  const what = about === null ? '' : `  ${shortened(visibleLine(about))}`;
  const name = `${'  '.repeat(depth)}${operator}`.padEnd(44);
  const line = `${name} ${formatCount(rows).padStart(12)} rows ${formatBytes(bytes).padStart(9)} ${formatDuration(ms).padStart(8)}${what}`;
  return [line, ...children.flatMap((child) => operatorLines(child, depth + 1))];
}

function shortened(text: string): string {
  return text.length > LONGEST_ABOUT ? `${text.slice(0, LONGEST_ABOUT - 1)}…` : text;
}
