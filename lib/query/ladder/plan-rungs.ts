import { engineOf } from '../../core/implementations.ts';
import { type GoldModel, modelId, type PipelineSpec } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { findRung } from '../../lake/ladder/find-rung.ts';
import { type Survey, statesOf } from '../../lake/ops/survey.ts';
import { knowingVars } from '../../lake/run/vars.ts';
import { tableIdOf } from '../../lake/tables/table-state.ts';
import type { ExplainedTable, Explanation } from '../../plan/explain.ts';
import { workerBytes } from '../../plan/ladder/choose-rung.ts';
import { explainRung } from '../../plan/ladder/explain-rung.ts';

/**
 * The rung of each gold table of which all is computed, found as a run finds it, by what its inputs have now: what the run
 * itself adds to them shows only then. Tables whose inputs are not there yet have none.
 */
export async function withRungs(deps: StepDeps, survey: Survey, explanation: Explanation): Promise<Explanation> {
  const { spec } = survey;
  const knowing = knowingVars(deps, spec);
  const gold = new Map(spec.models.flatMap((model) => (model.layer === 'gold' ? [[nameOf(spec, model), model]] : [])));
  const states = statesOf(survey);
  const unit_bytes = deps.settings.unitBytes;
  const worker = workerBytes({ spec, ...(unit_bytes === undefined ? {} : { unit_bytes }) });
  const withRung = async (table: ExplainedTable): Promise<ExplainedTable> => {
    const model = gold.get(table.table);
    const known = model?.reads.some((ref) => states.get(modelId(ref)) !== undefined) === true;
    if (
      model === undefined ||
      engineOf(model) !== undefined ||
      !known ||
      table.partitions !== null ||
      table.units === 0
    )
      return table;
    const { rung } = await findRung(knowing, spec, model, { states, worker, also: {} });
    const explained = explainRung(rung, spec.compute);
    return { ...table, units: explained.units, rung: explained };
  };
  const levels: Explanation['levels'][number][] = [];
  for (const level of explanation.levels) {
    const tables: ExplainedTable[] = [];
    for (const table of level.tables) tables.push(await withRung(table));
    levels.push({ ...level, tables });
  }
  return { ...explanation, levels };
}

function nameOf(spec: PipelineSpec, model: GoldModel): string {
  return fullName(tableIdOf(spec, model));
}
