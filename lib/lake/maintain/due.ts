import { mapConcurrent } from '../../core/concurrency.ts';
import type { Due, MaintenanceDue } from '../../core/maintenance-due.ts';
import { type MaintenanceRules, rulesOf } from '../../core/maintenance-rules.ts';
import { booksOf, opsTable } from '../../core/ops.ts';
import type { PipelineSpec } from '../../core/spec.ts';
import { fullName, type TableId } from '../../core/tables.ts';
import { expiredSnapshots } from '../../iceberg/expire.ts';
import { currentSpec } from '../../iceberg/partition.ts';
import { currentSnapshot, snapshotById, snapshotsSince } from '../../iceberg/snapshot.ts';
import { parseTransform } from '../../iceberg/transforms.ts';
import type { Snapshot, TableMetadata } from '../../iceberg/types.ts';
import { rangeBytes } from '../../plan/buckets.ts';
import { findDue, operationsOf, type PipelineFacts, type TableFacts } from '../../plan/maintenance-due.ts';
import type { ObjectStore } from '../../ports.ts';
import { loadTable } from '../../table/read.ts';
import type { StepDeps } from '../deps.ts';
import { readJsonIfAny, writeJson } from '../run/run-folder.ts';
import { rangedBy } from '../tables/table-shape.ts';
import { modelTables } from '../tables/table-state.ts';

/** A table, and its metadata as it is now. */
export type KnownTable = { readonly id: TableId; readonly metadata: TableMetadata };

/** What maintenance that was due has been told to look at. */
type Maintained = {
  /** ISO instants. */
  readonly at: string;
  readonly vacuumed_at: string | null;
  /** By full name: the snapshot that was current then. */
  readonly tables: Readonly<Record<string, string>>;
};

/** Reasons that a state names. */
const MOST_NAMED = 20;

function maintainedKey(pipeline: string): string {
  return `ops/${pipeline}/maintained.json`;
}

/**
 * What is due for tables that are at hand, by their metadata alone, and the books must be among them. It is noted as done, be it
 * done or not: what fails, or finds nothing, is due again after as many runs as otherwise. Undefined where nothing is due.
 */
export async function claimDue(
  deps: Pick<StepDeps, 'store' | 'clock'>,
  spec: PipelineSpec,
  tables: readonly KnownTable[],
): Promise<MaintenanceDue | undefined> {
  const rules = rulesOf(spec);
  if (rules === undefined) return undefined;
  const last = await readMaintained(deps.store, spec.name);
  const now = deps.clock.now();
  const due = findDue(factsOf(spec, tables, { last, now: now.getTime(), rules }), rules);
  if (due.length === 0) return undefined;
  const operations = operationsOf(due);
  const noted: Maintained = {
    at: now.toISOString(),
    vacuumed_at: operations.includes('vacuum') ? now.toISOString() : (last?.vacuumed_at ?? null),
    tables: { ...last?.tables, ...Object.fromEntries(tables.flatMap(snapshotOf)) },
  };
  await writeJson(deps.store, maintainedKey(spec.name), noted);
  const expire = { older_than_ms: rules.olderThanMs, keep: rules.keep };
  const vacuum = { older_than_ms: rules.olderThanMs };
  return { request: { operations, expire, vacuum }, why: due.slice(0, MOST_NAMED) };
}

/** What would be due after one more run that adds a file to each table which has grown before; only looked at. */
export async function lookForDue(
  deps: Pick<StepDeps, 'store' | 'catalog' | 'clock'>,
  spec: PipelineSpec,
): Promise<readonly Due[]> {
  const rules = rulesOf(spec);
  if (rules === undefined) return [];
  const ids = [...modelTables(spec).values(), ...booksOf(spec).map((name) => opsTable(spec.name, name))];
  const found = await mapConcurrent(ids, async (id) => ({ id, entry: await loadTable(deps.catalog, id) }));
  const tables = found.flatMap(({ id, entry }) => (entry === undefined ? [] : [{ id, metadata: entry.metadata }]));
  const last = await readMaintained(deps.store, spec.name);
  const facts = factsOf(spec, tables, { last, now: deps.clock.now().getTime(), rules });
  const grown = facts.tables.map((table) => ({ ...table, grown: table.grown + (table.grown > 0 ? 1 : 0) }));
  return findDue({ ...facts, runs: facts.runs + 1, tables: grown }, rules);
}

function readMaintained(store: ObjectStore, pipeline: string): Promise<Maintained | undefined> {
  return readJsonIfAny<Maintained>(store, maintainedKey(pipeline));
}

type Moment = { readonly last: Maintained | undefined; readonly now: number; readonly rules: MaintenanceRules };

function factsOf(spec: PipelineSpec, tables: readonly KnownTable[], moment: Moment): PipelineFacts {
  const { last, now } = moment;
  const runs = tables.find(({ id }) => id.layer === 'ops' && id.name === 'runs');
  const vacuumed = last?.vacuumed_at ?? null;
  const first = Number(runs?.metadata['snapshot-log'][0]?.['timestamp-ms'] ?? now);
  return {
    runs: runs === undefined ? 0 : (since(runs, last)?.newer.length ?? runs.metadata.snapshots.length),
    sinceVacuumMs: now - (vacuumed === null ? first : Date.parse(vacuumed)),
    tables: tables.map((table) => tableFacts(spec, table, moment)),
  };
}

function tableFacts(spec: PipelineSpec, table: KnownTable, { last, now, rules }: Moment): TableFacts {
  const { metadata } = table;
  const known = since(table, last);
  const newer = (known?.newer ?? metadata.snapshots).filter(({ summary }) => summary.operation !== 'replace');
  const files = countsOf(known === undefined ? metadata.snapshots : [known.from, ...known.all], 'total-data-files');
  const current = currentSnapshot(metadata);
  const total = numberOf(current, 'total-data-files') ?? 0;
  const added = sum(newer, 'added-data-files');
  const nothing = { bases: new Set<bigint>(), runs: new Set<string>() };
  const expirable = expiredSnapshots(metadata, { before: now - rules.olderThanMs, keep: rules.keep, ...nothing });
  const made = numberOf(current, 'manifests-created');
  return {
    table: fullName(table.id),
    // A table whose first snapshots are forgotten began with what the first that is there has.
    grown: total - (known === undefined ? 0 : Math.min(total, ...files)),
    addedBytes: added === 0 ? 0 : sum(newer, 'added-files-size') / added,
    targetBytes: targetOf(spec, table),
    deleteFiles: Math.ceil((numberOf(current, 'total-delete-files') ?? 0) / bucketsOf(metadata)),
    deletedPercent: percentOf(numberOf(current, 'total-position-deletes'), numberOf(current, 'total-records')),
    manifests: made === undefined ? undefined : made + (numberOf(current, 'manifests-kept') ?? 0),
    expirable: expirable.length,
  };
}

/** A keyed table whose keys lie in ranges has smaller files. */
function targetOf(spec: PipelineSpec, { id, metadata }: KnownTable): number {
  const { fileBytes } = spec.settings;
  if (rangedBy(spec, id, metadata) === undefined) return fileBytes;
  return rangeBytes(numberOf(currentSnapshot(metadata), 'total-files-size') ?? 0, fileBytes);
}

/** A merge on read adds a delete file to each bucket that it touches. */
function bucketsOf(metadata: TableMetadata): number {
  const [field, ...others] = currentSpec(metadata).fields;
  const transform = field === undefined || others.length > 0 ? undefined : parseTransform(field.transform);
  return transform?.kind === 'bucket' ? transform.width : 1;
}

function percentOf(part = 0, whole = 0): number {
  return whole === 0 ? 0 : Math.floor((100 * part) / whole);
}

type Since = {
  readonly from: Snapshot;
  readonly all: readonly Snapshot[];
  /** Of these, those that brought rows. */
  readonly newer: readonly Snapshot[];
};

/** Undefined where the table was not known then, or has forgotten how it was. */
function since({ id, metadata }: KnownTable, last: Maintained | undefined): Since | undefined {
  const looked = last?.tables[fullName(id)];
  const from = looked === undefined ? undefined : snapshotById(metadata, BigInt(looked));
  const all = from && snapshotsSince(metadata, from['snapshot-id']);
  if (from === undefined || all === undefined) return undefined;
  return { from, all, newer: all.filter(({ summary }) => summary.operation !== 'replace') };
}

function snapshotOf({ id, metadata }: KnownTable): readonly (readonly [string, string])[] {
  const current = currentSnapshot(metadata);
  return current === undefined ? [] : [[fullName(id), current['snapshot-id'].toString()]];
}

function countsOf(snapshots: readonly Snapshot[], name: string): readonly number[] {
  return snapshots.flatMap((snapshot) => numberOf(snapshot, name) ?? []);
}

function sum(snapshots: readonly Snapshot[], name: string): number {
  return countsOf(snapshots, name).reduce((total, count) => total + count, 0);
}

/** Summaries of other engines may lack it. */
function numberOf(snapshot: Snapshot | undefined, name: string): number | undefined {
  const value = snapshot?.summary[name];
  return value === undefined || !/^\d+$/.test(value) ? undefined : Number(value);
}
