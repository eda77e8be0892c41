import type { LineageNode } from '../../core/page-facts.ts';
import { type Html, html } from '../page/html.ts';
import { type GraphNode, renderLineage } from '../page/lineage.ts';
import { renderTable } from '../page/table.ts';
import { columnId, type LakeMap, type MapNode, tableOfColumn, tablePath } from './lake-map.ts';

/** The columns of a table between those that they are made of and those that are made of them; nothing where no such thing is known. */
export function renderColumnLineage(map: LakeMap, { name: table, kind, columns }: MapNode): Html | null {
  const rows = columns.map(({ name, from }) => {
    const column = `${table}.${name}`;
    return { column, name, from, to: map.uses.get(column) ?? [] };
  });
  const linkedRows = rows.filter(({ from, to }) => from.length + to.length > 0);
  if (linkedRows.length === 0) return null;
  const above = [...new Set(linkedRows.flatMap(({ from }) => from))];
  const below = [...new Set(linkedRows.flatMap(({ to }) => to))].filter((name) => tableOfColumn(name) !== table);
  const kindOf = (column: string): LineageNode['kind'] => map.byName.get(tableOfColumn(column))?.kind ?? 'elsewhere';
  const nodes: readonly GraphNode[] = [
    ...above
      .filter((name) => tableOfColumn(name) !== table)
      .map((name) => ({ name, kind: kindOf(name), level: 0, reads: [] })),
    ...linkedRows.map(({ column, from }) => ({ name: column, kind, level: 1, reads: from })),
    ...below.map((name) => ({
      name,
      kind: kindOf(name),
      level: 2,
      reads: linkedRows.filter(({ to }) => to.includes(name)).map(({ column }) => column),
    })),
  ];
  const hrefOf = (column: string): string | undefined => {
    const path = tablePath(map, tableOfColumn(column));
    return path === undefined ? undefined : `../${path}#${columnId(column)}`;
  };
  const shown = renderTable({
    caption: `What the columns of ${table} are made of, and what is made of them`,
    columns: [{ name: 'column' }, { name: 'made from' }, { name: 'used in' }],
    rows: linkedRows.map(({ name, from, to }) => [name, from.join(', ') || '-', to.join(', ') || '-']),
  });
  return html`<figure id="column-lineage"><figcaption>Lineage of the columns of ${table}</figcaption>${renderLineage(nodes, hrefOf, ({ name }) => name)}${shown}</figure>`;
}
