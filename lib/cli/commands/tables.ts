import { listTables } from '../../query/list-tables.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { formatBytes, formatCount } from '../output/human.ts';
import { renderBehind } from '../output/serve.ts';
import { renderTable } from '../output/table.ts';

export async function tables(context: Context): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const found = await listTables(deps);
  await context.answer(found, () => {
    if (found.length === 0)
      return `no tables in ${context.lake} yet; try ${context.hint(context.deployed === undefined ? 'demo' : 'run <pipeline>')}\n`;
    const rows = found.map((table) => ({
      table: table.name,
      rows: formatCount(table.rows),
      files: formatCount(table.files),
      size: formatBytes(table.bytes),
      snapshots: formatCount(table.snapshots),
    }));
    const count = (name: string) => ({ name, type: 'BIGINT' });
    const listed = renderTable(
      rows,
      [{ name: 'table', whole: true }, count('rows'), count('files'), count('size'), count('snapshots')],
      context.layout,
    );
    return `${listed}${renderBehind(found)}`;
  });
  return EXIT.done;
}
