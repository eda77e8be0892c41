import { opsTable } from '../../core/ops.ts';
import type { ColumnQuality, ModelFigures, PipelineFacts } from '../../core/page-facts.ts';
import type { ModelSpec, PipelineSpec } from '../../core/spec.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
import { readProfile } from '../../lake/ops/profiles.ts';
import { estimateSize } from '../../lake/tables/table-size.ts';
import { tableIdOf } from '../../lake/tables/table-state.ts';
import type { JsonValue, Row } from '../../ports.ts';
import {
  countNulls,
  countRejectedByDay,
  figureModels,
  latestQuality,
  type NamedColumn,
  type RunChoice,
} from '../../sql/status/page.ts';
import { loadTable } from '../../table/read.ts';
import { maskedColumns } from '../masked-columns.ts';
import { queryRows } from '../select.ts';
import { lastOutcomes } from './last-outcomes.ts';
import { type Known, NO_TABLE, nodesOf } from './nodes.ts';
import { collectFacts, type StatusRequest, specOf } from './status-facts.ts';

export type PageRequest = StatusRequest & {
  readonly days: number;
  /** Beginnings of the ids of runs. */
  readonly compared?: { readonly before: string; readonly after: string };
};

const DAY_MS = 86_400_000;
const MOST_COLUMNS = 5;

/** Collects what a page shows. Columns that are personal are left out. Throws as collectFacts. */
export async function collectPage(
  deps: StepDeps,
  pipeline: string,
  { days, compared, ...request }: PageRequest,
): Promise<PipelineFacts> {
  const spec = await specOf(deps, pipeline);
  const since = new Date(deps.clock.now().getTime() - days * DAY_MS).toISOString();
  const metadata = await loadTables(deps, spec);
  const tables = new Map<string, Known>();
  for (const [id, table] of metadata) tables.set(id, await lookAt(deps, table));
  const personal = spec.models.flatMap((model) => personalOf(spec, model, tables.get(model.id) ?? NO_TABLE));
  const figures = (choice: RunChoice | undefined): Promise<readonly ModelFigures[]> =>
    modelFigures(deps, pipeline, choice);
  const quality = await hasRows(deps, opsTable(pipeline, 'quality'));
  const rejected = await hasRows(deps, opsTable(pipeline, 'quarantine'));
  return {
    status: await collectFacts(deps, pipeline, request),
    description: spec.description,
    nodes: nodesOf(spec, tables),
    tests: await lastOutcomes(deps, spec, metadata),
    profile: await readProfile(deps.store, pipeline),
    models: await figures({ since }),
    before: await figures(compared && { beginning: compared.before }),
    after: await figures(compared && { beginning: compared.after }),
    rejected: (rejected ? await queryRows(deps, countRejectedByDay(pipeline, since)) : []).map((row) => ({
      day: String(row['day']),
      code: String(row['code']),
      rows: Number(row['rows']),
    })),
    quality: (quality ? await queryRows(deps, latestQuality(pipeline, personal)) : []).map(qualityOf),
    nulls: (quality ? await queryRows(deps, countNulls(pipeline, personal, since, MOST_COLUMNS)) : []).map((row) => ({
      day: String(row['day']),
      column: String(row['column']),
      percent: Number(row['percent']),
    })),
  };
}

/** Those that are there, by model. */
async function loadTables(deps: StepDeps, spec: PipelineSpec): Promise<ReadonlyMap<string, TableMetadata>> {
  const tables = new Map<string, TableMetadata>();
  for (const model of spec.models) {
    const entry = await loadTable(deps.catalog, tableIdOf(spec, model));
    if (entry !== undefined) tables.set(model.id, entry.metadata);
  }
  return tables;
}

async function hasRows(deps: StepDeps, id: TableId): Promise<boolean> {
  return (await loadTable(deps.catalog, id)) !== undefined;
}

async function lookAt(deps: StepDeps, metadata: TableMetadata): Promise<Known> {
  const { rows } = await estimateSize(deps, metadata);
  const updated = new Date(Number(metadata['last-updated-ms'])).toISOString();
  return { rows, updated, personal: maskedColumns(metadata).map(({ name }) => name) };
}

/** By the pipeline as it is, and by the table as it was made. */
function personalOf(spec: PipelineSpec, model: ModelSpec, known: Known): readonly NamedColumn[] {
  const table = fullName(tableIdOf(spec, model));
  return [...new Set([...(model.personal ?? []), ...known.personal])].map((column) => ({ table, column }));
}

async function modelFigures(
  deps: StepDeps,
  pipeline: string,
  choice: RunChoice | undefined,
): Promise<readonly ModelFigures[]> {
  if (choice === undefined || !(await hasRows(deps, opsTable(pipeline, 'model_runs')))) return [];
  const rows = await queryRows(deps, figureModels(pipeline, choice));
  return rows.map((row) => ({
    model: String(row['model']),
    runs: Number(row['runs']),
    failed: Number(row['failed']),
    mean: numberOf(row['mean']),
    p50: numberOf(row['p50']),
    p95: numberOf(row['p95']),
    rows_out: numberOf(row['rows_out']),
    cost_usd: numberOf(row['cost_usd']),
  }));
}

function qualityOf(row: Row): ColumnQuality {
  const key = row['key_ok'];
  return {
    table: String(row['table']),
    column: String(row['column']),
    rows: Number(row['rows']),
    nulls: numberOf(row['nulls']),
    key_ok: typeof key === 'boolean' ? key : null,
  };
}

function numberOf(value: JsonValue | undefined): number | null {
  return value === null || value === undefined ? null : Number(value);
}
