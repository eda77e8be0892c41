import { type Figure, judge } from './figures.ts';
import { renderSums } from './fingerprint.ts';
import type { Peer } from './peers/environments.ts';
import type { Recorded } from './records.ts';

/** A measurement, and what is known of it. */
export type Section = {
  /** By which `--only` asks for it. */
  readonly name: string;
  readonly title: string;
  /** Left out: it was never made at full size. */
  readonly recorded?: Recorded;
  /** Markdown, written by hand. */
  readonly notes: string;
};

export type Report = {
  readonly sections: readonly Section[];
  readonly peers: readonly Peer[];
  /** Such as `polars==1.44.2`. */
  readonly packages: readonly string[];
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
export function renderReport({ sections, peers, packages }: Report): string {
  return `# Benchmark

Written by \`npm run bench\`, or of one measurement by \`npm run bench -- --only NAME\`, at full sizes; \`--peers\` installs the other tools
and measures them. In every round the sides run one after the other, each in a process of its own with the same threads and memory
limit; a ratio is the median of the rounds' ratios, a time the median of the rounds. Process start and module loading count. The floor is
a DuckDB script for the same files and the same result with no lake around it: no contract, no quarantine, no accounting, no table
format, no commit. **What is compared has the same fingerprint on all sides in each round, or the benchmark fails**: rows, different keys
and sums of each table. A load is the processes that had waited for a processor in the minute before, of all work on the machine.

Missed bounds, all of which are told with their reason in their section:

${markdownTable(['measurement', ...HEAD.slice(0, 4)], sections.flatMap(missedOf))}
## Peers

Each makes tables that are compared with ours, row by row or by their fingerprints. What they leave out, we do.

${markdownTable(
  ['tool', 'version', 'leaves out'],
  peers.map((peer) => [peer.name, versionOf(peer, packages), peer.leavesOut]),
)}${sections.map(renderSection).join('')}`;
}

function missedOf({ title, recorded }: Section): readonly (readonly string[])[] {
  const missed = (recorded?.figures ?? []).filter((figure) => judge(figure).startsWith('missed'));
  return missed.map((figure) => [title, ...cells(figure).slice(0, 4)]);
}

/** Throws RangeError for a tool that no environment has. */
function versionOf(peer: Peer, packages: readonly string[]): string {
  const found = packages.find((line) => line.startsWith(`${peer.package}==`));
  if (found === undefined) throw new RangeError(`${peer.name}: no file of packages has ${peer.package}`);
  return found.slice(peer.package.length + 2);
}

function renderSection({ name, title, recorded, notes }: Section): string {
  if (recorded === undefined && notes === '') return '';
  const heading = `\n## ${title}\n\n`;
  const said = notes === '' ? '' : `\n${notes}\n`;
  if (recorded === undefined) return `${heading}Not measured at full size yet (\`--only ${name}\`).\n${said}`;
  return `${heading}${describe(name, recorded)}

${markdownTable(HEAD, recorded.figures.map(cells))}
${recorded.figures.map((figure) => renderMiss(figure, notes)).join('')}${recorded.skipped.map((line) => `- Skipped: ${line}.\n`).join('')}${said}${renderFingerprints(recorded)}`;
}

function describe(name: string, { date, rounds, load, machine }: Recorded): string {
  const times = rounds === 1 ? 'one round' : `${rounds} rounds`;
  return (
    `Measured on ${date}, ${times}, at a load of ${load}, by \`--only ${name}\`: ${machine.cores} cores (${machine.processor}), ` +
    `${machine.memoryGb.toFixed(0)} GB of memory, ${machine.platform}, Node ${machine.node}, DuckDB ${machine.duckdb}.`
  );
}

function renderFingerprints({ fingerprints }: Recorded): string {
  if (fingerprints.length === 0) return '';
  const rows = fingerprints.map((one) => [one.table, renderSums(one)]);
  return `\n${markdownTable(['table', 'rows, different keys, sums'], rows)}`;
}

function renderMiss(figure: Figure, notes: string): string {
  const verdict = judge(figure);
  if (!verdict.startsWith('missed')) return '';
  return `- ${figure.name}: ${verdict}. ${figure.why ?? (notes === '' ? 'No reason is known.' : 'See below.')}\n`;
}

function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('');
}
