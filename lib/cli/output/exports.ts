import { EXPORT_STATES, type ExportOutcome, type ExportState } from '../../core/exports.ts';
import { visibleLine } from '../../core/visible.ts';
import { formatQuantity } from './human.ts';

const WORDS: Readonly<Record<ExportState, string>> = {
  WRITTEN: 'written',
  REISSUED: 'written again',
  CHANGED_SINCE: 'left as they are, though their rows have changed',
  KEPT: 'as their rows are again',
  REFUSED: 'not written',
};

/** What became of exports, a line for each; nothing where there are none. */
export function renderExports(outcomes: readonly ExportOutcome[]): string {
  if (outcomes.length === 0) return '';
  const lines = outcomes.map(
    ({ model, kind, to, states }) => `  ${model} -> ${visibleLine(to)}: ${wordsOf(kind, states)}`,
  );
  return ['exports:', ...lines, ''].join('\n');
}

function wordsOf(kind: ExportOutcome['kind'], states: ExportOutcome['states']): string {
  const said = EXPORT_STATES.flatMap((state) => {
    const count = states[state] ?? 0;
    if (count === 0) return [];
    return [kind === 'files' ? `${formatQuantity(count, 'file')} ${WORDS[state]}` : WORDS[state]];
  });
  return said.join(', ') || 'nothing new';
}
