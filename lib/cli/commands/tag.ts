import { type TagAnswer, type TagRequest, tagTable } from '../../runtime/tag-table.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';

/** Names a snapshot of a table, or takes the name away. */
export async function tag(context: Context, request: TagRequest): Promise<number> {
  const { deps } = await openLakeAt(context, 'write');
  const answer = await tagTable(deps, request);
  await context.answer(answer, () => renderTag(answer));
  return EXIT.done;
}

export function renderTag({ name, removed, tables }: TagAnswer): string {
  const is = removed ? 'is no longer' : 'is';
  return tables.map(({ table, snapshot_id }) => `${table}: snapshot ${snapshot_id} ${is} ${name}\n`).join('');
}
