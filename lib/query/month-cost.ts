import { DEFAULT_COMPUTE } from '../core/compute.ts';
import type { EstimatedCost } from '../core/cost.ts';
import { InvalidInput } from '../core/errors.ts';
import { NONE_SKIPPED } from '../core/objects.ts';
import type { LandedFile, LevelPlan, RunPlan, RunRef, RunResult } from '../core/run.ts';
import type { SilverModel } from '../core/spec.ts';
import { fullName } from '../core/tables.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import { plannedFiles } from '../lake/run/planned-files.ts';
import { readJson, readJsonIfAny, readPlanIfAny, runFolder } from '../lake/run/run-folder.ts';
import { sizeAt } from '../lake/tables/table-size.ts';
import { modelTables } from '../lake/tables/table-state.ts';
import { type ComparedCosts, type ComparedRun, compareCosts } from '../plan/compare-costs.ts';
import { costOfRun, estimateRun } from '../plan/cost.ts';
import { explainRun } from '../plan/explain.ts';
import { type IdleCost, idleCost, standingOf } from '../plan/idle-cost.ts';
import { PRICES } from '../plan/prices.ts';
import { type Size, workOf } from '../plan/run-work.ts';
import type { Row } from '../ports.ts';
import { loadTable } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';
import { listRuns } from './list-runs.ts';

/** What the runs of a month have cost on AWS, beside what they were estimated to, by pipeline. */
export type MonthCost = {
  /** Such as `2026-11`, in UTC. */
  readonly month: string;
  readonly region: string;
  readonly prices_checked: string;
  readonly pipelines: readonly PipelineCost[];
  readonly estimated_usd: number;
  readonly recorded_usd: number;
};

export type PipelineCost = ComparedCosts & {
  readonly pipeline: string;
  /** Those whose costs are compared. */
  readonly runs: number;
  /** Runs whose cost nobody knows: those that failed; maintenance; and those whose folders are gone. */
  readonly left_out: { readonly failed: number; readonly maintenance: number; readonly gone: number };
  /** What the pipeline costs a month beside its runs, as its latest run knew it; null where none is compared. */
  readonly idle: IdleCost | null;
};

/** Requests that wait for their answers at a time. */
const AT_ONCE = 8;

/**
 * The runs that began in a month (`YYYY-MM`, UTC) of one pipeline, or of all that had any. Reads the table of runs, the folders
 * of its runs and the metadata of its tables. Throws InvalidInput for what is no month.
 */
export async function costOfMonth(deps: QueryDeps, month: string, pipeline?: string): Promise<MonthCost> {
  if (!/^\d{4}-(0[1-9]|1[0-2])$/.test(month))
    throw new InvalidInput(`not a month: got ${JSON.stringify(month)}; expected one such as 2026-11`);
  const rows = (await listRuns(deps, pipeline)).filter((row) => String(row['started_at']).startsWith(month));
  const found = Map.groupBy(rows, (row) => String(row['pipeline']));
  const names = pipeline === undefined ? [...found.keys()].sort() : [pipeline];
  const pipelines: PipelineCost[] = [];
  for (const name of names) pipelines.push(await costOfPipeline(deps, name, found.get(name) ?? []));
  const total = (of: (one: PipelineCost) => number): number =>
    Number(pipelines.reduce((sum, one) => sum + of(one), 0).toFixed(9));
  return {
    month,
    region: PRICES.region,
    prices_checked: PRICES.checked,
    pipelines,
    estimated_usd: total((one) => one.estimated_usd),
    recorded_usd: total((one) => one.recorded_usd),
  };
}

async function costOfPipeline(deps: QueryDeps, pipeline: string, rows: readonly Row[]): Promise<PipelineCost> {
  const runs = rows.filter(({ kind }) => kind === 'run' || kind === null);
  const succeeded = runs.filter(({ status }) => status === 'SUCCEEDED');
  const sizesFor = knownSizes(deps);
  const compared: (ComparedRun & { readonly plan: RunPlan })[] = [];
  for (let at = 0; at < succeeded.length; at += AT_ONCE) {
    const some = succeeded
      .slice(at, at + AT_ONCE)
      .map(({ run_id }) => compareRun(deps, sizesFor, { pipeline, run_id: String(run_id) }));
    compared.push(...(await Promise.all(some)).flatMap((one) => one ?? []));
  }
  const [latest] = compared;
  return {
    pipeline,
    runs: compared.length,
    left_out: {
      failed: runs.length - succeeded.length,
      maintenance: rows.length - runs.length,
      gone: succeeded.length - compared.length,
    },
    ...compareCosts(compared),
    idle: latest === undefined ? null : idleCost(standingOf(latest.plan.spec)),
  };
}

/** Undefined where the folder of the run is gone. */
async function compareRun(
  deps: QueryDeps,
  sizesFor: SizesFor,
  named: Pick<RunRef, 'pipeline' | 'run_id'>,
): Promise<(ComparedRun & { readonly plan: RunPlan }) | undefined> {
  const run = { ...named, dry_run: false };
  const plan = await readPlanIfAny(deps.store, run);
  const result = await readJsonIfAny<RunResult>(deps.store, runFolder.result(run));
  if (plan === undefined || result === undefined) return undefined;
  const recorded = result.cost ?? costOfRun(result, plan.spec.compute ?? DEFAULT_COMPUTE);
  return { plan, estimated: await estimateOf(deps, plan, await sizesFor(plan)), recorded };
}

/** What would have been estimated before the run, by the files that it took and the tables as they were. */
async function estimateOf(
  { store }: QueryDeps,
  plan: RunPlan,
  sizes: ReadonlyMap<string, Size>,
): Promise<EstimatedCost> {
  const { spec, selected, anew = [] } = plan;
  const waiting = new Map<string, readonly LandedFile[]>();
  for (const [source, { files, files_key }] of Object.entries(plan.sources)) {
    if (files > 0) waiting.set(source, await readJson<readonly LandedFile[]>(store, files_key));
  }
  const files = new Map<string, readonly LandedFile[]>();
  for (const id of Object.keys(plan.own_files ?? {})) {
    const model = spec.models.find((one): one is SilverModel => one.id === id && one.layer === 'silver');
    if (model !== undefined) files.set(id, await plannedFiles(store, plan, model));
  }
  const existing = Object.entries(plan.tables).flatMap(([id, table]) => (table === null ? [] : [id]));
  const explanation = explainRun({
    spec,
    waiting,
    files,
    existing: new Set(existing),
    due: new Set(anew),
    stale: await staleOf(store, plan),
    touched: new Map(),
    unfinished: null,
    skipped: NONE_SKIPPED,
    ...(selected === undefined ? {} : { selection: { models: selected, along: [] } }),
  });
  return estimateRun(workOf(spec, explanation, sizes), spec.compute ?? DEFAULT_COMPUTE);
}

/** Gold models that the run computed whole, which no files may say: by the run date, or since the model had changed. */
async function staleOf(store: QueryDeps['store'], { run, spec }: RunPlan): Promise<ReadonlyMap<string, string>> {
  const keys = spec.levels.map((_, level) => runFolder.levelPlan(run, level));
  const levels = await Promise.all(keys.map((key) => readJsonIfAny<LevelPlan>(store, key)));
  const models = levels.flatMap((level) => level?.models ?? []);
  return new Map(
    models.flatMap(({ model, reason, touched }) => (reason === null || touched !== null ? [] : [[model, reason]])),
  );
}

/** Sizes by full name of the tables that a run found. */
type SizesFor = (plan: RunPlan) => Promise<ReadonlyMap<string, Size>>;

/** Each table is loaded once: its snapshots say how large it was for whichever run. */
function knownSizes({ catalog }: QueryDeps): SizesFor {
  const loaded = new Map<string, Promise<TableMetadata | undefined>>();
  return async ({ spec, tables }) => {
    const sizes = new Map<string, Size>();
    for (const [id, table] of modelTables(spec)) {
      const base = tables[id];
      if (base === undefined || base === null) continue;
      const name = fullName(table);
      const loading = loaded.get(name) ?? loadTable(catalog, table).then((one) => one?.metadata);
      loaded.set(name, loading);
      const metadata = await loading;
      if (metadata !== undefined) sizes.set(name, sizeAt(metadata, base.snapshot_id));
    }
    return sizes;
  };
}
