import type { RollbackRequest } from '../../runtime/plan-rollback.ts';
import { type RollbackAnswer, rollbackTable } from '../../runtime/rollback-table.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { formatQuantity } from '../output/human.ts';

/** Files that are named in a text; under --json all are. */
const MOST_NAMED = 20;

/** Makes a table what it was. */
export async function rollback(context: Context, request: RollbackRequest): Promise<number> {
  const { deps } = await openLakeAt(context, request.dryRun === true ? 'trial' : 'write');
  const answer = await rollbackTable(deps, request);
  await context.answer(answer, () => renderRollback(answer, request, context));
  return EXIT.done;
}

/** What was done, or would be. `hint`: how to call a command on this lake. */
export function renderRollback(
  answer: RollbackAnswer,
  request: RollbackRequest,
  { hint }: Pick<Context, 'hint'>,
): string {
  const { dry_run, tables, undone, files, due } = answer;
  if (answer.again === true) {
    const lines = tables.map(
      ({ table, to }) => `${table} went back to snapshot ${to} before, by ${answer.run_id}; nothing has come since\n`,
    );
    return lines.join('');
  }
  const did = dry_run ? 'would go back' : 'went back';
  const lines = tables.map(({ table, to, files_added, files_removed }) => {
    const moved = `${formatQuantity(files_added, 'data file')} come back, ${files_removed} go`;
    return `${table} ${did} to snapshot ${to}: ${moved}`;
  });
  const runs = undone.map(({ run_id, operation }) => run_id ?? `an ${operation} that no run made`);
  lines.push(...(runs.length === 0 ? [] : [`undone: ${runs.join(', ')}`]), ...renderFiles(files, request, { hint }));
  if (due.length > 0) lines.push(`computed anew by the next run: ${due.join(', ')}`);
  const { table, to, reingest } = request;
  const next = `rollback ${table} --to ${to}${reingest === true ? ' --reingest' : ''}`;
  return `${lines.join('\n')}\n${dry_run ? `next:\n  ${hint(next)}\n` : ''}`;
}

function renderFiles(
  files: RollbackAnswer['files'],
  { table, to, reingest }: RollbackRequest,
  { hint }: Pick<Context, 'hint'>,
): readonly string[] {
  const again = files.filter((file) => file.again);
  const lost = files.filter((file) => !file.again);
  return [
    ...named(again, 'taken again by the next run'),
    ...named(lost, reingest === true ? 'corrected since, to be taken by strata reprocess' : 'not taken again'),
    ...(lost.length > 0 && reingest !== true
      ? [`to have the next run take them: ${hint(`rollback ${table} --to ${to} --reingest`)}`]
      : []),
  ];
}

function named(files: RollbackAnswer['files'], what: string): readonly string[] {
  if (files.length === 0) return [];
  const more = files.length > MOST_NAMED ? [`  and ${files.length - MOST_NAMED} more (--json names all)`] : [];
  const lines = files.slice(0, MOST_NAMED).map(({ file, run_id }) => `  ${file} (run ${run_id})`);
  return [`${formatQuantity(files.length, 'file')} ${what}:`, ...lines, ...more];
}
