import type { RemovedTable } from '../../core/tables.ts';
import { formatBytes, formatQuantity } from './human.ts';

const MOST_NAMED = 10;

/** Tables that no model makes any more, and how to be rid of them; lines with their ends, none where there are none. */
export function renderRemoved(tables: readonly RemovedTable[], drop: (table: string) => string): string {
  if (tables.length === 0) return '';
  const more = tables.length - MOST_NAMED;
  return [
    `${formatQuantity(tables.length, 'table')} of models that the pipeline no longer has, left as they are:`,
    ...tables.slice(0, MOST_NAMED).map(({ table, rows, bytes }) => {
      return `  ${table}, ${formatQuantity(rows, 'row')}, ${formatBytes(bytes)}; to remove it: ${drop(table)}`;
    }),
    ...(more > 0 ? [`  and ${formatQuantity(more, 'more table')}`] : []),
    '',
  ].join('\n');
}
