import { fullName } from '../../core/tables.ts';
import { findTable } from '../../query/find-table.ts';
import { type HistoryEntry, historyOf } from '../../query/history.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderTable } from '../output/table.ts';

export async function history(context: Context, name: string, limit?: number): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const table = await findTable(deps.catalog, name);
  const entries = historyOf(table, limit);
  await context.answer(entries, () => {
    if (entries.length === 0) return `${fullName(table.id)} has no snapshot yet\n`;
    // Ids are names here, not quantities.
    const columns = [
      { name: 'snapshot_id', type: 'VARCHAR', whole: true },
      ...COLUMNS.map((column) => ({ name: column, whole: column === 'run_id' })),
    ];
    const rows = entries.map(({ current, tags, parameters, ...entry }) => ({
      ...entry,
      current: current ? 'yes' : '',
      tags: tags.join(', '),
      parameters: renderParameters(parameters),
    }));
    const said = columns.filter(({ name }) => !isOptional(name) || rows.some((row) => row[name] !== ''));
    return renderTable(rows, said, context.layout);
  });
  return EXIT.done;
}

const COLUMNS = [
  'time',
  'operation',
  'run_id',
  'rows_added',
  'rows_removed',
  'rows',
  'files',
  'current',
  'tags',
  'parameters',
];

/** Shown where there is something to show. */
function isOptional(column: string): column is 'tags' | 'parameters' {
  return column === 'tags' || column === 'parameters';
}

/** What gold was computed from: for the machine, and long. */
const OF_GOLD = ['strata.inputs', 'strata.model-hash'];

function renderParameters(parameters: HistoryEntry['parameters']): string {
  const shown = Object.entries(parameters).filter(([name]) => !OF_GOLD.includes(name));
  return shown.map(([name, value]) => `${name}=${value}`).join(', ');
}
