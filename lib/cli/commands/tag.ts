import { type TagRequest, tagTable } from '../../runtime/tag-table.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';

/** Names a snapshot of a table, or takes the name away. */
export async function tag(context: Context, request: TagRequest): Promise<number> {
  const { deps } = await openLake(context, 'write');
  const answer = await tagTable(deps, request);
  await context.answer(answer, () =>
    answer.tables
      .map(({ table, snapshot_id }) => {
        return answer.removed
          ? `${table}: snapshot ${snapshot_id} is no longer ${answer.name}\n`
          : `${table}: snapshot ${snapshot_id} is ${answer.name}\n`;
      })
      .join(''),
  );
  return EXIT.done;
}
