import type { ServedTable, ServeOutcome } from '../../core/serve.ts';
import { visibleLine } from '../../core/visible.ts';
import type { TableSummary } from '../../query/list-tables.ts';
import { type Context, EXIT } from '../context.ts';
import { describeRunError } from '../failure.ts';
import { formatCount } from './human.ts';
import { renderTable, type TableLayout } from './table.ts';

const HOW: Readonly<Record<ServedTable['how'], string>> = {
  unchanged: 'nothing has changed',
  changes: 'what has changed',
  whole: 'all rows',
  before: 'by an earlier attempt',
};

/** What a run served outside the lake, for people. */
export function renderServed(serve: ServeOutcome | undefined, layout: TableLayout): string {
  if (serve === undefined || serve.tables.length === 0) return '';
  const rows = serve.tables.map(({ to, from, how, rows: copied }) => ({
    'served as': to,
    from,
    'rows copied': formatCount(copied),
    what: HOW[how],
  }));
  const columns = [
    { name: 'served as', whole: true },
    { name: 'from', whole: true },
    { name: 'rows copied', type: 'BIGINT' },
    { name: 'what' },
  ];
  return renderTable(rows, columns, layout);
}

/** Tables whose rows are not, or not all, where they are served. */
export function renderBehind(tables: readonly Pick<TableSummary, 'name' | 'served'>[]): string {
  const behind = tables.flatMap(({ name, served = [] }) =>
    served.filter((one) => one.behind).map((one) => ({ name, ...one })),
  );
  if (behind.length === 0) return '';
  const lines = behind.map(
    ({ name, to, why }) => `  ${to} is behind ${name}${why === null ? '' : `: ${visibleLine(why)}`}`,
  );
  return ['', 'served, but not as they are now; the next run serves them:', ...lines, ''].join('\n');
}

/** Says on stderr why nothing was served; answers the exit code. */
export function tellUnserved(context: Context, serve: ServeOutcome | undefined): number {
  if (serve === undefined || serve.error === null) return EXIT.done;
  context.note(
    'the run has ended and its tables are published, but they could not be served; the next run serves them',
  );
  context.note(describeRunError(serve.error));
  return EXIT.failed;
}
