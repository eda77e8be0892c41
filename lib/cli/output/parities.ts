import type { Parity } from '../../core/parity.ts';
import { visibleLine } from '../../core/visible.ts';
import { formatCount, formatQuantity } from './human.ts';

/** What a run has found of the texts that it compared, a line for each; nothing where it compared none. */
export function renderParities(parities: readonly Parity[]): string {
  if (parities.length === 0) return '';
  const lines = parities.map((one) => `  ${one.model}, ${one.left} and ${one.right}: ${wordsOf(one)}`);
  return ['compared texts of models:', ...lines, ''].join('\n');
}

function wordsOf({ equal, rows, differing, error }: Parity): string {
  if (error !== null) return `not compared: ${visibleLine(error)}`;
  const of = formatQuantity(rows ?? 0, 'row');
  return equal ? `equal, ${of}` : `${formatCount(differing ?? 0)} differ, of ${of}`;
}
