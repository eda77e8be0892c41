import type { ExportOutcome } from '../../core/exports.ts';
import type { ModelFacts } from '../../core/facts.ts';
import type { InputBytes } from '../../core/input-bytes.ts';
import { NOTHING_DONE } from '../../core/nothing-done.ts';
import type { Gated } from '../../core/promote.ts';
import type { Measured } from '../../core/requests.ts';
import type { RowCounts, SourceCounts } from '../../core/row-counts.ts';
import type { RunPlan, RunRef, RunResult, TableOutcome } from '../../core/run.ts';
import type { SourceSpec } from '../../core/spec.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import type { StepDeps } from '../deps.ts';
import { tableIdOf } from '../tables/table-state.ts';
import { readJson, readLevelPlan, runFolder } from './run-folder.ts';
import { type ModelOutcome, type Placed, readOutcome } from './unit-result.ts';

/** One table of a model: what it gains, and whether there is anything to publish. */
export type TableAudit = {
  readonly id: string;
  readonly table: TableId;
  readonly rows_added: number;
  readonly files_added: number;
  readonly prepared: boolean;
  /** Where only partitions of a time are made anew: their paths. */
  readonly partitions?: readonly string[];
  /** Of the files that were added; absent from records of earlier releases. */
  readonly bytes?: number;
};

export type ModelAudit = {
  readonly model: string;
  readonly counts: RowCounts;
  readonly tables: readonly TableAudit[];
  readonly warnings: readonly string[];
  /** Of the tables that its units read; absent from records of earlier releases, and where nothing was staged. */
  readonly inputs?: InputBytes;
  /** What its units did; absent from records of earlier releases, and where nothing was staged. */
  readonly facts?: ModelFacts;
};

export type LevelAudit = Measured & {
  readonly level: number;
  readonly models: readonly ModelAudit[];
  /** What planning the level's merge took; earlier releases didn't say. */
  readonly plan_merge?: Measured;
  /** The same of its staging. */
  readonly plan_stage?: Measured;
};

/** What became of the files of a source. */
export type SourceOutcome = {
  readonly source: string;
  /** The tables that read it, in the order of the pipeline. */
  readonly tables: readonly SourceTable[];
  /** They are all that the source has. */
  readonly whole: boolean;
};

/** The same for one table, by its full name. */
export type SourceTable = { readonly model: string; readonly table: string; readonly outcome: ModelOutcome };

/** The rejected rows and the accounts of a run, as they are published. */
export type SettledBooks = {
  readonly quarantine: readonly Placed[];
  readonly accounting: Readonly<Record<string, SourceCounts>>;
  /** Keys of files that units staged, and that others have taken the place of. */
  readonly replaced: readonly string[];
};

export type CommitRecord = Measured & {
  /** Of a pipeline that exports. */
  readonly exports?: readonly ExportOutcome[];
  /** Of a run that had to be approved. */
  readonly gate?: Gated;
  readonly tables: Readonly<Record<string, TableOutcome>>;
  readonly accounting: Readonly<Record<string, SourceCounts>>;
  /** Keys of objects whose facts are in the tables now, so that they go. */
  readonly folded?: readonly string[];
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
    const models = plan.spec.models.filter((m) => m.layer === 'silver' && m.from === name);
    const tables: SourceTable[] = [];
    for (const model of models) {
      const outcome = await outcomeOf(deps, plan, model.id);
      const table = fullName(tableIdOf(plan.spec, model));
      if (outcome !== undefined && outcome.files.length + outcome.left.length > 0)
        tables.push({ model: model.id, table, outcome });
    }
    if (tables.length > 0) sources.push({ source: name, tables, whole: tables.length === models.length });
  }
  return sources;
}

/** Whether tables of a source can have one account: they read the same, and it became the same of it. */
export function countAlike([first, ...others]: readonly SourceTable[]): boolean {
  const text = ({ outcome }: SourceTable): string => {
    const { read, accepted, quarantined, condemned, duplicates } = outcome.counts;
    const files = [...recordsByFile(outcome).keys()].sort();
    return JSON.stringify([read, accepted, quarantined, condemned, duplicates, files]);
  };
  return first === undefined || others.every((other) => text(other) === text(first));
}

/** Records of ingested files, by key and etag; a file may have been read in parts. */
export function recordsByFile({ files }: Pick<ModelOutcome, 'files'>): ReadonlyMap<string, number> {
  const records = new Map<string, number>();
  for (const { key, etag, records: n, status } of files) {
    const name = `${etag} ${key}`;
    if (status === 'ingested') records.set(name, n + (records.get(name) ?? 0));
  }
  return records;
}

async function outcomeOf(deps: StepDeps, plan: RunPlan, model: string): Promise<ModelOutcome | undefined> {
  const level = plan.spec.levels.findIndex((ids) => ids.includes(model));
  if (level < 0) return undefined;
  const planned = (await readLevelPlan(deps.store, plan.run, level)).models.find((m) => m.model === model);
  return planned && readOutcome(deps, plan.run, level, planned);
}

export function failedResult(run: RunRef, error: { name: string; message: string }, ms: number): RunResult {
  return { ...NOTHING_DONE, run_id: run.run_id, pipeline: run.pipeline, status: 'FAILED', duration_ms: ms, error };
}
