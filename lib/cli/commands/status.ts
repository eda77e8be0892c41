import { collectFacts, pipelinesIn } from '../../query/status/status-facts.ts';
import { judgePipeline, type PipelineStatus } from '../../report/status.ts';
import { listPipelines } from '../../runtime/load-pipeline.ts';
import { type Context, EXIT } from '../context.ts';
import { tellEach } from '../each-pipeline.ts';
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
  const names = [...new Set([...(await pipelinesIn(deps)), ...here])].sort();
  const { found, whole } = await tellEach(context, names, judge);
  await context.answer(found, () => renderPipelines(found, context));
  const code = codeOf(found);
  return code === EXIT.done && !whole ? EXIT.wrongUse : code;
}

function codeOf(found: readonly PipelineStatus[]): number {
  return found.some(({ breached }) => breached.length > 0) ? EXIT.breached : EXIT.done;
}
