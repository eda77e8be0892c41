import type { UnitProfile } from '../../core/profile.ts';
import { unfinishedRun } from '../../query/plan-run.ts';
import type { RunAnswer, RunRequest } from '../../remote/run-request.ts';
import { keepRunProfile } from '../../runtime/page/keep-profile.ts';
import type { Context } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { renderProfile } from '../output/profile.ts';
import { createProgress } from '../output/progress.ts';
import { runDocument, runText, tellEnd } from '../output/run-answer.ts';
import { followRun } from '../run-progress.ts';

export type RunArguments = Omit<RunRequest, 'onEvent' | 'onWait'> & {
  readonly strict?: boolean;
  /** Shows what DuckDB did, too. */
  readonly profile?: boolean;
};

/** Runs a pipeline, all of it or as a rebuild or a reprocessing, and prints what came of it. */
export async function run(context: Context, request: RunArguments): Promise<number> {
  const profiles: UnitProfile[] = [];
  const answer = await runPipeline(context, request, profiles);
  const { profile = false } = request;
  await context.answer(
    profile ? withProfile(runDocument(request, answer), profiles) : runDocument(request, answer),
    () => [runText(context, request, answer), ...(profile ? ['\n', renderProfile(profiles)] : [])].join(''),
  );
  return reportEnd(context, answer, request);
}

function withProfile(document: unknown, profile: readonly UnitProfile[]): unknown {
  return { ...(typeof document === 'object' ? document : {}), profile };
}

/** The run itself, with its progress on stderr. */
export async function runPipeline(
  context: Context,
  { strict, profile = false, ...request }: RunArguments,
  profiles: UnitProfile[] = [],
): Promise<RunAnswer> {
  const { stderr } = context;
  const progress = createProgress(stderr);
  try {
    const lake = await openLake(context, 'write', progress.lines, { profile });
    const work = {
      ...request,
      onEvent: followRun(progress, stderr.isTTY),
      onWait: (message: string) =>
        progress.lines.write(`${message.replace(/; nothing was done.*$/, '')}; waiting for it\n`),
    };
    const answer = await context.interruptible((interrupted) => lake.run({ ...work, interrupted }));
    profiles.push(...lake.profiles);
    // Pages of now show it; a dry run leaves nothing.
    if (profile && request.dryRun !== true) await keepRunProfile(lake.deps, request.pipeline, answer, profiles);
    return answer;
  } finally {
    progress.close();
  }
}

/** Says what went wrong in a run, and what became of it; answers the exit code. */
export function reportEnd(context: Context, answer: RunAnswer, { pipeline, strict }: RunArguments): Promise<number> {
  return tellEnd(context, answer, {
    strict: strict ?? false,
    unfinished: async () => unfinishedRun((await openLake(context, 'read')).deps, pipeline),
    finish: context.hint(`run ${pipeline}`),
  });
}
