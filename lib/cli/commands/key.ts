import { readKeyHistory } from '../../query/key-history.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { renderKeyHistory } from '../output/key-history.ts';

/** Shows the events of one key beside the rows that they made. */
export async function key(context: Context, table: string, parts: readonly string[]): Promise<number> {
  const { deps } = await openLake(context, 'read');
  const history = await readKeyHistory(deps, table, parts);
  await context.answer(history, () => renderKeyHistory(history, context.layout));
  return EXIT.done;
}
