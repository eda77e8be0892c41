import type { ServedTable, ServeOutcome } from '../../core/serve.ts';
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

/** Says on stderr why nothing was served; answers the exit code. */
export function tellUnserved(context: Context, serve: ServeOutcome | undefined): number {
  if (serve === undefined || serve.error === null) return EXIT.done;
  context.note(
    'the run has ended and its tables are published, but they could not be served; the next run serves them',
  );
  context.note(describeRunError(serve.error));
  return EXIT.failed;
}
