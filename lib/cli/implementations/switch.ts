import { userInfo } from 'node:os';
import { parseTableName } from '../../core/tables.ts';
import { type SwitchRequest, switchText } from '../../runtime/switch-text.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';

export type SwitchArguments = Omit<SwitchRequest, 'by' | 'dryRun'> & {
  readonly by?: string;
  readonly dryRun?: boolean;
};

/** Lets another text of a model make its table from the next run on. */
export async function switchTo(context: Context, { by, dryRun = false, ...asked }: SwitchArguments): Promise<number> {
  const { deps } = await openLakeAt(context, dryRun ? 'trial' : 'write');
  const answer = await switchText(deps, { ...asked, dryRun, by: by ?? userInfo().username });
  const { table, from, to, status, reason } = answer;
  await context.answer(answer, () => {
    if (status === 'unchanged') return `${to} makes ${table} already\n`;
    const back = context.hint(`switch ${table} --to ${from}`);
    const next =
      status === 'switched'
        ? `, from the next run on\n\nnext:\n  ${context.hint(`run ${parseTableName(table).pipeline}`)}\n  ${back}, to go back\n`
        : '\n';
    return `${table}: ${status} from ${from} to ${to}: ${reason}${next}`;
  });
  return EXIT.done;
}
