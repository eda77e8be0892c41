import { visibleLine } from '../../core/visible.ts';
import type { LineageStep } from '../../query/lineage-steps.ts';

type Side = 'name' | 'from';

export type ShownLineage = {
  readonly name: string;
  readonly upstream?: readonly LineageStep[];
  readonly downstream?: readonly LineageStep[];
};

/** A lineage for people: what is further away stands further in. */
export function renderLineage({ name, upstream, downstream }: ShownLineage): string {
  const up = upstream === undefined ? [] : ['comes from', ...side(name, upstream, 'name', 'from'), ...rows(upstream)];
  const down = downstream === undefined ? [] : ['goes into', ...side(name, downstream, 'from', 'name')];
  return [visibleLine(name), ...up, ...down, ''].join('\n');
}

/** What has been shown with all that is behind it is named again, and no more. */
function side(start: string, steps: readonly LineageStep[], at: Side, to: Side): readonly string[] {
  const shown = new Set<string>();
  const lines = (name: string, depth: number): readonly string[] => {
    if (shown.has(name)) return [];
    shown.add(name);
    return steps
      .filter((step) => step[at] === name && (step.by !== 'rows' || at === 'from'))
      .flatMap((step) => [
        `${'  '.repeat(depth)}${visibleLine(step[to])}${step.by === 'rows' ? ' (its rows are chosen, joined or grouped by it)' : ''}`,
        ...(step.by === 'rows' ? [] : lines(step[to], depth + 1)),
      ]);
  };
  const found = lines(start, 1);
  return found.length === 0 ? ['  nothing'] : found;
}

function rows(steps: readonly LineageStep[]): readonly string[] {
  const chosen = new Map<string, string[]>();
  for (const { name, from, by } of steps) {
    if (by === 'rows') chosen.set(name, [...(chosen.get(name) ?? []), visibleLine(from)]);
  }
  return [...chosen].map(([table, columns]) => `rows of ${visibleLine(table)} by ${columns.join(', ')}`);
}
