import type { RollbackRequest } from '../../runtime/plan-rollback.ts';
import type { RemotePlace } from '../../runtime/remote-lake.ts';
import { openRemoteTables } from '../../runtime/remote-tables.ts';
import { rollbackTable } from '../../runtime/rollback-table.ts';
import { type TagRequest, tagTable } from '../../runtime/tag-table.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { createLog } from '../output/log.ts';
import { renderRollback } from './rollback.ts';
import { awsHint } from './run-aws.ts';
import { renderTag } from './tag.ts';

/** Names a snapshot of a table of a deployed lake, or takes the name away. */
export async function tagOnAws(context: Context, request: TagRequest, place: RemotePlace): Promise<number> {
  const answer = await tagTable(await openTables(context, place), request);
  await context.answer(answer, () => renderTag(answer));
  return EXIT.done;
}

/** Makes a table of a deployed lake what it was; what models make says the pipeline in the folder here. */
export async function rollbackOnAws(context: Context, request: RollbackRequest, place: RemotePlace): Promise<number> {
  const answer = await rollbackTable(await openTables(context, place), request);
  const hint = (command: string): string => awsHint(context, command.replace(/^rollback /, 'rollback --aws '), place);
  await context.answer(answer, () => renderRollback(answer, request, { hint }));
  return EXIT.done;
}

async function openTables(context: Context, place: RemotePlace): Promise<Parameters<typeof tagTable>[0]> {
  const { deps: here } = await openLake(context, 'read');
  const deployed = await openRemoteTables(place, createLog(context.stderr, { json: false }));
  return { ...deployed, specs: here.specs };
}
