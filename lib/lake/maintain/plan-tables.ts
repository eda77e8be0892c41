import type { CompactRequest } from '../../core/asked.ts';
import { InvalidInput } from '../../core/errors.ts';
import { isKeyed, LOG_SUFFIX } from '../../core/keyed.ts';
import type { Bin, CompactedTable, MaintainedTable, ManifestCounts, RewriteReason } from '../../core/maintenance.ts';
import { OPS_TABLE_NAMES, opsTable } from '../../core/ops.ts';
import type { ModelSpec, PipelineSpec } from '../../core/spec.ts';
import { fullName, parseTableName, type TableId } from '../../core/tables.ts';
import { currentSchema } from '../../iceberg/schema.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import { rangeBytes } from '../../plan/buckets.ts';
import { filesAfter, planBins, type RewriteRules } from '../../plan/maintenance.ts';
import { mergeBytes } from '../../plan/merge-units.ts';
import type { CatalogEntry } from '../../ports.ts';
import { planFullMerge } from '../../table/merge.ts';
import { currentManifests, loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { OPS_ORDER } from '../ops/ops-tables.ts';
import { rangedBy } from '../tables/table-shape.ts';
import { modelTables } from '../tables/table-state.ts';
import { checkOrder } from './check-order.ts';
import { chooseFiles } from './choose-files.ts';

/** A table with files that are worth rewriting. */
export type TableWork = {
  readonly table: MaintainedTable;
  readonly entry: CatalogEntry;
  readonly bins: readonly Bin[];
};

const MEGABYTE = 2 ** 20;
/** Books in which runs look up some names have smaller files: whoever looks one up brings the file that may have it. */
const LOOKED_UP_BYTES = 16 * MEGABYTE;
/** Small files that a partition has before they are joined. */
const MIN_FILES = 5;

/**
 * What a compaction would rewrite, table by table; tables that are fine are left out. Looks only. Throws InvalidInput for
 * a table that is not there, a condition that is none, and an order that a table cannot have.
 */
export async function planTables(
  deps: StepDeps,
  pipeline: string,
  request: CompactRequest,
): Promise<readonly TableWork[]> {
  const spec = await deps.specs(pipeline);
  if (request.table === undefined) refuseOrder(request);
  const work: TableWork[] = [];
  for (const id of tablesOf(spec, request)) {
    const entry = await loadTable(deps.catalog, id);
    if (entry === undefined && request.table !== undefined) throw noTable(id);
    const planned = entry && (await planTable(deps, spec, id, entry, request));
    if (planned !== undefined && (planned.bins.length > 0 || planned.table.manifests !== undefined)) work.push(planned);
  }
  return work;
}

/** The one that was asked for, or those of the pipeline's models and its books. */
function tablesOf(spec: PipelineSpec, { table }: CompactRequest): readonly TableId[] {
  if (table !== undefined) return [parseTableName(table)];
  return [...modelTables(spec).values(), ...OPS_TABLE_NAMES.map((name) => opsTable(spec.name, name))];
}

async function planTable(
  deps: StepDeps,
  spec: PipelineSpec,
  id: TableId,
  entry: CatalogEntry,
  request: CompactRequest,
): Promise<TableWork> {
  const asked = request.sort ?? request.zorder;
  const plain = maintainedTable(spec, id, entry, request);
  const manifests = await manifestsOf(deps, entry.metadata, plain);
  const table = manifests === undefined ? plain : { ...plain, manifests };
  checkOrder(id, entry.metadata, table);
  const scope = {
    all: request.all === true || asked !== undefined,
    where: request.where,
    ...(table.rearrange || rangedBy(spec, id, entry.metadata) !== undefined ? { layout: table } : {}),
  };
  const files = await chooseFiles(deps, id, entry.metadata, scope);
  return { table, entry, bins: planBins(files, rulesOf(table)) };
}

/** Of a table that is looked at as a whole. */
async function manifestsOf(
  { store }: Pick<StepDeps, 'store'>,
  metadata: TableMetadata,
  { complete }: Pick<MaintainedTable, 'complete'>,
): Promise<ManifestCounts | undefined> {
  if (!complete) return undefined;
  const groups = planFullMerge(await currentManifests(store, metadata), metadata.properties);
  return groups.length === 0 ? undefined : { merged: groups.flat().length, into: groups.length };
}

function maintainedTable(
  spec: PipelineSpec,
  id: TableId,
  { metadata, metadataLocation }: CatalogEntry,
  request: CompactRequest,
): MaintainedTable {
  const { target_mb, min_files, sort, zorder, where } = request;
  const model = spec.models.find((one) => one.layer === id.layer && one.name === id.name);
  const most = opsOrder(id).length > 0 ? LOOKED_UP_BYTES : Number.POSITIVE_INFINITY;
  const ranged = rangedBy(spec, id, metadata);
  const usual = ranged === undefined ? spec.settings.fileBytes : rangeBytes(bytesOf(metadata), spec.settings.fileBytes);
  const target = target_mb === undefined ? Math.min(usual, most) : Math.ceil(target_mb * MEGABYTE);
  const snapshot = currentSnapshot(metadata);
  const asked = sort ?? zorder;
  return {
    id: `${id.layer}.${id.name}`,
    table: id,
    base: {
      metadata_location: metadataLocation,
      snapshot_id: snapshot === undefined ? null : snapshot['snapshot-id'].toString(),
    },
    target_bytes: target,
    min_files: min_files ?? MIN_FILES,
    unit_bytes: Math.max(target, mergeBytes(spec.settings)),
    ...orderOf(id, metadata, model, request),
    ...(ranged === undefined || asked !== undefined ? {} : { sort: [ranged], zorder: [] }),
    rearrange: asked !== undefined,
    with_file: id.layer === 'silver' && !id.name.endsWith(LOG_SUFFIX) && !(model !== undefined && isKeyed(model)),
    complete: where === undefined,
  };
}

function bytesOf(metadata: TableMetadata): number {
  return Number(currentSnapshot(metadata)?.summary['total-files-size'] ?? 0);
}

/** What was asked for, else what the model, or the kind of book, says as far as the table has its columns. */
function orderOf(
  id: TableId,
  metadata: TableMetadata,
  model: ModelSpec | undefined,
  { sort, zorder }: Pick<CompactRequest, 'sort' | 'zorder'>,
): Pick<MaintainedTable, 'sort' | 'zorder'> {
  if (sort !== undefined) return { sort, zorder: [] };
  if (zorder !== undefined) return { sort: [], zorder };
  const names = new Set(currentSchema(metadata).fields.map(({ name }) => name));
  const own = (model?.zorderBy ?? []).filter((name) => names.has(name));
  const usual = model?.sortBy ?? opsOrder(id);
  return { sort: own.length > 0 ? [] : usual.filter((name) => names.has(name)), zorder: own };
}

function opsOrder({ layer, name }: TableId): readonly string[] {
  const ops = OPS_TABLE_NAMES.find((one) => layer === 'ops' && one === name);
  return (ops && OPS_ORDER[ops]) ?? [];
}

export function rulesOf(table: MaintainedTable): RewriteRules {
  return {
    targetBytes: table.target_bytes,
    minFiles: table.min_files,
    unitBytes: table.unit_bytes,
    rearrange: table.rearrange,
  };
}

/** What would become of a table. */
export function describeWork({ table, bins }: Pick<TableWork, 'table' | 'bins'>): CompactedTable {
  const sum = (of: (bin: Bin) => number): number => bins.reduce((total, bin) => total + of(bin), 0);
  const reasons: Partial<Record<RewriteReason, number>> = {};
  for (const { reason, files } of bins) reasons[reason] = (reasons[reason] ?? 0) + files.length;
  return {
    table: fullName(table.table),
    partitions: new Set(bins.map(({ spec, partition }) => `${spec} ${partition}`)).size,
    files: sum(({ files }) => files.length),
    bytes: sum(({ bytes }) => bytes),
    rows: sum(({ rows }) => rows),
    files_after: sum(filesAfter),
    bytes_after: null,
    reasons,
    ...(table.manifests === undefined ? {} : { manifests: table.manifests }),
  };
}

function refuseOrder({ sort, zorder }: CompactRequest): void {
  const option = sort === undefined ? (zorder === undefined ? undefined : '--zorder') : '--sort';
  if (option === undefined) return;
  throw new InvalidInput(
    `${option} with a pipeline: got columns for all of its tables; expected one table, such as retail_silver.sales`,
  );
}

function noTable(id: TableId): InvalidInput {
  return new InvalidInput(
    `no table ${fullName(id)}: got a name that the catalog does not know; expected one of those that strata tables lists`,
  );
}
