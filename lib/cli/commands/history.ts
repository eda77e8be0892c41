import { fullName } from '../../core/tables.ts';
import { findTable } from '../../query/find-table.ts';
import { historyOf } from '../../query/history.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { renderTable } from '../output/table.ts';

export async function history(context: Context, name: string): Promise<number> {
  const { deps } = await openLake(context, 'read');
  const table = await findTable(deps.catalog, name);
  const entries = historyOf(table);
  await context.answer(entries, () => {
    if (entries.length === 0) return `${fullName(table.id)} has no snapshot yet\n`;
    // Ids are names here, not quantities.
    const columns = [
      { name: 'snapshot_id', type: 'VARCHAR', whole: true },
      ...COLUMNS.map((column) => ({ name: column, whole: column === 'run_id' })),
    ];
    return renderTable(
      entries.map(({ current, ...entry }) => ({ ...entry, current: current ? 'yes' : '' })),
      columns,
      context.layout,
    );
  });
  return EXIT.done;
}

const COLUMNS = ['time', 'operation', 'run_id', 'rows_added', 'rows_removed', 'rows', 'files', 'current'];
