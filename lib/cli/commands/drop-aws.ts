import { type DropRequest, dropTable } from '../../runtime/drop-table.ts';
import type { RemotePlace } from '../../runtime/remote-lake.ts';
import { openRemoteTables } from '../../runtime/remote-tables.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { createLog } from '../output/log.ts';
import { renderDrop } from './drop.ts';
import { awsHint } from './run-aws.ts';

/** Drops a table of a deployed lake; what models make says the pipeline in the folder here. */
export async function dropOnAws(context: Context, request: DropRequest, place: RemotePlace): Promise<number> {
  const { deps: here } = await openLake(context, 'read');
  const deployed = await openRemoteTables(place, createLog(context.stderr, { json: false }));
  const answer = await dropTable({ ...deployed, specs: here.specs }, request);
  const hint = (command: string): string => awsHint(context, command.replace(/^drop /, 'drop --aws '), place);
  await context.answer(answer, () => renderDrop(answer, request, { hint }));
  return EXIT.done;
}
