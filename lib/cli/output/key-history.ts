import { visibleLine } from '../../core/visible.ts';
import type { Row } from '../../ports.ts';
import type { KeyEvent, KeyHistory, KeyVersion } from '../../query/key-history.ts';
import { formatQuantity } from './human.ts';
import { textOf } from './rows.ts';
import { renderTable, type TableLayout } from './table.ts';

/** A key's events, each with what it made, and below them the rows of the table. */
export function renderKeyHistory(history: KeyHistory, layout: TableLayout): string {
  const { table, key, events, versions, mode } = history;
  const named = Object.entries(key).map(([name, value]) => `${name} = ${visibleLine(String(value))}`);
  const made = mode === 'upsert' ? formatQuantity(versions.length, 'row') : formatQuantity(versions.length, 'version');
  return [
    `${table}, ${named.join(', ')}: ${formatQuantity(events.length, 'event')} made ${made}\n`,
    `events, by ${history.sequence}:`,
    renderTable(
      events.map((event) => eventRow(history, event)),
      undefined,
      layout,
    ),
    ...(versions.length === 0
      ? ['the table has no row of this key\n']
      : [
          mode === 'upsert' ? 'the row:' : 'versions:',
          renderTable(
            versions.map((version) => versionRow(history, version)),
            undefined,
            layout,
          ),
        ]),
  ].join('\n');
}

function eventRow(history: KeyHistory, event: KeyEvent): Row {
  return {
    [history.sequence]: event.sequence,
    op: event.op,
    ...shownColumns(history, event.columns),
    won: event.won ? 'yes' : 'no',
    '→': effectText(history, event),
    file: event.source_file.split('/').slice(3).join('/'),
  };
}

function versionRow(history: KeyHistory, { version, valid_from, valid_to, is_current, columns }: KeyVersion): Row {
  const shown = shownColumns(history, columns);
  if (history.mode === 'upsert') return { [history.sequence]: columns[history.sequence] ?? null, ...shown };
  return { version: `${version}`, valid_from, valid_to, is_current, ...shown };
}

/** Those that decide: what is tracked, and the end that the source gives. */
function shownColumns({ track, valid_to_column }: KeyHistory, columns: Row): Row {
  const names = [...track, ...(valid_to_column === null || track.includes(valid_to_column) ? [] : [valid_to_column])];
  return Object.fromEntries(names.map((name) => [name, columns[name] ?? null]));
}

function effectText({ mode, sequence, versions }: KeyHistory, { effect, version }: KeyEvent): string {
  switch (effect) {
    case 'starts':
      return mode === 'upsert' ? 'is the row' : `starts version ${version} ${intervalText(versions, version)}`;
    case 'continues':
      return `continues version ${version}`;
    case 'ends':
      return mode === 'upsert' ? 'deletes the row' : `ends version ${version}`;
    case 'superseded':
      return mode === 'upsert' ? 'superseded by a later event' : 'in no version yet';
    case 'lost':
      return `lost at this ${sequence}`;
    case 'repeats':
      return 'says the same again';
    case 'none':
      return 'nothing to delete';
  }
}

/** `[2026-01-01, 2026-02-01)`, and ∞ for a version that is open. */
function intervalText(versions: readonly KeyVersion[], number: number | null): string {
  const found = versions.find((one) => one.version === number);
  const [from, to] = [found?.valid_from, found?.valid_to].map(textOf);
  return `[${from ?? ''}, ${to ?? '∞'})`;
}
