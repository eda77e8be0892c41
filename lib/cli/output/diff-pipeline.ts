import type { Row } from '../../ports.ts';
import type { PipelineDiff } from '../../query/diff/diff-pipeline.ts';
import type { TableDiff } from '../../query/diff/diff-tables.ts';
import type { Context } from '../context.ts';
import { formatQuantity } from './human.ts';
import { renderTable } from './table.ts';

/** A line for each table of a pipeline and of what is downstream. */
export function renderPipelineDiff(diff: PipelineDiff, { layout, hint }: Pick<Context, 'layout' | 'hint'>): string {
  const number = (name: string) => ({ name, type: 'BIGINT' });
  const counts = ['rows_from', 'rows_to', 'added', 'removed', 'changed', 'not unique'].map(number);
  const columns = [{ name: 'table', whole: true }, ...counts, { name: 'columns' }];
  const told = columns.filter(
    ({ name }) => !isOptional(name) || diff.tables.some((table) => tableLine(table)[name] !== null),
  );
  const lines = renderTable(diff.tables.map(tableLine), told, layout);
  const moments = `${diff.pipeline} from ${diff.from} to ${diff.to ?? 'now'}`;
  const [first, ...more] = diff.tables.filter(({ equal }) => !equal);
  if (first === undefined) return `${moments}: ${formatQuantity(diff.tables.length, 'table')}, all the same\n${lines}`;
  const differ = `${more.length + 1} of ${formatQuantity(diff.tables.length, 'table')} differ`;
  const snapshots = [
    ['--from', first.from.snapshot_id],
    ['--to', first.to.snapshot_id],
  ].flatMap(([option, id]) => (id === null ? [] : [`${option} ${id}`]));
  const show =
    first.from.snapshot_id === null ? `history ${first.to.table}` : `diff ${first.to.table} ${snapshots.join(' ')}`;
  return `${moments}: ${differ}\n${lines}rows of one: ${hint(show)}\n`;
}

/** Shown where there is something to show. */
function isOptional(name: string): boolean {
  return name === 'columns' || name === 'not unique';
}

/** What of a table is not the same, in one line. */
export function tableLine({ to, rows, columns, duplicates }: TableDiff): Row {
  const changes = [
    ...columns.added.map(({ name }) => `+${name}`),
    ...columns.removed.map(({ name }) => `-${name}`),
    ...columns.renamed.map((one) => `${one.from} to ${one.to}`),
    ...columns.retyped.map(({ name, from, to: now }) => `${name} ${from} to ${now}`),
  ];
  return {
    table: to.table,
    rows_from: rows.from,
    rows_to: rows.to,
    added: rows.added + (duplicates?.added ?? 0),
    removed: rows.removed + (duplicates?.removed ?? 0),
    changed: rows.changed,
    'not unique': duplicates?.keys ?? null,
    columns: changes.length === 0 ? null : changes.join(', '),
  };
}
