import { LOG_SUFFIX } from '../../core/keyed.ts';
import type { RunResult } from '../../core/run.ts';
import { parseTableName } from '../../core/tables.ts';
import type { RunRequest } from '../../remote/run-request.ts';
import { openRemoteRuns, type RemotePlace } from '../../runtime/remote-lake.ts';
import type { Context } from '../context.ts';
import { createProgress } from '../output/progress.ts';
import { runDocument, runText, tellEnd } from '../output/run-answer.ts';
import { countRejected } from '../output/run-result.ts';
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
    await context.answer(runDocument(request, answer), () =>
      runText(context, request, answer, (result) => renderNext(context, result, place)),
    );
    return await tellEnd(context, answer, {
      strict: strict ?? false,
      unfinished: () => runs.unfinished(),
      finish: awsHint(context, `run --aws ${request.pipeline}`, place),
      drop: (table) => awsHint(context, `drop --aws ${table}`, place),
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

/** How to call a command on the same deployment. */
export function awsHint(context: Context, command: string, { deployment }: Pick<RemotePlace, 'deployment'>): string {
  return context.hint(deployment === undefined ? command : `${command} --stage ${deployment}`);
}

function renderNext(context: Context, result: RunResult, place: RemotePlace): string {
  const { pipeline, run_id, status, accounting, tables } = result;
  if (status === 'DRY_RUN') return `next:\n  ${awsHint(context, `run --aws ${pipeline}`, place)}\n`;
  const rejected = countRejected(accounting);
  const names = Object.keys(tables).filter((name) => !name.endsWith(LOG_SUFFIX));
  const shown = names.find((name) => name.includes('_gold.')) ?? names[0];
  const query = (sql: string): string => `  ${awsHint(context, `query --athena "${sql}"`, place)}`;
  const quarantine = `${pipeline}_ops.quarantine`;
  return [
    ...(rejected === undefined
      ? []
      : [
          `${rejected} in ${quarantine}, each with its reasons:`,
          query(`SELECT source, line, codes, details FROM ${quarantine} WHERE run_id = '${run_id}' LIMIT 20`),
          '',
        ]),
    ...(shown === undefined ? [] : ['next:', query(`SELECT * FROM ${shown} LIMIT 10`), '']),
  ].join('\n');
}
