import { visibleLine } from '../../core/visible.ts';
import type { Row } from '../../ports.ts';
import type { Trace, TracedRow } from '../../query/trace.ts';
import type { Origin } from '../../query/trace-origins.ts';
import { formatCount, formatQuantity } from './human.ts';
import { renderTable, type TableLayout } from './table.ts';

/** The first rows that were asked for, and for each what brought it: where, by which run, and the record itself. */
export function renderTrace({ table, matched, rows }: Trace, layout: TableLayout): string {
  if (rows.length === 0) return `${table}: no row is such\n`;
  const some = rows.length < matched ? `, the first ${formatCount(rows.length)} of them traced (--limit)` : '';
  return [
    `${table}: ${formatQuantity(matched, 'row')}${some}\n`,
    renderTable(
      rows.map(({ row }, at) => ({ '#': `${at + 1}`, ...row })),
      undefined,
      layout,
    ),
    'brought by:',
    renderTable(rows.flatMap(originRows), columnsOf(rows), layout),
    ...records(rows),
  ].join('\n');
}

function originRows({ origins }: TracedRow, at: number): readonly Row[] {
  return origins.map(({ file, lines, run_id, op, unknown }) => ({
    '#': `${at + 1}`,
    ...(op === null ? {} : { event: op }),
    file: file ?? 'not known',
    line: lines.join(', '),
    run: run_id,
    ...(unknown === null ? {} : { why: unknown }),
  }));
}

/** Columns that no row has are left out; names of files and runs are never cut. */
function columnsOf(rows: readonly TracedRow[]): readonly { readonly name: string; readonly whole?: boolean }[] {
  const names = new Set(rows.flatMap((row, at) => originRows(row, at).flatMap(Object.keys)));
  const whole = ['file', 'line', 'run'];
  return ['#', 'event', 'file', 'line', 'run', 'why']
    .filter((name) => names.has(name))
    .map((name) => ({ name, whole: whole.includes(name) }));
}

/** What stands on the lines, each once. */
function records(rows: readonly TracedRow[]): readonly string[] {
  const lines = rows.flatMap(({ origins }) => origins.flatMap(recordOf));
  return lines.length === 0 ? [] : [`${[...new Set(lines)].join('\n')}\n`];
}

function recordOf({ file, lines: [line], raw }: Origin): readonly string[] {
  if (file === null || raw === null || line === undefined) return [];
  return [`${file.split('/').slice(3).join('/')}:${line}  ${visibleLine(raw)}`];
}
