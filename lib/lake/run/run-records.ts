import { NOTHING_DONE } from '../../core/nothing-done.ts';
import type { Measured } from '../../core/requests.ts';
import type { RowCounts } from '../../core/row-counts.ts';
import type { RunPlan, RunRef, RunResult, TableOutcome } from '../../core/run.ts';
import type { SourceSpec } from '../../core/spec.ts';
import type { TableId } from '../../core/tables.ts';
import type { StepDeps } from '../deps.ts';
import { readJson, readLevelPlan, runFolder } from './run-folder.ts';
import { type ModelOutcome, readOutcome } from './unit-result.ts';

/** One table of a model: what it gains, and whether there is anything to publish. */
export type TableAudit = {
  readonly id: string;
  readonly table: TableId;
  readonly rows_added: number;
  readonly files_added: number;
  readonly prepared: boolean;
};

export type ModelAudit = {
  readonly model: string;
  readonly counts: RowCounts;
  readonly tables: readonly TableAudit[];
  readonly warnings: readonly string[];
};

export type LevelAudit = Measured & {
  readonly level: number;
  readonly models: readonly ModelAudit[];
  /** What planning the level's merge took; earlier releases didn't say. */
  readonly plan_merge?: Measured;
};

/** What became of each source, from the model that keeps its accounts. */
export type SourceOutcome = { readonly source: string; readonly outcome: ModelOutcome };

export type CommitRecord = Measured & {
  readonly tables: Readonly<Record<string, TableOutcome>>;
  readonly accounting: Readonly<Record<string, RowCounts>>;
};

export async function readAudits(deps: StepDeps, plan: RunPlan): Promise<readonly LevelAudit[]> {
  const audits: LevelAudit[] = [];
  for (let level = 0; level < plan.spec.levels.length; level += 1) {
    audits.push(await readJson<LevelAudit>(deps.store, runFolder.audit(plan.run, level)));
  }
  return audits;
}

export async function readSources(deps: StepDeps, plan: RunPlan): Promise<readonly SourceOutcome[]> {
  const sources: SourceOutcome[] = [];
  for (const { name } of plan.spec.sources.filter((s: SourceSpec) => (plan.sources[s.name]?.files ?? 0) > 0)) {
    const keeper = plan.spec.models.find((m) => m.layer === 'silver' && m.from === name);
    const outcome = keeper && (await outcomeOf(deps, plan, keeper.id));
    if (outcome !== undefined) sources.push({ source: name, outcome });
  }
  return sources;
}

export async function outcomeOf(deps: StepDeps, plan: RunPlan, model: string): Promise<ModelOutcome | undefined> {
  const level = plan.spec.levels.findIndex((ids) => ids.includes(model));
  if (level < 0) return undefined;
  const planned = (await readLevelPlan(deps.store, plan.run, level)).models.find((m) => m.model === model);
  return planned && readOutcome(deps, plan.run, level, planned);
}

export function failedResult(run: RunRef, error: { name: string; message: string }, ms: number): RunResult {
  return { ...NOTHING_DONE, run_id: run.run_id, pipeline: run.pipeline, status: 'FAILED', duration_ms: ms, error };
}
