import { InvalidInput } from '../../core/errors.ts';
import type { ExpiredTable } from '../../core/maintenance.ts';
import { fullName, type TableId, tablePrefix } from '../../core/tables.ts';
import { applyChange } from '../../iceberg/apply.ts';
import type { Change } from '../../iceberg/changes.ts';
import { EXPIRED_AT, expiredSnapshots, expireSnapshots, type Retention } from '../../iceberg/expire.ts';
import { mayRemoveFiles } from '../../iceberg/given-back.ts';
import { RUN_ID } from '../../iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../../iceberg/types.ts';
import type { ObjectStore } from '../../ports.ts';
import { changeTable } from '../../table/change.ts';
import { findUnneeded, type Unneeded, type UnneededFile, unneededFiles } from '../../table/reachable.ts';
import { loadTable } from '../../table/read.ts';
import { trimMetadata } from '../../table/trim.ts';
import type { StepDeps } from '../deps.ts';
import { type RecordOf, removeRecorded } from './removals.ts';
import type { Needs } from './unfinished.ts';

export type MaintainDeps = Pick<StepDeps, 'store' | 'catalog' | 'clock' | 'wait' | 'log'>;

export type ExpireAsked = {
  /** Milliseconds since the epoch: snapshots that were current then or later stay. */
  readonly before: number;
  readonly keep: number;
  /** Runs by which others are put in order: their snapshots stay. */
  readonly runs: ReadonlySet<string>;
};

/** With the runs that the table then has snapshots of. */
export type Expired = { readonly table: ExpiredTable; readonly runs: readonly string[] };

/**
 * Forgets the snapshots of a table that nothing keeps, and removes the files that only they had. The commit comes first:
 * killed after it, what is left over is found by a vacuum. With `record` undefined it only tells what would be done.
 */
export async function expireTable(
  deps: MaintainDeps,
  id: TableId,
  asked: ExpireAsked,
  needs: Needs,
  record: RecordOf | undefined,
): Promise<Expired> {
  const retention = { ...asked, bases: needs.bases, runs: new Set([...asked.runs, ...needs.runs]) };
  const counted: Counts = { data: 0, bytes: 0, metadata: 0 };
  if (record === undefined) {
    const before = await requireTable(deps, id);
    const expiry = await planExpiry(deps, id, before, retention);
    if (expiry === undefined) return describe(id, before, 0, counted);
    for await (const _batch of filesBelow(deps.store, id, unneededFiles(deps.store, expiry.unneeded), counted));
    return describe(id, applyChange(expiry.change, before, expiry.at), expiry.expired.length, counted);
  }
  const last: { expiry?: Expiry | undefined } = {};
  const { metadata: after, ...entry } = await changeTable(deps, id, async ({ metadata }) => {
    const expiry = await planExpiry(deps, id, metadata, retention);
    if (expiry !== undefined) last.expiry = expiry;
    return expiry?.change;
  });
  const { expiry } = last;
  // What another process has forgotten at the same moment is its to remove: it knew a later state of the table.
  if (expiry === undefined || after.properties[EXPIRED_AT] !== isoTime(expiry.at))
    return describe(id, after, 0, counted);
  const files = filesBelow(deps.store, id, unneededFiles(deps.store, expiry.unneeded), counted);
  await removeRecorded(deps.store, record, fullName(id), files);
  if (needs.locations.size === 0) await trimMetadata(deps.store, { ...entry, metadata: after });
  return describe(id, after, expiry.expired.length, counted);
}

type Expiry = {
  readonly expired: readonly Snapshot[];
  readonly unneeded: Unneeded;
  readonly change: Change;
  /** Milliseconds since the epoch. */
  readonly at: number;
};

/** What cannot be read is told of here, before anything is forgotten. */
async function planExpiry(
  deps: MaintainDeps,
  id: TableId,
  metadata: TableMetadata,
  retention: Retention,
): Promise<Expiry | undefined> {
  requireOwn(id, metadata);
  const expired = expiredSnapshots(metadata, retention);
  if (expired.length === 0) return undefined;
  const at = deps.clock.now().getTime();
  const unneeded = await findUnneeded(deps.store, metadata, expired);
  return { expired, unneeded, change: expireSnapshots(metadata, expired, at), at };
}

async function requireTable(deps: MaintainDeps, id: TableId): Promise<TableMetadata> {
  const entry = await loadTable(deps.catalog, id);
  if (entry === undefined) throw new InvalidInput(`no table ${fullName(id)}: it was dropped meanwhile`);
  return entry.metadata;
}

export function requireOwn(id: TableId, metadata: TableMetadata): void {
  if (mayRemoveFiles(metadata)) return;
  throw new InvalidInput(
    `${fullName(id)} is left as it is: its property gc.enabled is false, by which a table says that others share its files`,
  );
}

type Counts = { data: number; bytes: number; metadata: number };

/** Keys of those files that lie in the table's own folder: what it has taken over from elsewhere is not its own. */
async function* filesBelow(
  store: ObjectStore,
  id: TableId,
  batches: AsyncIterable<readonly UnneededFile[]>,
  counted: Counts,
): AsyncIterable<readonly string[]> {
  const folder = store.location(`${tablePrefix(id)}/data`).slice(0, -'data'.length);
  for await (const batch of batches) {
    const own = batch.filter(({ path }) => path.startsWith(folder));
    for (const { bytes } of own) {
      if (bytes === null) counted.metadata += 1;
      else {
        counted.data += 1;
        counted.bytes += bytes;
      }
    }
    yield own.map(({ path }) => store.key(path));
  }
}

function describe(id: TableId, left: TableMetadata, snapshots: number, counted: Counts): Expired {
  const [first] = left['snapshot-log'];
  const table: ExpiredTable = {
    table: fullName(id),
    snapshots,
    snapshots_left: left.snapshots.length,
    readable_since: first === undefined ? null : isoTime(Number(first['timestamp-ms'])),
    data_files: counted.data,
    data_bytes: counted.bytes,
    metadata_files: counted.metadata,
  };
  return { table, runs: left.snapshots.flatMap(({ summary }) => summary[RUN_ID] ?? []) };
}

function isoTime(ms: number): string {
  return new Date(ms).toISOString();
}
