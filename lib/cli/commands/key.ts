import { readKeyHistory } from '../../query/key-history.ts';
import { hidingPersonal, type PersonalOption } from '../command-shape.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderKeyHistory } from '../output/key-history.ts';

/** Shows the events of one key beside the rows that they made. */
export async function key(
  context: Context,
  table: string,
  parts: readonly string[],
  options: PersonalOption,
): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const history = await readKeyHistory(hidingPersonal(deps, options), table, parts);
  await context.answer(history, () => renderKeyHistory(history, context.layout));
  return EXIT.done;
}
