import { InvalidInput } from '../core/errors.ts';
import { applyChange } from '../iceberg/apply.ts';
import { addSnapshot, type Change, createTable, joinChanges, type NewTable } from '../iceberg/changes.ts';
import { metadataOf } from '../iceberg/json.ts';
import { FORMER_LOCATIONS, formerLocations, locator, mapTexts, settleTable, wasMoved } from '../iceberg/locations.ts';
import { parseLossless, renderLossless } from '../iceberg/lossless.ts';
import { currentSpec } from '../iceberg/partition.ts';
import { currentSnapshot, MAIN } from '../iceberg/snapshot.ts';
import type { DataFile, Snapshot, TableMetadata } from '../iceberg/types.ts';
import type { ObjectStore } from '../ports.ts';
import { partitionKey, type Removal } from './removal.ts';
import { stageSnapshot } from './stage.ts';

/** A table as loaded; the location is null when the metadata was never published (a prepared table of this run). */
export type BaseTable = { readonly metadata: TableMetadata; readonly metadataLocation: string | null };

export type SnapshotInput = {
  /** Undefined for a table that does not exist yet; then `create` says what it will be. */
  readonly base: BaseTable | undefined;
  readonly create?: NewTable;
  /** Schema, spec and property changes, made before the snapshot. */
  readonly alter?: Change;
  /** New data files, of any spec of the table. */
  readonly added: readonly DataFile[];
  /** New files of position deletes, which take rows out of data files that stay. */
  readonly addedDeletes?: readonly DataFile[];
  readonly remove: Removal;
  readonly snapshotId: bigint;
  /** Milliseconds since the epoch. */
  readonly nowMs: number;
  /** Part of the new files' names, different for every attempt. */
  readonly unique: string;
  /** The caller's summary properties, such as `strata.run_id`. */
  readonly summary: Readonly<Record<string, string>>;
  /** The added files hold the rows of the removed ones, and no others: the snapshot changes no rows. */
  readonly rewrite?: boolean;
  /** All small manifests are merged, for which alone there is a snapshot. */
  readonly mergeAll?: boolean;
  /** Make a snapshot even when nothing is added or removed, so that the run can be found in the table. */
  readonly emptySnapshot?: boolean;
};

/**
 * A table with a change applied but not published: its metadata can be read as a table. Plain data,
 * and all that a commit needs, also in another process.
 */
export type Prepared = {
  /** Without the table's history, once it was written and read back. */
  readonly metadata: TableMetadata;
  readonly change: Change;
  /** The part of the change that made or altered the table, without the snapshot. */
  readonly alter: Change;
  readonly snapshot: Snapshot | undefined;
  /** What the caller put into the summary. */
  readonly summary: Readonly<Record<string, string>>;
  readonly removal: Removal['kind'];
  /** Present: it changes no rows, which allows more beside it. */
  readonly rewrite?: true;
  readonly mergeAll?: true;
  /** Present: it takes rows out of data files that stay. */
  readonly deletes?: true;
  /** Partition keys that the change replaces, for `partitions`. */
  readonly replaced: readonly string[];
  /** The state that it was prepared on: null for a new table or an unpublished one. */
  readonly baseLocation: string | null;
};

const NO_CHANGE: Change = { requirements: [], updates: [] };

/**
 * Writes a snapshot's manifests and works out the table's next metadata; publishes nothing. Files without rows are
 * left out. With nothing to add or remove there is no snapshot, only what `create` and `alter` say.
 * Throws InvalidInput for a wrong input, CommitConflict when a file to remove is not in the table.
 */
export async function prepareSnapshot(store: ObjectStore, input: SnapshotInput): Promise<Prepared> {
  const { base, nowMs, snapshotId } = input;
  const alter = alterationOf(input);
  const table = applyChange(alter, base?.metadata, nowMs);
  const added = input.added.filter((file) => file.rows > 0n);
  const addedDeletes = (input.addedDeletes ?? []).filter((file) => file.rows > 0n);
  const asked = input.emptySnapshot === true || input.mergeAll === true;
  const needed = added.length + addedDeletes.length > 0 || input.remove.kind !== 'nothing' || asked;
  const { unique, summary, remove: removal } = input;
  const rewrite = {
    ...(input.rewrite === true ? ({ rewrite: true } as const) : {}),
    ...(input.mergeAll === true ? ({ mergeAll: true } as const) : {}),
  };
  const staged = { table, added, addedDeletes, removal, snapshotId, unique, attempt: 1, summary, ...rewrite };
  const snapshot = needed ? await stageSnapshot(store, staged) : undefined;
  return finishPrepared(base, alter, table, snapshot, nowMs, {
    summary,
    removal: removal.kind,
    replaced: replacedKeys(table, removal),
    ...(addedDeletes.length === 0 ? {} : { deletes: true }),
    ...rewrite,
  });
}

/** The same change with more in the summary of its snapshot. Nothing is written: files do not repeat what a summary says. */
export function sayAlso(
  prepared: Prepared,
  base: BaseTable | undefined,
  more: Readonly<Record<string, string>>,
): Prepared {
  const { alter, snapshot, removal, replaced, rewrite, deletes } = prepared;
  if (snapshot === undefined || Object.keys(more).length === 0) return prepared;
  const nowMs = Number(prepared.metadata['last-updated-ms']);
  const said = { ...snapshot, summary: { ...snapshot.summary, ...more } };
  return finishPrepared(base, alter, applyChange(alter, base?.metadata, nowMs), said, nowMs, {
    summary: { ...prepared.summary, ...more },
    removal,
    replaced,
    ...(rewrite === undefined ? {} : { rewrite }),
    ...(deletes === undefined ? {} : { deletes }),
  });
}

/** The change and the metadata of a staged snapshot on top of a base. */
export function finishPrepared(
  base: BaseTable | undefined,
  alter: Change,
  table: TableMetadata,
  snapshot: Snapshot | undefined,
  nowMs: number,
  intent: Pick<Prepared, 'summary' | 'removal' | 'replaced' | 'rewrite' | 'mergeAll' | 'deletes'>,
): Prepared {
  const publish = snapshot === undefined ? NO_CHANGE : addSnapshot(table, snapshot);
  // A table that the change itself makes meets no requirement about what is there.
  const change = joinChanges(alter, base === undefined ? { ...publish, requirements: [] } : publish);
  const baseLocation = base?.metadataLocation ?? null;
  const metadata = applyChange(change, base?.metadata, nowMs, baseLocation);
  return { metadata, change, alter, snapshot, baseLocation, ...intent };
}

function alterationOf(input: SnapshotInput): Change {
  if (input.base !== undefined) return input.alter ?? NO_CHANGE;
  if (input.create === undefined) throw new InvalidInput('a table that does not exist: got no `create` to make it by');
  return joinChanges(createTable(input.create), input.alter);
}

function replacedKeys(table: TableMetadata, removal: Removal): readonly string[] {
  if (removal.kind !== 'partitions') return [];
  return removal.tuples.map((tuple) => partitionKey(table, currentSpec(table)['spec-id'], tuple));
}

/**
 * One line of JSON; parsePrepared reads it back. The table's history is left out, which is the base's and would make
 * each run's copy as large as all runs before it: what stays can be read as a table of this one snapshot.
 */
export function renderPrepared(prepared: Prepared): string {
  return renderLossless({ ...prepared, metadata: withoutHistory(prepared) });
}

function withoutHistory({ metadata, snapshot }: Prepared): TableMetadata {
  const kept = snapshot ?? currentSnapshot(metadata);
  const main = metadata.refs?.[MAIN];
  return {
    ...metadata,
    snapshots: kept === undefined ? [] : [kept],
    'snapshot-log': [],
    'metadata-log': [],
    ...(metadata.refs === undefined ? {} : { refs: main === undefined ? {} : { [MAIN]: main } }),
    ...(metadata.statistics === undefined ? {} : { statistics: [] }),
    ...(metadata['partition-statistics'] === undefined ? {} : { 'partition-statistics': [] }),
  };
}

/** The table's next metadata on its base, or on no table at all; the same as when it was prepared. */
export function metadataOn(prepared: Prepared, base: TableMetadata | undefined): TableMetadata {
  // The time of the change: the table's clock never runs backwards, so it counts from the base again.
  const at = Number(prepared.metadata['last-updated-ms']);
  return applyChange(prepared.change, base, at, prepared.baseLocation);
}

/**
 * See renderPrepared. `here`: the table's location now, which is another than when it was prepared if the lake was moved in
 * between. Throws UnreadableTable when its metadata is damaged, SyntaxError when it is not JSON.
 */
export function parsePrepared(text: string, here?: string, where = 'a prepared table'): Prepared {
  const tree = parseLossless(text) as Prepared;
  const metadata = metadataOf(tree.metadata, where);
  if (here === undefined || !wasMoved(metadata, here)) return { ...tree, metadata };
  const moved = settleTable(metadata, here);
  const locate = locator(moved);
  const there = mapTexts(tree, (one) => (one === metadata.location ? here : locate(one))) as Prepared;
  const updates = { [FORMER_LOCATIONS]: JSON.stringify(formerLocations(moved)) };
  const change = joinChanges(there.change, { requirements: [], updates: [{ action: 'set-properties', updates }] });
  return { ...there, metadata: moved, change };
}
