import type { VacuumAnswer } from '../../core/maintenance.ts';
import { vacuumTables } from '../../runtime/maintain.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { formatBytes, formatQuantity } from '../output/human.ts';
import { renderTable } from '../output/table.ts';
import { type ExpiryArguments, noteFailed, requestOf } from './expire.ts';

/** Removes files that nothing needs. Ends with 2 when a table was left as it is. */
export async function vacuum(context: Context, asked: Omit<ExpiryArguments, 'keep'>): Promise<number> {
  const request = requestOf(asked);
  const { deps } = await openLake(context, request.dryRun === true ? 'read' : 'write');
  const answer = await context.interruptible((interrupted) => vacuumTables(deps, { ...request, interrupted }));
  return tellVacuumed(context, answer, context.hint);
}

/** Answers the exit code. `hint`: how to call a command on this lake. */
export async function tellVacuumed(context: Context, answer: VacuumAnswer, hint: Context['hint']): Promise<number> {
  await context.answer(answer, () => renderVacuumed(answer, context));
  noteFailed(answer, context);
  for (const table of answer.unknown) {
    context.note(
      `the folder of ${table}, which no catalog knows, stays: nothing says that it was dropped. To remove its files:\n` +
        `  ${hint(`drop ${table} --data --force`)}`,
    );
  }
  return answer.failed.length === 0 ? EXIT.done : EXIT.failed;
}

function renderVacuumed({ tables, dry_run, record }: VacuumAnswer, { layout }: Context): string {
  const found = tables.filter(({ files, rows = 0, names = 0 }) => files + rows + names > 0);
  if (found.length === 0) return 'nothing that is old enough and not needed\n';
  const [files, bytes] = [sum(found.map((one) => one.files)), sum(found.map((one) => one.bytes))];
  const rows = found.map((one) => ({ ...one, bytes: formatBytes(one.bytes) }));
  const columns = [{ name: 'table', whole: true }, { name: 'kind' }, { name: 'files' }, { name: 'bytes' }];
  const old = sum(found.map((one) => one.rows ?? 0));
  const what = `${formatQuantity(files, 'file')} (${formatBytes(bytes)})`;
  const retired = old === 0 ? '' : `; ${formatQuantity(old, 'row')} of quarantine`;
  const names = sum(found.map((one) => one.names ?? 0));
  const forgotten = names === 0 ? '' : `; ${formatQuantity(names, 'name')} of tables that engines were shown`;
  const last = dry_run ? `would remove ${what}` : `removed ${what}, which are written down in ${record}/`;
  return `${renderTable(rows, columns, layout)}${last}${retired}${forgotten}\n`;
}

function sum(counts: readonly number[]): number {
  return counts.reduce((total, count) => total + count, 0);
}
