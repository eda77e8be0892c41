import Table from 'cli-table3';
import { visibleLine } from '../../core/visible.ts';
import type { Row } from '../../ports.ts';
import { DIM_NULL } from './formats.ts';
import { formatCount } from './human.ts';
import { columnsOf, isNumberType, type ResultColumn, textOf } from './rows.ts';

export type TableLayout = {
  /** Terminal columns to fit into; without it a table is as wide as its values. */
  readonly width?: number;
  /** Shows NULL dimmed; for terminals. */
  readonly color?: boolean;
  /** Rows shown before the rest is only counted. */
  readonly maxRows?: number;
};

/** cli-table3 needs time that grows with the square of the rows; nobody reads more than this on a screen. */
const MAX_ROWS = 1000;
const MIN_WIDTH = 8;

/**
 * Rows as a table for people: numbers right aligned, null as NULL, nested values as JSON, line breaks and control
 * characters escaped. Where `width` is too narrow, text columns are cut, the widest first; numbers and `whole` columns never are.
 * Rows beyond `maxRows` are counted in a last line.
 */
export function renderTable(
  rows: readonly Row[],
  columns: readonly ResultColumn[] = columnsOf(rows),
  layout: TableLayout = {},
): string {
  if (columns.length === 0) return '(no columns)\n';
  const shown = rows.slice(0, layout.maxRows ?? MAX_ROWS);
  const numeric = columns.map((column) => isNumeric(column, shown));
  const kept = columns.map((column, at) => numeric[at] === true || column.whole === true);
  const cells = shown.map((row) => columns.map((column) => cellText(row, column, layout)));
  const head = columns.map((column) => visibleLine(column.name));
  const draw = (widths: readonly (number | null)[]) => {
    const table = new Table({
      head,
      colAligns: numeric.map((isNumber) => (isNumber ? 'right' : 'left')),
      colWidths: [...widths],
      style: { head: [], border: [], compact: true },
    });
    table.push(...cells);
    // After drawing, colWidths holds the width that each column took.
    return { text: table.toString(), widths: table.options.colWidths.map((width) => width ?? 0) };
  };
  const natural = draw(columns.map(() => null));
  const fitted = layout.width === undefined ? natural.widths : fitWidths(natural.widths, kept, layout.width);
  const text = fitted.every((width, at) => width === natural.widths[at]) ? natural.text : draw(fitted).text;
  const rest = rows.length - shown.length;
  return rest === 0 ? `${text}\n` : `${text}\n… ${formatCount(rest)} more of ${formatCount(rows.length)} rows\n`;
}

/** Takes from the widest text column until the table fits or every text column is at its minimum. */
function fitWidths(natural: readonly number[], kept: readonly boolean[], width: number): readonly number[] {
  const widths = [...natural];
  const total = () => widths.reduce((sum, each) => sum + each + 1, 1);
  while (total() > width) {
    const widest = widths.reduce(
      (best, each, at) => (kept[at] !== true && each > (best < 0 ? MIN_WIDTH : (widths[best] ?? 0)) ? at : best),
      -1,
    );
    if (widest < 0) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return widths;
}

function isNumeric(column: ResultColumn, rows: readonly Row[]): boolean {
  if (column.type !== undefined) return isNumberType(column.type);
  const values = rows.map((row) => row[column.name]).filter((value) => value !== null && value !== undefined);
  return values.length > 0 && values.every((value) => typeof value === 'number' || looksDecimal(value));
}

/** Decimals and long integers arrive as text. */
function looksDecimal(value: unknown): boolean {
  return typeof value === 'string' && /^-?(0|[1-9]\d*)(\.\d+)?$/.test(value);
}

function cellText(row: Row, column: ResultColumn, { width, color }: TableLayout): string {
  const text = textOf(row[column.name]);
  if (text === undefined) return color === true ? DIM_NULL : 'NULL';
  if (width === undefined || column.whole === true) return visibleLine(text);
  // More than fits, so that the table sees that it must cut; a 38-digit decimal stays whole.
  const limit = Math.max(width + 1, 41);
  return visibleLine([...text.slice(0, 2 * limit)].slice(0, limit).join(''));
}
