import type { RunResult } from '../../core/run.ts';
import type { RunAnswer } from '../../runtime/local.ts';
import { type Context, EXIT } from '../context.ts';
import { describeRunError } from '../failure.ts';
import { renderRun } from './run-result.ts';

type Asked = { readonly pipeline: string };

/** The answer under --json: the run's own result, or one of the same shape for a run that had nothing to do. */
export function runDocument(request: Asked, answer: RunAnswer): unknown {
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

/** `next`: the commands to go on with, where they are not those of a lake on this machine. */
export function runText(
  context: Context,
  { pipeline }: Asked,
  answer: RunAnswer,
  next?: (result: RunResult) => string,
): string {
  switch (answer.kind) {
    case 'ended':
      return answer.result.status === 'FAILED' ? '' : renderRun(answer.result, answer.again, context, next);
    case 'nothing':
      return `nothing to do for ${pipeline}: no new files in bronze/${pipeline}/, and no gold table is out of date\n`;
    case 'locked':
      return `${answer.message}\n`;
  }
}

/** How a failed run is told: whether a run of the pipeline is unfinished, and the command that finishes it. */
export type Aftermath = { readonly unfinished: () => Promise<string | null>; readonly finish: string };

/** Says on stderr how a run failed, and what became of it; answers the exit code. A request that was refused is no run. */
export async function tellFailure(context: Context, answer: RunAnswer, aftermath: Aftermath): Promise<number> {
  if (answer.kind !== 'ended' || answer.result.status !== 'FAILED') return EXIT.done;
  const { run_id, pipeline, error } = answer.result;
  if (error?.name === 'InvalidInput') {
    context.note(error.message);
    return EXIT.wrongUse;
  }
  const outcome =
    (await aftermath.unfinished()) === run_id
      ? `while it published; ${aftermath.finish} finishes it`
      : 'and published nothing';
  context.note(`run ${run_id} of ${pipeline} failed, ${outcome}`);
  if (error !== null) context.note(describeRunError(error));
  return EXIT.failed;
}
