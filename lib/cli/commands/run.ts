import type { RunResult } from '../../core/run.ts';
import { unfinishedRun } from '../../query/plan-run.ts';
import type { RunAnswer, RunRequest } from '../../runtime/local.ts';
import { type Context, EXIT } from '../context.ts';
import { describeRunError } from '../failure.ts';
import { openLake } from '../open-lake.ts';
import { createProgress } from '../output/progress.ts';
import { renderRun } from '../output/run-result.ts';
import { followRun } from '../run-progress.ts';

export type RunArguments = Omit<RunRequest, 'onEvent'>;

/** Runs a pipeline, all of it or as a rebuild or a reprocessing, and prints what came of it. */
export async function run(context: Context, request: RunArguments): Promise<number> {
  const answer = await runPipeline(context, request);
  await context.answer(runDocument(request, answer), () => runText(context, request, answer));
  return reportFailure(context, answer);
}

/** The run itself, with its progress on stderr. */
export async function runPipeline(context: Context, request: RunArguments): Promise<RunAnswer> {
  const { stderr } = context.terminal;
  const progress = createProgress(stderr);
  try {
    const lake = await openLake(context, 'write', progress.lines);
    return await lake.run({ ...request, onEvent: followRun(progress, stderr.isTTY === true) });
  } finally {
    progress.close();
  }
}

/** Says on stderr how a run failed, and what became of it; answers the exit code. A request that was refused is no run. */
export async function reportFailure(context: Context, answer: RunAnswer): Promise<number> {
  if (answer.kind !== 'ended' || answer.result.status !== 'FAILED') return EXIT.done;
  const { run_id, pipeline, error } = answer.result;
  if (error?.name === 'InvalidInput') {
    context.note(error.message);
    return EXIT.wrongUse;
  }
  const { deps } = await openLake(context, 'read');
  const outcome =
    (await unfinishedRun(deps, pipeline)) === run_id
      ? `while it published; ${context.hint(`run ${pipeline}`)} finishes it`
      : 'and published nothing';
  context.note(`run ${run_id} of ${pipeline} failed, ${outcome}`);
  if (error !== null) context.note(describeRunError(error));
  return EXIT.failed;
}

/** The answer under --json: the run's own result, or one of the same shape for a run that had nothing to do. */
export function runDocument(request: RunArguments, answer: RunAnswer): unknown {
  switch (answer.kind) {
    case 'ended':
      return answer.result;
    case 'nothing':
      return emptyResult(request.pipeline, answer.runId, 'NOTHING_TO_DO');
    case 'locked':
      return { ...emptyResult(request.pipeline, null, 'LOCKED'), message: answer.message };
  }
}

type EmptyResult = Omit<RunResult, 'status' | 'run_id'> & { readonly run_id: string | null; readonly status: string };

function emptyResult(pipeline: string, run_id: string | null, status: string): EmptyResult {
  return {
    run_id,
    pipeline,
    status,
    accounting: {},
    rejected_files: [],
    tables: {},
    warnings: [],
    previews: {},
    duration_ms: 0,
    steps: [],
    error: null,
  };
}

export function runText(context: Context, { pipeline }: RunArguments, answer: RunAnswer): string {
  switch (answer.kind) {
    case 'ended':
      return answer.result.status === 'FAILED' ? '' : renderRun(answer.result, answer.again, context);
    case 'nothing':
      return `nothing to do for ${pipeline}: no new files in bronze/${pipeline}/, and no gold table is out of date\n`;
    case 'locked':
      return `${answer.message}\n`;
  }
}
