import type { CompactedTable } from '../../core/maintenance.ts';
import type { CompactionAnswer } from '../../remote/compaction.ts';
import { formatBytes, formatCount, formatDuration, formatQuantity, formatUsd } from './human.ts';
import { renderTable, type TableLayout } from './table.ts';

/** What `--json` prints of a compaction. */
export function compactionDocument(answer: CompactionAnswer): unknown {
  switch (answer.kind) {
    case 'ended':
      return answer.result;
    case 'planned':
      return { status: 'DRY_RUN', tables: answer.tables, cost: answer.cost };
    case 'nothing':
      return { status: 'NOTHING_TO_DO', tables: [] };
    case 'locked':
      return { status: 'LOCKED', error: { name: 'LockHeld', message: answer.message } };
  }
}

const WHY = { small: 'small', large: 'large', order: 'to be ordered', deleted: 'with deleted rows' } as const;

export function renderCompaction(answer: CompactionAnswer, layout: TableLayout): string {
  switch (answer.kind) {
    case 'locked':
      return '';
    case 'nothing':
      return 'nothing to compact\n';
    case 'planned':
      return answer.tables.length === 0
        ? 'nothing to compact\n'
        : `${renderTables(answer.tables, layout)}${renderTaken(answer)}`;
    case 'ended':
      return answer.result.status === 'FAILED' ? '' : renderTables(answer.result.tables, layout);
  }
}

/** What it would take, in a line. */
function renderTaken({ tables, cost }: Extract<CompactionAnswer, { readonly kind: 'planned' }>): string {
  const sum = (of: (table: CompactedTable) => number): number => tables.reduce((total, one) => total + of(one), 0);
  const what = `${formatQuantity(
    sum(({ files }) => files),
    'file',
  )}, ${formatBytes(sum(({ bytes }) => bytes))}`;
  if (cost === null) return `${what}\n`;
  return `${what}; on AWS about ${formatDuration(cost.seconds * 1_000)} and ${formatUsd(cost.usd)}\n`;
}

function renderTables(tables: readonly CompactedTable[], layout: TableLayout): string {
  const rows = tables.map((table) => ({
    table: table.table,
    partitions: formatCount(table.partitions),
    rows: formatCount(table.rows),
    files: `${formatCount(table.files)} -> ${formatCount(table.files_after)}`,
    bytes: [table.bytes, ...(table.bytes_after === null ? [] : [table.bytes_after])].map(formatBytes).join(' -> '),
    why: [
      ...Object.entries(WHY).flatMap(([reason, words]) => {
        const files = table.reasons[reason as keyof typeof WHY];
        return files === undefined ? [] : [`${formatCount(files)} ${words}`];
      }),
      ...(table.manifests === undefined ? [] : [`${formatQuantity(table.manifests.merged, 'manifest')} to merge`]),
    ].join(', '),
  }));
  const columns = ['table', 'partitions', 'rows', 'files', 'bytes', 'why'].map((name) => ({ name, whole: true }));
  return renderTable(rows, columns, layout);
}
