import { type Figure, judge } from './figures.ts';
import { type Fingerprint, renderSums } from './fingerprint.ts';
import type { Machine } from './machine.ts';

export type Report = {
  /** ISO date. */
  readonly date: string;
  readonly machine: Machine;
  readonly rounds: number;
  readonly quick: boolean;
  readonly figures: readonly Figure[];
  readonly fingerprints: readonly Fingerprint[];
  /** Peers that were not there, with the reason. */
  readonly skipped: readonly string[];
};

const HEAD = ['figure', 'value', 'bound', 'held', 'from'] as const;

function cells(figure: Figure): readonly string[] {
  const { name, value, unit, bound, detail } = figure;
  return [name, amount(value, unit), bound === null ? '-' : amount(bound, unit), judge(figure), detail];
}

function amount(value: number, unit: Figure['unit']): string {
  return unit === 'x' ? `${value.toFixed(2)}x` : `${value.toFixed(2)} ${unit}`;
}

/** The figures in columns for a terminal, one line each. */
export function renderTable(figures: readonly Figure[]): string {
  const rows = [HEAD, ...figures.map(cells)];
  const widths = HEAD.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  return rows
    .map(
      (row) =>
        `${row
          .map((cell, at) => cell.padEnd(widths[at] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}

/** The whole report as Markdown. */
export function renderReport(report: Report): string {
  const { machine } = report;
  const size = report.quick
    ? 'a tenth of the sizes named (`--quick`), so the bounds do not speak for them'
    : 'full sizes';
  return `# Benchmark

${report.date}, ${machine.cores} cores (${machine.processor}), ${machine.memoryGb.toFixed(0)} GB of memory, ${machine.platform}, Node ${machine.node}, DuckDB ${machine.duckdb}.

Written by \`npm run bench\`: ${size}, ${report.rounds} rounds. In every round the sides run one after the other, each in a
process of its own with the same threads and memory limit; a ratio is the median of the rounds' ratios, a time the median of
the rounds. Process start and module loading count. The floor is a DuckDB script for the same files and the same result with
no lake around it: no contract, no quarantine, no accounting, no table format, no commit. What is compared has the same
fingerprint on all sides, or the benchmark fails.

${markdownTable(HEAD, report.figures.map(cells))}
${report.figures.map(renderMiss).join('')}${report.skipped.map((line) => `Skipped: ${line}.\n`).join('')}
## Fingerprints

${markdownTable(
  ['table', 'rows, different keys, sums'],
  report.fingerprints.map((one) => [one.table, renderSums(one)]),
)}`;
}

function renderMiss(figure: Figure): string {
  const verdict = judge(figure);
  if (!verdict.startsWith('missed')) return '';
  return `- ${figure.name}: ${verdict}. ${figure.why ?? 'No reason is known.'}\n`;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('');
}
