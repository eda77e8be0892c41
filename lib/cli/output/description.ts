import type { TableDescription } from '../../query/describe-table.ts';
import { formatBytes, formatQuantity } from './human.ts';
import { renderTable, type TableLayout } from './table.ts';
import { renderText } from './text.ts';

/** A table's description for people. */
export function renderDescription(table: TableDescription, layout: TableLayout): string {
  const { lineage } = table;
  const facts: readonly (readonly [string, string])[] = [
    [
      'holds',
      `${formatQuantity(table.rows, 'row')} in ${formatQuantity(table.files, 'file')}, ${formatBytes(table.bytes)}`,
    ],
    ['snapshots', `${formatQuantity(table.snapshots, 'snapshot')}, current ${table.current_snapshot_id ?? 'none'}`],
    ['changed', table.updated],
    ...(table.text === undefined ? [] : [['made by', renderText(table.text)] as const]),
    ['location', table.location],
    ['metadata', table.metadata_location],
    ['partitioned by', listed(table.partitioning.map(({ transform, column }) => partitionText(transform, column)))],
    ['sorted by', listed(table.sort.map(({ column, direction }) => `${column} ${direction}`))],
    ...Object.entries(table.properties).map(([key, value]) => ['property', `${key} = ${value}`] as const),
    ...(lineage === null
      ? []
      : ([
          ['reads', listed(lineage.reads)],
          ['upstream', listed(lineage.upstream.filter((name) => !lineage.reads.includes(name)))],
          ['read by', listed(lineage.read_by)],
          ['downstream', listed(lineage.downstream.filter((name) => !lineage.read_by.includes(name)))],
        ] as const)),
  ];
  const title = table.description === null ? table.name : `${table.name}: ${table.description}`;
  const described = table.columns.some(({ description }) => description !== undefined) ? [{ name: 'description' }] : [];
  const columns = renderTable(
    table.columns,
    [{ name: 'id', type: 'INTEGER' }, { name: 'name' }, { name: 'type' }, ...described],
    layout,
  );
  return [title, '', ...facts.map(([label, text]) => `${label.padEnd(16)}${text}`), '', columns].join('\n');
}

function listed(names: readonly string[]): string {
  return names.length === 0 ? '-' : names.join(', ');
}

/** `month(order_date)`, `bucket[16](id)`, and the bare column for identity. */
function partitionText(transform: string, column: string): string {
  return transform === 'identity' ? column : `${transform}(${column})`;
}
