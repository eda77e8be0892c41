import { type Explanation, explainRun } from '../core/explain.ts';
import type { RunRef } from '../core/run.ts';
import type { StepDeps } from '../steps/deps.ts';
import { openRunKey, surveyPipeline } from '../steps/open.ts';
import { readJsonIfAny, runFolder } from '../steps/run-folder.ts';

/** What a run of the pipeline would do now. Takes no lock and writes nothing. Throws InvalidInput for an unknown pipeline. */
export async function planRun(deps: StepDeps, pipeline: string): Promise<Explanation> {
  const survey = await surveyPipeline(deps, pipeline);
  const existing = [...survey.tables].flatMap(([id, table]) => (table === undefined ? [] : [id]));
  return explainRun({ ...survey, existing: new Set(existing), unfinished: await unfinishedRun(deps, pipeline) });
}

/** The run that died or failed while it published; the next run of the pipeline finishes it. */
export async function unfinishedRun(deps: Pick<StepDeps, 'store'>, pipeline: string): Promise<string | null> {
  const open = await readJsonIfAny<RunRef>(deps.store, openRunKey(pipeline));
  if (open === undefined || (await deps.store.head(runFolder.plan(open))) === undefined) return null;
  return (await deps.store.head(runFolder.result(open))) === undefined ? open.run_id : null;
}
