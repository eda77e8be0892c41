import { opsTable } from '../../core/ops.ts';
import type { ModelSpec, PipelineSpec } from '../../core/spec.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import { renderColumnType } from '../../core/types.ts';
import type { StepDeps } from '../../lake/deps.ts';
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
import { withoutLog } from '../lineage.ts';
import { maskedColumns } from '../masked-columns.ts';
import { queryRows } from '../select.ts';
import { collectFacts, type PipelineFacts, specOf } from './status-facts.ts';

/** What a page shows of a pipeline beside its status. */
export type PageFacts = {
  readonly status: PipelineFacts;
  readonly description: string | null;
  readonly nodes: readonly Node[];
  readonly models: readonly Figures[];
  readonly before: readonly Figures[];
  readonly after: readonly Figures[];
  readonly rejected: readonly { readonly day: string; readonly code: string; readonly rows: number }[];
  readonly quality: readonly Quality[];
  readonly nulls: readonly { readonly day: string; readonly column: string; readonly percent: number }[];
};

type Node = {
  readonly name: string;
  readonly kind: 'source' | 'silver' | 'gold' | 'elsewhere';
  readonly level: number;
  readonly reads: readonly string[];
  readonly description: string | null;
  readonly rows: number | null;
  readonly updated: string | null;
  /** As SQL sees them; without those that are personal. */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
};

type Figures = {
  readonly model: string;
  readonly runs: number;
  readonly failed: number;
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly rows_out: number | null;
  readonly cost_usd: number | null;
};

type Quality = {
  readonly table: string;
  readonly column: string;
  readonly rows: number;
  readonly nulls: number | null;
  readonly key_ok: boolean | null;
};

export type PageRequest = {
  readonly days: number;
  /** Beginnings of the ids of runs. */
  readonly compared?: { readonly before: string; readonly after: string };
};

/** What there is of a table: its metadata says it. */
type Known = Pick<Node, 'rows' | 'updated'> & { readonly personal: readonly string[] };

const DAY_MS = 86_400_000;
const MOST_COLUMNS = 5;
const NO_TABLE: Known = { rows: null, updated: null, personal: [] };

/** Collects what a page shows. Columns that are personal are left out. Throws as collectFacts. */
export async function collectPage(
  deps: StepDeps,
  pipeline: string,
  { days, compared }: PageRequest,
): Promise<PageFacts> {
  const spec = await specOf(deps, pipeline);
  const since = new Date(deps.clock.now().getTime() - days * DAY_MS).toISOString();
  const tables = new Map<string, Known>();
  for (const model of spec.models) tables.set(model.id, await lookAt(deps, spec, model));
  const personal = spec.models.flatMap((model) => personalOf(spec, model, tables.get(model.id) ?? NO_TABLE));
  const figures = (choice: RunChoice | undefined): Promise<readonly Figures[]> => modelFigures(deps, pipeline, choice);
  const quality = await hasRows(deps, opsTable(pipeline, 'quality'));
  const rejected = await hasRows(deps, opsTable(pipeline, 'quarantine'));
  return {
    status: await collectFacts(deps, pipeline),
    description: spec.description,
    nodes: nodesOf(spec, tables),
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

async function hasRows(deps: StepDeps, id: TableId): Promise<boolean> {
  return (await loadTable(deps.catalog, id)) !== undefined;
}

async function lookAt(deps: StepDeps, spec: PipelineSpec, model: ModelSpec): Promise<Known> {
  const metadata = (await loadTable(deps.catalog, tableIdOf(spec, model)))?.metadata;
  if (metadata === undefined) return NO_TABLE;
  const { rows } = await estimateSize(deps, metadata);
  const updated = new Date(Number(metadata['last-updated-ms'])).toISOString();
  return { rows, updated, personal: maskedColumns(metadata).map(({ name }) => name) };
}

/** By the pipeline as it is, and by the table as it was made. */
function personalOf(spec: PipelineSpec, model: ModelSpec, known: Known): readonly NamedColumn[] {
  const table = fullName(tableIdOf(spec, model));
  return [...new Set([...(model.personal ?? []), ...known.personal])].map((column) => ({ table, column }));
}

function nodesOf(spec: PipelineSpec, tables: ReadonlyMap<string, Known>): readonly Node[] {
  const sourceName = (source: string): string => `${spec.name}.${source}`;
  const nothing = { reads: [], description: null, rows: null, updated: null, level: 0, columns: [] };
  const models = spec.models.map((model): Node => {
    const level = 1 + spec.levels.findIndex((ids) => ids.includes(model.id));
    const reads = model.reads.map((ref) => fullName(tableIdOf(spec, { ...ref, name: withoutLog(ref.name) })));
    const from = model.layer === 'silver' ? [sourceName(model.from)] : [];
    const { rows, updated, personal } = tables.get(model.id) ?? NO_TABLE;
    const hidden = new Set([...personal, ...(model.personal ?? [])]);
    const columns = model.columns.flatMap((one) => {
      return hidden.has(one.name) ? [] : [{ name: one.name, type: renderColumnType(one.type) }];
    });
    const { layer: kind, description } = model;
    const name = fullName(tableIdOf(spec, model));
    return { name, kind, level, reads: [...new Set([...from, ...reads])], description, rows, updated, columns };
  });
  const own = new Set(models.map(({ name }) => name));
  const others = new Set(models.flatMap(({ reads }) => reads).filter((name) => !own.has(name)));
  const sources = spec.sources.map(({ name }): Node => ({ ...nothing, name: sourceName(name), kind: 'source' }));
  for (const { name } of sources) others.delete(name);
  const elsewhere = [...others].sort().map((name): Node => ({ ...nothing, name, kind: 'elsewhere' }));
  return [...sources, ...elsewhere, ...models];
}

async function modelFigures(
  deps: StepDeps,
  pipeline: string,
  choice: RunChoice | undefined,
): Promise<readonly Figures[]> {
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

function qualityOf(row: Row): Quality {
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
