import { DEFAULT_DAYS, judgePipeline } from '../../report/status.ts';
import { simulateIncident } from '../../runtime/simulate-incident.ts';
import { type Context, EXIT } from '../context.ts';
import { openLake } from '../open-lake.ts';
import { type JudgedIncident, renderIncident } from '../output/incident.ts';

/** Shows what an incident of a pipeline would look like, in a lake of its own. */
export async function simulate(context: Context, pipeline: string): Promise<number> {
  const lake = await openLake(context, 'read');
  const { at, during, after, ...incident } = await simulateIncident(lake, pipeline, lake.deps.log);
  const judged: JudgedIncident = {
    ...incident,
    during: judgePipeline(during, at.during, DEFAULT_DAYS),
    after: judgePipeline(after, at.after, DEFAULT_DAYS),
  };
  await context.answer(judged, () => renderIncident(judged, context));
  const asMeant = judged.failed.status === 'FAILED' && judged.recovered.status === 'SUCCEEDED' && judged.alert !== null;
  return asMeant ? EXIT.done : EXIT.failed;
}
