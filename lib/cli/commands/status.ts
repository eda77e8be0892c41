import { InvalidInput } from '../../core/errors.ts';
import { collectFacts, pipelinesIn } from '../../query/status/status-facts.ts';
import { judgePipeline, type PipelineStatus } from '../../report/status.ts';
import { listPipelines } from '../../runtime/load-pipeline.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';
import { renderPipeline, renderPipelines } from '../output/status.ts';

/** Shows how a pipeline does, or all; ends with 3 where something is breached. */
export async function status(
  context: Context,
  pipeline: string | undefined,
  days: number | undefined,
): Promise<number> {
  const { deps, pipelines } = await openLakeAt(context, 'read');
  const judge = async (name: string): Promise<PipelineStatus> =>
    judgePipeline(await collectFacts(deps, name), deps.clock.now().getTime(), days);
  if (pipeline !== undefined) {
    const found = await judge(pipeline);
    await context.answer(found, () => renderPipeline(found, context));
    return codeOf([found]);
  }
  const here = context.deployed === undefined ? await listPipelines(pipelines) : [];
  const found: PipelineStatus[] = [];
  let broken = false;
  for (const name of [...new Set([...(await pipelinesIn(deps)), ...here])].sort()) {
    try {
      found.push(await judge(name));
    } catch (cause) {
      // One that has never run and does not compile hides no other.
      if (!(cause instanceof InvalidInput)) throw cause;
      broken = true;
      context.note(cause.message);
    }
  }
  await context.answer(found, () => renderPipelines(found, context));
  const code = codeOf(found);
  return code === EXIT.done && broken ? EXIT.wrongUse : code;
}

function codeOf(found: readonly PipelineStatus[]): number {
  return found.some(({ breached }) => breached.length > 0) ? EXIT.breached : EXIT.done;
}
