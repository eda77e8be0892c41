import { deploymentNames } from '../../core/deployment-names.ts';
import { modelFacts } from '../../query/catalog/model-facts.ts';
import { chosenTexts } from '../../query/chosen-texts.ts';
import { collectFacts } from '../../query/status/status-facts.ts';
import { entryOf } from '../../report/models.ts';
import { renderRunbook } from '../../report/runbook.ts';
import { DEFAULT_DAYS, judgePipeline } from '../../report/status.ts';
import { type Context, EXIT } from '../context.ts';
import { openLakeAt } from '../open-lake.ts';

/** Prints how to run a pipeline and mend it, as it is now. */
export async function runbook(context: Context, pipeline: string, days: number = DEFAULT_DAYS): Promise<number> {
  const { deps } = await openLakeAt(context, 'read');
  const spec = await chosenTexts(deps, pipeline);
  const now = deps.clock.now().getTime();
  const status = judgePipeline(await collectFacts(deps, pipeline), now, days);
  const models = (await modelFacts(deps, spec, days)).map((fact) => entryOf(fact, now));
  const markdown = renderRunbook({
    spec,
    status,
    models,
    call: context.hint,
    machine: deploymentNames(context.deployed?.deployment, '--stage').stateMachine(pipeline),
    deployed: context.deployed !== undefined,
  });
  await context.answer({ pipeline, markdown }, () => markdown);
  return EXIT.done;
}
