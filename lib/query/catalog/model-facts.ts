import { dedupesByHash, ROW_HASH } from '../../core/dedupe.ts';
import { descriptionOf } from '../../core/described.ts';
import { exportKey, placeOfExport } from '../../core/exports.ts';
import { publishedText } from '../../core/implementations.ts';
import { isKeyed, KEY_HASH, LOG_SUFFIX } from '../../core/keyed.ts';
import type { ColumnFact, ModelFact, ModelRun } from '../../core/model-fact.ts';
import { opsTable } from '../../core/ops.ts';
import { type ModelSpec, modelId, type PipelineSpec } from '../../core/spec.ts';
import { fullName } from '../../core/tables.ts';
import { renderColumnType } from '../../core/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { tableColumns, tableIdOf } from '../../lake/tables/table-state.ts';
import { selectModelRuns } from '../../sql/facts/model-runs.ts';
import { loadTable } from '../../table/read.ts';
import type { QueryDeps } from '../deps.ts';
import { lineageOf } from '../lineage.ts';
import { parseTime } from '../moment.ts';
import { queryRows } from '../select.ts';

type Deps = Pick<StepDeps, 'clock'> & QueryDeps;

const DAY_MS = 86_400_000;

/** The models of a pipeline in their order, with their runs of so many days. */
export async function modelFacts(deps: Deps, spec: PipelineSpec, days: number): Promise<readonly ModelFact[]> {
  const runs = await modelRuns(deps, spec.name, days);
  return spec.models.map((model) => ({
    ...declared(spec, model),
    runs: runs.get(model.id) ?? [],
  }));
}

function declared(spec: PipelineSpec, model: ModelSpec): Omit<ModelFact, 'runs'> {
  const table = fullName(tableIdOf(spec, model));
  const branch = spec.schedules?.find(({ name }) => name === model.branch);
  const text = model.layer === 'gold' ? publishedText(model) : undefined;
  const exported = (model.exports ?? []).map((one) => exportKey(spec.name, placeOfExport(one)));
  return {
    model: table,
    pipeline: spec.name,
    layer: model.layer,
    owner: model.owner ?? spec.owner,
    tier: model.tier ?? spec.tier,
    description: model.description,
    inputs: lineageOf(spec, modelId(model))?.reads ?? [],
    outputs: [table, ...(isKeyed(model) ? [`${table}${LOG_SUFFIX}`] : []), ...exported],
    columns: columnFacts(model),
    ...(text === undefined ? {} : { text }),
    schedule: branch === undefined ? spec.schedule : `${branch.name}: ${branch.cron} (${branch.zone})`,
  };
}

/** The columns of a model's table as its pipeline declares them, without those that only tell rows and keys apart. */
export function columnFacts(model: ModelSpec): readonly ColumnFact[] {
  const hidden = new Set([KEY_HASH, ...(model.layer === 'silver' && dedupesByHash(model) ? [ROW_HASH] : [])]);
  const columns = tableColumns(model).filter(({ name }) => !hidden.has(name));
  return columns.map(({ name, type }) => ({
    name,
    type: renderColumnType(type),
    description: descriptionOf(model.described, name) ?? null,
  }));
}

/** By model id, the earliest first; a lake of an earlier release has no such table. */
async function modelRuns(
  deps: Deps,
  pipeline: string,
  days: number,
): Promise<ReadonlyMap<string, readonly ModelRun[]>> {
  if ((await loadTable(deps.catalog, opsTable(pipeline, 'model_runs'))) === undefined) return new Map();
  const since = new Date(deps.clock.now().getTime() - days * DAY_MS).toISOString();
  const rows = await queryRows(deps, selectModelRuns(pipeline, since));
  const runs = rows.flatMap((row) => {
    const finished = parseTime(String(row['finished_at']));
    if (finished === undefined) return [];
    const cost = row['cost_usd'];
    const run: ModelRun = {
      run_id: String(row['run_id']),
      status: statusOf(row['status']),
      finished,
      duration_ms: Number(row['duration_ms'] ?? 0),
      cost_usd: cost === null || cost === undefined ? null : Number(cost),
    };
    return [{ model: String(row['model']), run }];
  });
  const byModel = Map.groupBy(runs, ({ model }) => model);
  return new Map([...byModel].map(([model, own]) => [model, own.map(({ run }) => run)]));
}

function statusOf(status: unknown): ModelRun['status'] {
  return status === 'SUCCEEDED' || status === 'FAILED' ? status : 'UNDONE';
}
