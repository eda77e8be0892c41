import type { TestFact } from '../../core/test-fact.ts';
import { type Html, html } from './html.ts';
import { type Cell, type Column, renderTable } from './table.ts';
import { renderTime } from './time.ts';

const COLUMNS = ['expectation', 'expects', 'policy', 'last outcome', 'when', 'run', 'what the run said'];

/** Expectations with what became of them the last time; of `several` tables each behind the name of its own. */
export function renderTests(tests: readonly TestFact[], caption: string, several: boolean): Html {
  const columns: readonly Column[] = [...(several ? ['table'] : []), ...COLUMNS].map((name) => ({ name }));
  const rows = tests.map((test): readonly Cell[] => [
    ...(several ? [test.table] : []),
    test.name,
    test.expects,
    test.policy,
    renderOutcome(test),
    renderTime(test.at),
    test.run_id ?? '-',
    test.said ?? '-',
  ]);
  return renderTable({ caption, columns, rows, empty: 'nothing is expected; expect in the pipeline does' });
}

function renderOutcome({ outcome }: TestFact): Html {
  const [kind, text] = { held: ['good', 'held'], broken: ['bad', 'broken'], unknown: ['dim', 'not known'] }[outcome];
  return html`<span class="${kind ?? ''}">${text ?? ''}</span>`;
}

/** Such as `3 held, 1 broken`; `-` for none. */
export function countOutcomes(tests: readonly TestFact[]): Html {
  const count = (outcome: TestFact['outcome']): number => tests.filter((test) => test.outcome === outcome).length;
  const [held, broken, unknown] = [count('held'), count('broken'), count('unknown')];
  if (tests.length === 0) return html`-`;
  const parts = [
    ...(broken > 0 ? [html`<span class="bad">${broken} broken</span>`] : []),
    ...(held > 0 ? [html`${held} held`] : []),
    ...(unknown > 0 ? [html`<span class="dim">${unknown} not known</span>`] : []),
  ];
  return html`${parts.map((part, at) => (at === 0 ? part : html`, ${part}`))}`;
}
