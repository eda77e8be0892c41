import { InvalidInput } from '../../core/errors.ts';
import { followersOf } from '../../query/pipeline-graph.ts';
import type { RunAnswer } from '../../remote/run-request.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { runDocument, runText } from '../output/run-answer.ts';
import { findSoundPlaces } from './pipelines.ts';
import { type RunArguments, reportEnd, runPipeline } from './run.ts';

/** What each of several runs is given. */
type Shared = Pick<RunArguments, 'runId' | 'run_date' | 'waitMs' | 'strict' | 'maintain'>;

type LeftOut = { readonly pipeline: string; readonly because: string };

/** Runs a pipeline as it was asked for, and then those that run after it. */
export async function runDownstream(context: Context, request: RunArguments): Promise<number> {
  if (request.dryRun === true) {
    throw new InvalidInput(
      '--downstream with --dry-run: what a dry run computes is not there for others; leave one of them out',
    );
  }
  const lake = await openLake(context, 'read');
  // Says what is wrong with it, or that there is none.
  await lake.deps.specs(request.pipeline);
  const found = await findSoundPlaces(lake);
  const first = found.places.filter(({ name }) => name === request.pipeline);
  const places = [...first, ...followersOf(found.places, request.pipeline)];
  return runInOrder(context, { ...found, places }, request);
}

/** Runs all pipelines of the folder. */
export async function runAll(context: Context, shared: Shared): Promise<number> {
  const found = await findSoundPlaces(await openLake(context, 'read'));
  return runInOrder(context, found, { ...shared, pipeline: '' });
}

/**
 * Each pipeline in its order, where those that it follows or reads have ended well or had nothing to do. The code is the worst of
 * theirs.
 */
async function runInOrder(
  context: Context,
  { places, broken: wrong }: Awaited<ReturnType<typeof findSoundPlaces>>,
  request: RunArguments,
): Promise<number> {
  const { runId, run_date, waitMs, strict, maintain } = request;
  const shared = {
    ...(runId === undefined ? {} : { runId }),
    ...(run_date === undefined ? {} : { run_date }),
    ...(waitMs === undefined ? {} : { waitMs }),
    ...(strict === undefined ? {} : { strict }),
    ...(maintain === undefined ? {} : { maintain }),
  };
  const documents: unknown[] = [];
  // Whether one that does not compile comes after the others cannot be told; its followers wait for it.
  const left: LeftOut[] = wrong.map(({ name, cause }) => ({ pipeline: name, because: cause.message }));
  const broken = new Set(wrong.map(({ name }) => name));
  let code: number = wrong.length === 0 ? EXIT.done : EXIT.wrongUse;
  for (const { name, after, reads } of places) {
    const before = [...broken].filter((one) => after.includes(one) || reads.some((table) => isOf(table, one)));
    if (before.length > 0) {
      broken.add(name);
      left.push({ pipeline: name, because: `${before.join(', ')} did not succeed` });
      continue;
    }
    const asked = name === request.pipeline ? request : { ...shared, pipeline: name };
    const answer = await runPipeline(context, asked);
    documents.push(runDocument(asked, answer));
    if (!context.options.json) await context.answer(undefined, () => runText(context, asked, answer));
    if (!endedWell(answer)) broken.add(name);
    code = Math.max(code, await reportEnd(context, answer, asked));
  }
  if (context.options.json) await context.answer({ runs: documents, left_out: left }, () => '');
  for (const { pipeline, because } of left) context.note(`${pipeline} was not run: ${because}`);
  return code;
}

function isOf(table: string, pipeline: string): boolean {
  return [`${pipeline}_silver.`, `${pipeline}_gold.`].some((database) => table.startsWith(database));
}

function endedWell(answer: RunAnswer): boolean {
  return answer.kind === 'nothing' || (answer.kind === 'ended' && answer.result.status !== 'FAILED');
}
