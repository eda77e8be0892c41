import { parseTableName, tablePrefix } from '../../core/tables.ts';
import { type DropAnswer, type DropRequest, dropTable } from '../../runtime/drop-table.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { formatBytes, formatQuantity } from '../output/human.ts';

/** Drops a table of the lake, a keyed one together with its log. */
export async function drop(context: Context, request: DropRequest): Promise<number> {
  const { deps } = await openLakeAt(context, request.dryRun === true ? 'trial' : 'write');
  const answer = await dropTable(deps, request);
  await context.answer(answer, () => renderDrop(answer, request, context));
  return EXIT.done;
}

/** What was dropped, and what is left of it. `hint`: how to call a command on this lake. */
export function renderDrop(answer: DropAnswer, { table, data }: DropRequest, { hint }: Pick<Context, 'hint'>): string {
  const lines = answer.tables.map((one) => renderTable(one, answer.dry_run));
  const left = data === true ? [] : answer.tables.filter(({ files }) => files > 0);
  const next = answer.dry_run
    ? `next:\n  ${hint(`drop ${table}${data === true ? ' --data' : ''}`)}\n`
    : left.length === 0
      ? ''
      : `their files stay; to remove them:\n  ${hint(`drop ${table} --data`)}\n`;
  return `${lines.join('')}${next}`;
}

function renderTable({ table, dropped, files_removed, ...was }: DropAnswer['tables'][number], dryRun: boolean): string {
  const held = was.rows === null ? '' : ` (${formatQuantity(was.rows, 'row')}, ${formatBytes(was.bytes ?? 0)})`;
  const gone = dropped ? `${dryRun ? 'would drop' : 'dropped'} ${table}${held}` : `${table} was dropped before`;
  const files =
    files_removed === 0
      ? `${formatQuantity(was.files, 'file')} in ${tablePrefix(parseTableName(table))}/ ${dryRun ? 'would stay' : 'stay'}`
      : `${formatQuantity(files_removed, 'file')} ${dryRun ? 'would be removed' : 'removed'}`;
  return `${gone}; ${files}\n`;
}
