import { dedupesByHash, ROW_HASH } from '../../core/dedupe.ts';
import { ObjectNotFound } from '../../core/errors.ts';
import { readByAny } from '../../core/implementations.ts';
import type { InputBytes } from '../../core/input-bytes.ts';
import { historyColumns, isKeyed, KEY_HASH, logModelId, logTable } from '../../core/keyed.ts';
import { metadataColumns } from '../../core/metadata.ts';
import { opsTable } from '../../core/ops.ts';
import type { RunPlan } from '../../core/run.ts';
import type { ModelSpec, PipelineSpec, TableRef } from '../../core/spec.ts';
import { modelId } from '../../core/spec.ts';
import { type TableId, tablePrefix } from '../../core/tables.ts';
import type { Column } from '../../core/types.ts';
import { parseMetadata } from '../../iceberg/json.ts';
import { withRenamed } from '../../iceberg/rename.ts';
import { columnsOf, currentSchema } from '../../iceberg/schema.ts';
import { atSnapshot } from '../../iceberg/snapshot.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { Borrowed, ObjectStore, Session } from '../../ports.ts';
import { attachPipeline } from '../../sql/other-pipelines.ts';
import type { ScanColumn, ViewName } from '../../sql/scan.ts';
import { createSchemas, createTableView } from '../../sql/scan.ts';
import { metadataOn, type Prepared, parsePrepared } from '../../table/prepare.ts';
import { type ScanOptions, settledAt } from '../../table/read.ts';
import { keepOrRelease } from '../resources.ts';
import { runFolder } from '../run/run-folder.ts';
import { planNeeded } from './needed-files.ts';
import { NEEDS_ALL, type ReadNeeds } from './read-needs.ts';

export function findModel(spec: PipelineSpec, id: string): ModelSpec {
  const model = spec.models.find((m) => m.id === id);
  if (model === undefined) throw new RangeError(`pipeline ${spec.name} has no model ${id}`);
  return model;
}

export function tableIdOf(spec: Pick<PipelineSpec, 'name'>, { pipeline, layer, name }: TableRef): TableId {
  return { pipeline: pipeline ?? spec.name, layer, name };
}

/** Every table that a pipeline's models write, by the id under which a run knows it. */
export function modelTables(spec: PipelineSpec): ReadonlyMap<string, TableId> {
  const tables = new Map<string, TableId>();
  for (const model of spec.models) {
    const table = tableIdOf(spec, model);
    tables.set(model.id, table);
    if (isKeyed(model)) tables.set(logModelId(model), logTable(table));
  }
  return tables;
}

/** A silver table's columns are its model's, and the row hash where rows are deduplicated by it. */
export function tableColumns(model: ModelSpec): readonly Column[] {
  if (isKeyed(model)) return historyColumns(model.mode, model.columns);
  if (model.layer === 'gold') return model.columns;
  const hash: readonly Column[] = dedupesByHash(model) ? [{ name: ROW_HASH, type: { kind: 'string' } }] : [];
  return [...model.columns, ...metadataColumns(model), ...hash];
}

/**
 * A table as this run sees it: what the run has prepared, else what was current when the run was planned, under the names
 * that its columns have now. `undefined` for a table that does not exist yet.
 */
export async function loadState(store: ObjectStore, plan: RunPlan, model: string): Promise<TableMetadata | undefined> {
  const prepared = runFolder.table(plan.run, model);
  if ((await store.head(prepared)) !== undefined) {
    const text = new TextDecoder().decode((await store.read(prepared)).bytes);
    const table = idOf(plan, model);
    return withHistory(store, table, parsePrepared(text, store.location(tablePrefix(table))));
  }
  return loadNamed(store, plan, model);
}

/** Where the base is gone, which others may have trimmed, there is only the prepared snapshot. */
async function withHistory(store: ObjectStore, table: TableId, prepared: Prepared): Promise<TableMetadata> {
  if (prepared.baseLocation === null) return prepared.metadata;
  try {
    return metadataOn(prepared, await readMetadata(store, table, prepared.baseLocation));
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return prepared.metadata;
    throw cause;
  }
}

/**
 * A table as it was when the run was planned. One of another pipeline may be pinned to a snapshot before its last, and has
 * gone on since: its metadata file can be gone.
 */
export async function loadBase(store: ObjectStore, plan: RunPlan, model: string): Promise<TableMetadata | undefined> {
  const base = plan.tables[model];
  if (base === undefined || base === null) return undefined;
  const metadata = await readMetadata(store, idOf(plan, model), base.metadata_location);
  return base.snapshot_id === null ? metadata : (atSnapshot(metadata, BigInt(base.snapshot_id)) ?? metadata);
}

/** The same as far as its rows count, under the names of now: nothing of a table that the run makes anew. */
export async function loadRows(store: ObjectStore, plan: RunPlan, table: string): Promise<TableMetadata | undefined> {
  return isAnew(plan, modelOfTable(plan, table)?.id ?? table) ? undefined : loadNamed(store, plan, table);
}

/** A table as it was when the run was planned, under the names that its columns have now. */
async function loadNamed(store: ObjectStore, plan: RunPlan, table: string): Promise<TableMetadata | undefined> {
  const base = await loadBase(store, plan, table);
  return base === undefined ? undefined : withRenamed(base, modelOfTable(plan, table)?.renamed);
}

function modelOfTable({ spec }: RunPlan, table: string): ModelSpec | undefined {
  return spec.models.find((one) => one.id === table || (isKeyed(one) && logModelId(one) === table));
}

/** Whether a run makes a model's table anew from bronze. */
export function isAnew({ anew = [] }: Pick<RunPlan, 'anew'>, model: string): boolean {
  return anew.includes(model);
}

/** The quarantine as it was when the run was planned. */
export async function loadQuarantine(store: ObjectStore, plan: RunPlan): Promise<TableMetadata | undefined> {
  const table = opsTable(plan.run.pipeline, 'quarantine');
  return plan.quarantine === null ? undefined : readMetadata(store, table, plan.quarantine.metadata_location);
}

/** By model id: several tables as this run sees them. */
export async function loadStates(
  store: ObjectStore,
  plan: RunPlan,
  refs: readonly TableRef[],
): Promise<ReadonlyMap<string, TableMetadata | undefined>> {
  const states = new Map<string, TableMetadata | undefined>();
  for (const ref of refs) states.set(modelId(ref), await loadState(store, plan, modelId(ref)));
  return states;
}

/** The metadata in a file of a table's folder, which may have been elsewhere when its location was written down. */
async function readMetadata(store: ObjectStore, table: TableId, written: string): Promise<TableMetadata> {
  const location = locationNow(store, table, written);
  return settledAt(table, parseMetadata((await store.read(store.key(location))).bytes, location), location);
}

/** Where a metadata file of a table is whose location was written down before the lake was moved, or after. */
export function locationNow(store: ObjectStore, table: TableId, written: string): string {
  const folder = `${tablePrefix(table)}/metadata/`;
  const at = written.lastIndexOf(`/${folder}`);
  return at < 0 ? written : store.location(written.slice(at + 1));
}

/** The table that a run knows by an id: of a model, of its log, or of what a model reads of another pipeline. */
function idOf({ spec }: Pick<RunPlan, 'spec'>, id: string): TableId {
  const own = modelTables(spec).get(id);
  const read = own === undefined ? spec.models.flatMap(readByAny).find((ref) => modelId(ref) === id) : undefined;
  const table = own ?? (read && tableIdOf(spec, read));
  if (table === undefined) throw new RangeError(`pipeline ${spec.name} knows no table ${id}`);
  return table;
}

/** The schemas in which SQL finds the tables that it names. */
export async function createPlaces(session: Session, refs: readonly TableRef[]): Promise<void> {
  for (const statement of createSchemas(['silver', 'gold', 'batch'])) await session.run(statement);
  for (const { pipeline, layer } of refs) {
    if (pipeline === undefined) continue;
    for (const statement of attachPipeline(pipeline, layer)) await session.run(statement);
  }
}

/** A table with the columns that the pipeline's SQL was bound to. */
export function openRef(
  store: ObjectStore,
  session: Session,
  spec: PipelineSpec,
  ref: TableRef,
  metadata: TableMetadata | undefined,
  also: readonly Column[] = [],
): Promise<Borrowed> {
  const columns = boundColumns(metadata, [...columnsOfRef(spec, ref), ...also]);
  return openView({ store, session, needs: NEEDS_ALL }, { name: viewName(ref), metadata, columns });
}

/** Where SQL finds a table that it names. */
export function viewName({ pipeline, layer, name }: TableRef): ViewName {
  return { ...(pipeline === undefined ? {} : { database: pipeline }), schema: layer, table: name };
}

/** The columns of a table as the pipeline knows them. */
export function columnsOfRef(spec: PipelineSpec, ref: TableRef): readonly Column[] {
  if (ref.pipeline === undefined) return tableColumns(findModel(spec, modelId(ref)));
  const other = (spec.others ?? []).find((one) => modelId(one) === modelId(ref));
  if (other === undefined) throw new RangeError(`pipeline ${spec.name} does not know ${modelId(ref)}`);
  return other.columns;
}

/** Models see what the compiler bound them to: not the columns that only tell rows and keys apart. */
function isVisible(column: Column): boolean {
  return column.name !== ROW_HASH && column.name !== KEY_HASH;
}

/** A view over a table, without files that hold no row that a scan asks for; `columns` is its shape when it does not exist yet. */
export async function openTable(
  store: ObjectStore,
  session: Session,
  name: ViewName,
  metadata: TableMetadata | undefined,
  columns: readonly Column[],
  scan: ScanOptions = {},
): Promise<Borrowed> {
  const view = { name, metadata, columns: scanColumns(metadata, columns) };
  return openView({ store, session, needs: NEEDS_ALL }, { ...view, scan });
}

export type ViewDeps = { readonly store: ObjectStore; readonly session: Session; readonly needs: ReadNeeds };

/** A table, or a log, that SQL is to find under a name. */
export type View = {
  readonly name: ViewName;
  readonly metadata: TableMetadata | undefined;
  readonly columns: readonly ScanColumn[];
  readonly scan?: ScanOptions;
  /** Keys of the files that are read; left out: all that are needed. */
  readonly only?: ReadonlySet<string>;
};

/** A view, before its files are here. */
export type PlannedView = { readonly bytes: InputBytes; open(): Promise<Borrowed> };

export async function planView({ store, session, needs }: ViewDeps, view: View): Promise<PlannedView> {
  const { name, metadata, columns, scan = {}, only } = view;
  const wanted = { metadata, columns, needs: needs(name), scan, ...(only && { only }) };
  const { bytes, open } = await planNeeded({ store, session }, wanted);
  const create = async (): Promise<Borrowed> => {
    const opened = await open();
    return keepOrRelease(opened, () => session.run(createTableView(name, columns, opened.files)));
  };
  return { bytes, open: create };
}

async function openView(deps: ViewDeps, view: View): Promise<Borrowed> {
  return (await planView(deps, view)).open();
}

/** The columns of a table, and those of `columns` that it has yet to get, under ids that no file of it has. */
export function scanColumns(metadata: TableMetadata | undefined, columns: readonly Column[]): readonly ScanColumn[] {
  const schema = metadata === undefined ? undefined : currentSchema(metadata);
  const ids = new Map(schema?.fields.map((f) => [f.name, f.id]));
  const known = (schema === undefined ? [] : columnsOf(schema)).map((c) => ({ ...c, id: ids.get(c.name) ?? -1 }));
  const last = metadata?.['last-column-id'] ?? 0;
  const missing = columns.filter((c) => !ids.has(c.name)).map((c, i) => ({ ...c, id: last + 1 + i }));
  return [...known, ...missing];
}

/** All columns of a table that models may see. */
export function visibleColumns(metadata: TableMetadata): readonly Column[] {
  return columnsOf(currentSchema(metadata)).filter(isVisible);
}

/** The bound columns of a table in their order, whatever else it has. */
export function boundColumns(metadata: TableMetadata | undefined, columns: readonly Column[]): readonly ScanColumn[] {
  const byName = new Map(scanColumns(metadata, columns).map((column) => [column.name, column]));
  return columns.flatMap((column) => (isVisible(column) ? (byName.get(column.name) ?? []) : []));
}
