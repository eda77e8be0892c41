import type { JudgedMode } from '../../report/bench.ts';
import { formatDuration, formatQuantity } from './human.ts';
import { renderTable, type TableLayout } from './table.ts';

/** Modes side by side: what was wrong is named, and has no times. */
export function renderBench(
  pipeline: string,
  rounds: number,
  modes: readonly JudgedMode[],
  layout: TableLayout,
): string {
  const rows = modes.map((one) => ({
    mode: one.mode,
    outputs: VERDICTS[one.verdict],
    time: timeOf(one.ms),
    'against the first': ratioOf(one.time_ratio),
    'processor time': timeOf(one.cpu_ms),
    'of the first': ratioOf(one.cpu_ratio),
  }));
  const columns = Object.keys(rows[0] ?? {}).map((name) => ({ name, whole: true }));
  const wrong = modes.flatMap(({ mode, error, differences }) => [
    ...(error === null ? [] : [`${mode} failed: ${error.split('\n')[0]}`]),
    ...differences.map((difference) => `${mode} is wrong: ${difference}`),
  ]);
  const title = `${pipeline} over what has landed, the median of ${formatQuantity(rounds, 'round')}`;
  return [title, renderTable(rows, columns, layout).trimEnd(), ...wrong, ''].join('\n');
}

const VERDICTS: Readonly<Record<JudgedMode['verdict'], string>> = {
  first: 'compared with',
  same: 'the same',
  wrong: 'WRONG',
  failed: 'FAILED',
};

function timeOf(ms: number | null): string {
  return ms === null ? '-' : formatDuration(ms);
}

function ratioOf(ratio: number | null): string {
  return ratio === null ? '-' : `${ratio.toFixed(2)}x`;
}
