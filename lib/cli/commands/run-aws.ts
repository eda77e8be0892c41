import { parseTableName } from '../../core/tables.ts';
import type { RunRequest } from '../../remote/run-request.ts';
import { openRemoteRuns, type RemotePlace } from '../../runtime/remote-lake.ts';
import type { Context } from '../context.ts';
import { createProgress } from '../output/progress.ts';
import { runDocument, runText, tellEnd } from '../output/run-answer.ts';
import { followRun } from '../run-progress.ts';

export type RemoteRunArguments = Omit<RunRequest, 'onEvent' | 'onWait' | 'waitMs' | 'retryIntervalMs'> & {
  readonly strict?: boolean;
};

/** Runs a deployed pipeline, follows it, and answers as a run on this machine does. Ctrl-C leaves the run going on. */
export async function runOnAws(
  context: Context,
  { strict, ...request }: RemoteRunArguments,
  place: RemotePlace,
): Promise<number> {
  const { stderr } = context;
  const progress = createProgress(stderr);
  try {
    const runs = await openRemoteRuns(request.pipeline, place);
    const answer = await runs.run({
      ...request,
      onStarted: (arn) => progress.lines.write(`execution ${arn}; it goes on when this command is stopped\n`),
      onEvent: followRun(progress, stderr.isTTY),
    });
    progress.close();
    const there = context.at(place);
    await there.answer(runDocument(request, answer), () => runText(there, request, answer));
    return await tellEnd(there, answer, {
      strict: strict ?? false,
      unfinished: () => runs.unfinished(),
      finish: there.hint(`run ${request.pipeline}`),
    });
  } finally {
    progress.close();
  }
}

/** Recomputes a keyed table of a deployed pipeline. Throws InvalidInput unless the table has a full name. */
export function rebuildOnAws(
  context: Context,
  { table, ...options }: { readonly table: string } & Pick<RemoteRunArguments, 'runId' | 'dryRun' | 'strict'>,
  place: RemotePlace,
): Promise<number> {
  const { pipeline } = parseTableName(table);
  return runOnAws(context, { pipeline, rebuild: table, ...options }, place);
}
