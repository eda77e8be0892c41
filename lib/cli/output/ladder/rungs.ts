import type { ExplainedTable } from '../../../plan/explain.ts';
import type { ExplainedRung } from '../../../plan/ladder/explained-rung.ts';
import { formatDuration, formatUsd } from '../human.ts';

/** Which rung of the ladder each gold table is on; nothing where one worker is enough for all of them. */
export function renderRungs(tables: readonly ExplainedTable[]): string {
  const known = tables.flatMap(({ table, rung }) => (rung === undefined ? [] : [{ table, rung }]));
  if (known.every(({ rung }) => rung.rung === 1)) return '';
  return known.map(({ table, rung }) => `${table} ${renderRung(rung)}\n`).join('');
}

function renderRung({ rung, because, remedy, cost }: ExplainedRung): string {
  const takes = `on AWS about ${formatDuration(cost.seconds * 1_000)} and ${formatUsd(cost.usd)}`;
  if (rung === null) return `is on no rung, and one worker tries: ${because}; ${remedy ?? ''}`;
  return `is on rung ${rung}: ${because}; ${takes}`;
}
