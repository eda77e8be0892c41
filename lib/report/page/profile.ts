import type { KeptProfile } from '../../core/profile.ts';
import { formatBytes, formatCount, formatDuration, formatTime } from '../human.ts';
import { renderBars } from './charts.ts';
import { type Html, html } from './html.ts';
import { idOf } from './overview.ts';
import { renderTable } from './table.ts';

const MOST_BARS = 15;

/** What DuckDB did in the latest run that was profiled, statement by statement; nothing where none was. */
export function renderProfile(pipeline: string, profile: KeptProfile | null): Html | null {
  if (profile === null || profile.statements.length === 0) return null;
  const { run_id, at, statements } = profile;
  const nameOf = (one: (typeof statements)[number]): string => `${one.name} (unit ${one.unit})`;
  const longest = statements.slice(0, MOST_BARS);
  const chart = renderBars({
    ...{ id: idOf('profile', pipeline), title: `Statements of the run ${run_id} that took longest` },
    ...{ along: 'statement', format: formatDuration, labels: longest.map(nameOf) },
    series: [{ name: 'time', values: longest.map(({ ms }) => ms) }],
  });
  const numeric = ['time', 'rows scanned', 'read', 'written', 'memory', 'spilled'];
  const table = renderTable({
    caption: `What DuckDB did in the run ${run_id}, of ${formatTime(at)}`,
    columns: [{ name: 'statement' }, ...numeric.map((name) => ({ name, numeric: true })), { name: 'operators' }],
    rows: statements.map((one) => [
      nameOf(one),
      formatDuration(one.ms),
      formatCount(one.rows_scanned),
      ...[one.bytes_read, one.bytes_written, one.memory_bytes, one.spilled_bytes].map(formatBytes),
      renderOperators(one.operators),
    ]),
  });
  return html`<h3>Profile</h3>${chart}${table}`;
}

function renderOperators(operators: KeptProfile['statements'][number]['operators']): Html {
  if (operators.length === 0) return html`-`;
  const items = operators.map(({ depth, operator, rows, bytes, ms }) => {
    const facts = `${formatCount(rows)} rows, ${formatBytes(bytes)}, ${formatDuration(ms)}`;
    return html`<li>${'· '.repeat(depth)}${operator} <span class="dim">${facts}</span></li>`;
  });
  return html`<details><summary>${operators.length} operators</summary><ul class="columns">${items}</ul></details>`;
}
