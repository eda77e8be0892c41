import type { Asked } from '../../core/asked.ts';
import { InvalidInput } from '../../core/errors.ts';
import { type Shadow, shadowsOf } from '../../core/parity.ts';
import type { LevelPlan, RunPlan, StageUnit } from '../../core/run.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { type Survey, selectedOf } from '../../lake/ops/survey.ts';
import { runFolder, writeOnce } from '../../lake/run/run-folder.ts';
import { loadState } from '../../lake/tables/table-state.ts';

/**
 * The texts that a run is asked to compare with those that it publishes; undefined where it is not. Throws InvalidInput for models
 * of one text alone.
 */
export function shadowsAsked(
  survey: Pick<Survey, 'spec' | 'selection'>,
  { shadow }: Asked,
): readonly Shadow[] | undefined {
  if (shadow !== true) return undefined;
  const shadows = shadowsOf(selectedOf(survey).models);
  if (shadows.length > 0) return shadows;
  throw new InvalidInput(
    `--shadow: no gold model of ${survey.spec.name} that the run is about has several texts: got none; expected one with sql: { current: 'gold/x.sql', candidate: 'gold/x_v2.sql' }`,
  );
}

/**
 * A unit for each text that is compared, in the level behind all models. One of a table that is not there even after this run has nothing to be compared with.
 */
export async function planShadows(deps: StepDeps, plan: RunPlan, level: number): Promise<Pick<LevelPlan, 'shadows'>> {
  if (plan.shadows === undefined || level < plan.spec.levels.length) return {};
  const units: string[] = [];
  for (const shadow of plan.shadows) {
    if ((await loadState(deps.store, plan, shadow.model)) === undefined) continue;
    const unit = `shadow-${shadow.model}-${shadow.right}`;
    const planned: StageUnit = { unit, model: shadow.model, ordinal: 0, files: [], partitions: null, shadow };
    await writeOnce(deps.store, runFolder.unit(plan.run, level, unit), planned);
    units.push(unit);
  }
  return { shadows: units };
}
