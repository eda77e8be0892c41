import type { CompactRequest } from '../../core/asked.ts';
import { InvalidInput } from '../../core/errors.ts';
import { fullName } from '../../core/tables.ts';
import { findTable } from '../../query/find-table.ts';
import type { CompactionAnswer } from '../../remote/compaction.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { compactionDocument, renderCompaction } from '../output/compaction.ts';
import { createProgress } from '../output/progress.ts';
import { followRun } from '../run-progress.ts';

export type CompactArguments = {
  /** A pipeline, or a table by full name. */
  readonly target: string;
  readonly where?: string;
  readonly targetMb?: number;
  readonly minFiles?: number;
  readonly sort?: readonly string[];
  readonly zorder?: readonly string[];
  readonly all?: boolean;
  readonly runId?: string;
  readonly dryRun?: boolean;
};

/** Rewrites files of a table, or of all tables of a pipeline, that are far from the size that they should have. */
export async function compact(
  context: Context,
  { target, runId, dryRun, ...options }: CompactArguments,
): Promise<number> {
  const request = compactRequest(options);
  const { stderr } = context;
  const progress = createProgress(stderr);
  try {
    const lake = await openLake(context, dryRun === true ? 'read' : 'write', progress.lines);
    const found = target.includes('.') ? (await findTable(lake.deps.catalog, target)).id : undefined;
    const answer = await context.interruptible((interrupted) =>
      lake.compact({
        pipeline: found?.pipeline ?? target,
        compact: { ...request, ...(found === undefined ? {} : { table: fullName(found) }) },
        ...(runId === undefined ? {} : { runId }),
        ...(dryRun === undefined ? {} : { dryRun }),
        onEvent: followRun(progress, stderr.isTTY),
        interrupted,
      }),
    );
    progress.close();
    await context.answer(compactionDocument(answer), () => renderCompaction(answer, context.layout));
    return tellCompaction(context, answer);
  } finally {
    progress.close();
  }
}

/** The options as an execution is asked. Throws InvalidInput for two orders at once. */
export function compactRequest({
  targetMb,
  minFiles,
  sort,
  zorder,
  where,
  all,
}: Omit<CompactArguments, 'target' | 'runId' | 'dryRun'>): CompactRequest {
  if (sort !== undefined && zorder !== undefined) {
    throw new InvalidInput('--sort with --zorder: got two orders; expected one of them');
  }
  return {
    ...(where === undefined ? {} : { where }),
    ...(targetMb === undefined ? {} : { target_mb: targetMb }),
    ...(minFiles === undefined ? {} : { min_files: minFiles }),
    ...(sort === undefined ? {} : { sort }),
    ...(zorder === undefined ? {} : { zorder }),
    ...(all === undefined ? {} : { all }),
  };
}

/** Says on stderr what went wrong; answers the exit code. */
export function tellCompaction(context: Context, answer: CompactionAnswer): number {
  if (answer.kind === 'locked') {
    context.note(answer.message);
    return EXIT.locked;
  }
  if (answer.kind !== 'ended') return EXIT.done;
  const { status, error, run_id, pipeline, left } = answer.result;
  if (status === 'FAILED') {
    if (error?.name !== 'InvalidInput') context.note(`compaction ${run_id} of ${pipeline} failed; no row has changed`);
    context.note(error?.message ?? '');
    return error?.name === 'InvalidInput' ? EXIT.wrongUse : EXIT.failed;
  }
  for (const { table, partition, reason } of left)
    context.note(`${[table, partition].join(' ').trim()} is left as it is: ${reason}`);
  return left.length === 0 ? EXIT.done : EXIT.failed;
}
