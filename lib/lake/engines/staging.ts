import { createHash } from 'node:crypto';
import type { RunPlan, RunRef, StageUnit } from '../../core/run.ts';
import { type GoldModel, modelId, type TableRef } from '../../core/spec.ts';
import type { Shown } from '../../core/sql-engine.ts';
import { type TableId, tablePrefix } from '../../core/tables.ts';
import type { Column } from '../../core/types.ts';
import { applyChange } from '../../iceberg/apply.ts';
import { createTable } from '../../iceberg/changes.ts';
import { renderMetadata } from '../../iceberg/json.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { ObjectStore } from '../../ports.ts';
import { runFolder } from '../run/run-folder.ts';
import { columnsOfRef, loadState } from '../tables/table-state.ts';
import type { PlannedTarget } from '../tables/target.ts';

/** Between the name of a model and what tells its tables in an engine apart. */
const OURS = '__strata_';

/** Behind that in all of a pipeline of a lake: an engine may know those of other lakes. */
function ofLake(store: Pick<ObjectStore, 'location'>, pipeline: string): string {
  return `${OURS}${hashOf([store.location(`gold/${pipeline}`)]).slice(0, 8)}`;
}

/** Tells names under which an engine knows tables for runs of a pipeline from all others. */
export function isNameOf(store: Pick<ObjectStore, 'location'>, pipeline: string): (name: string) => boolean {
  const own = ofLake(store, pipeline);
  return (name) => name.includes(own);
}

/** What the names begin with under which engines know tables for a model. */
export function namesOf({ ours }: EngineRun, { name }: Pick<GoldModel, 'name'>): string {
  return `${name.toLowerCase()}${ours}`;
}

/** A run as engines tell it from those of other lakes, and of a lake that was there before, which may have its id. */
export type EngineRun = RunRef & { readonly origin: string; readonly ours: string };

export function engineRun({ run, created_at }: Pick<RunPlan, 'run' | 'created_at'>, store: ObjectStore): EngineRun {
  const origin = `${created_at} ${store.location(runFolder.plan(run))}`;
  return { ...run, origin, ours: ofLake(store, run.pipeline) };
}

/** The same in a run. */
export function namesOfRun(run: EngineRun, model: Pick<GoldModel, 'name'>): string {
  return `${namesOf(run, model)}${hashOf([run.origin, run.pipeline, run.run_id])}_`;
}

/** The same of one attempt at a unit of it. */
export function namesOfAttempt(
  run: EngineRun,
  model: Pick<GoldModel, 'name'>,
  { ordinal }: Pick<StageUnit, 'ordinal'>,
  attempt: number,
): string {
  return `${namesOfRun(run, model)}${ordinal}_${attempt}_`;
}

/** An identifier that everyone who makes the same table gives it. */
export function uuidOf(name: string): string {
  const hex = createHash('sha256').update(name).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** By which an engine knows that it was asked for a statement before: of 32 to 128 characters, as Athena has them. */
export function tokenOf(run: EngineRun, { unit }: Pick<StageUnit, 'unit'>, attempt: number, statement: string): string {
  const parts = [run.origin, run.pipeline, run.run_id, unit, String(attempt), statement];
  return `strata-${hashOf(parts)}${hashOf(parts.toReversed())}`;
}

function hashOf(parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/**
 * Below which all lies that engines write for a run into a table: data files of the table, once they are adopted. Another run of
 * the id, as a dry run may be, has a place of its own: what it removes at its end must not be what the table has.
 */
export function stagedPrefix(table: TableId, { run, created_at }: Pick<RunPlan, 'run' | 'created_at'>): string {
  return `${tablePrefix(table)}/staged/${run.run_id}/${hashOf([created_at, String(run.dry_run)])}/`;
}

/**
 * The table as an engine is to find it: the schema with its field ids, partition spec, order and properties of the target, without
 * snapshots. Its files lie within the target's folder, so that the target can have them as they are.
 */
export function stagingTable({ metadata }: PlannedTarget, location: string, uuid: string): TableMetadata {
  const {
    'current-snapshot-id': _current,
    refs: _refs,
    statistics: _s,
    'partition-statistics': _p,
    ...rest
  } = metadata;
  const placed = /^write\.(data|object-storage|folder-storage|metadata)\.|^write\.location-provider/;
  const properties = Object.entries(metadata.properties).filter(([name]) => !placed.test(name));
  return {
    ...rest,
    'table-uuid': uuid,
    location,
    'last-sequence-number': 0n,
    properties: {
      ...Object.fromEntries(properties),
      'write.format.default': 'parquet',
      'write.parquet.compression-codec': 'zstd',
    },
    snapshots: [],
    'snapshot-log': [],
    'metadata-log': [],
  };
}

/** A table of a few columns, for what is asked of an engine. */
export function plainTable(columns: readonly Column[], location: string, uuid: string, nowMs: number): TableMetadata {
  const properties = { 'write.format.default': 'parquet', 'write.parquet.compression-codec': 'zstd' };
  return applyChange(
    createTable({ uuid, location, columns, partitionBy: [], sortBy: [], properties }),
    undefined,
    nowMs,
  );
}

/** Writes a table's metadata where the engine is to find it; whoever comes second finds the first one's. */
export async function placeMetadata(
  store: ObjectStore,
  folder: string,
  name: string,
  metadata: TableMetadata,
): Promise<Shown<TableMetadata>> {
  const key = `${folder}metadata/00000-${uuidOf(name)}.metadata.json`;
  await store.write(key, new TextEncoder().encode(renderMetadata(metadata)), { kind: 'absent' });
  return { name, metadata, metadataLocation: store.location(key) };
}

/**
 * A table that a model reads, as this run sees it: also one that is not published yet, or has yet to be made. It is a copy of its
 * metadata, in a place of its own, so that an engine has no other way to the table.
 */
export async function inputTable(
  store: ObjectStore,
  plan: RunPlan,
  ref: TableRef,
  made: { readonly folder: string; readonly name: string; readonly nowMs: number },
): Promise<Shown<TableMetadata>> {
  const { folder, name, nowMs } = made;
  const location = store.location(folder.slice(0, -1));
  const state = await loadState(store, plan, modelId(ref));
  const table =
    state === undefined
      ? plainTable(columnsOfRef(plan.spec, ref), location, uuidOf(name), nowMs)
      : { ...state, location, 'table-uuid': uuidOf(name), 'metadata-log': [] };
  return placeMetadata(store, folder, name, table);
}
