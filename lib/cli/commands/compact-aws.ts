import { fullName, parseTableName } from '../../core/tables.ts';
import { openRemoteRuns, type RemotePlace } from '../../runtime/remote-lake.ts';
import type { Context } from '../context.ts';
import { compactionDocument, renderCompaction } from '../output/compaction.ts';
import { createProgress } from '../output/progress.ts';
import { followRun } from '../run-progress.ts';
import { type CompactArguments, compactRequest, tellCompaction } from './compact.ts';

/** Compacts tables of a deployed lake. Ctrl-C leaves it going on. */
export async function compactOnAws(
  context: Context,
  { target, runId, dryRun, ...options }: CompactArguments,
  place: RemotePlace,
): Promise<number> {
  const request = compactRequest(options);
  const table = target.includes('.') ? parseTableName(target) : undefined;
  const pipeline = table?.pipeline ?? target;
  const { stderr } = context;
  const progress = createProgress(stderr);
  try {
    const runs = await openRemoteRuns(pipeline, place, 'MaintenanceStateMachineArn');
    const answer = await runs.compact({
      pipeline,
      compact: { ...request, ...(table === undefined ? {} : { table: fullName(table) }) },
      ...(runId === undefined ? {} : { runId }),
      ...(dryRun === undefined ? {} : { dryRun }),
      onStarted: (arn) => progress.lines.write(`execution ${arn}; it goes on when this command is stopped\n`),
      onEvent: followRun(progress, stderr.isTTY),
    });
    progress.close();
    await context.answer(compactionDocument(answer), () => renderCompaction(answer, context.layout));
    return tellCompaction(context, answer);
  } finally {
    progress.close();
  }
}
