import { CommitConflict, CommitStateUnknown } from '../core/errors.ts';
import { fullName, type TableId } from '../core/tables.ts';
import type { Update } from '../iceberg/changes.ts';
import { renderLossless } from '../iceberg/lossless.ts';
import { RUN_ID, snapshotById } from '../iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../iceberg/types.ts';
import type { Catalog, CatalogEntry, Clock, Ids, ObjectStore } from '../ports.ts';
import { metadataOn, type Prepared } from './prepare.ts';
import { loadTable } from './read.ts';
import { rebasePrepared } from './rebase.ts';

export type CommitDeps = {
  readonly store: ObjectStore;
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly ids: Ids;
  /** Resolves after so many milliseconds. */
  readonly wait: (ms: number) => Promise<void>;
};

export type Committed = {
  readonly entry: CatalogEntry;
  /** `already`: the table had this run's snapshot, or all of the change, before this call. */
  readonly outcome: 'committed' | 'already';
  readonly snapshot: Snapshot | undefined;
};

export type CommitOptions = {
  readonly attempts?: number;
  /** The change holds on the state alone on which it was prepared: where others committed first it is for the caller to prepare again. */
  readonly asPrepared?: boolean;
};

const ATTEMPTS = 8;
const FIRST_WAIT_MS = 50;

/**
 * Publishes a prepared change: the one step that other readers see. Calling it again, after a crash or a lost answer,
 * does nothing more. When others committed first, the change is made on top of theirs if they allow it.
 * Throws CommitConflict when they don't or when every attempt came second, CommitStateUnknown when the catalog never
 * said what became of the commit.
 */
export async function commitChange(
  deps: CommitDeps,
  id: TableId,
  prepared: Prepared,
  { attempts = ATTEMPTS, asPrepared = false }: CommitOptions = {},
): Promise<Committed> {
  let latest = prepared;
  for (let attempt = 1; ; attempt += 1) {
    const current = await loadTable(deps.catalog, id);
    const done = current === undefined ? undefined : findDone(current, latest);
    if (done !== undefined) return { ...done, outcome: attempt === 1 ? 'already' : ownOrAlready(done, prepared) };
    if (asPrepared && !isBase(latest, current)) throw othersFirst(id);
    // What was prepared first names all that it stands on; a change that was repeated stands on what others have done.
    if (!isBase(latest, current)) latest = await onTopOf(deps, prepared, current, attempt);
    const result = await tryCommit(deps, id, current, metadataOn(latest, current?.metadata));
    if (!(result instanceof Error)) return { entry: result, outcome: 'committed', snapshot: latest.snapshot };
    if (attempt >= attempts) throw lastFailure(id, result, attempts);
    await deps.wait(FIRST_WAIT_MS * 2 ** (attempt - 1));
  }
}

async function onTopOf(
  deps: CommitDeps,
  prepared: Prepared,
  current: CatalogEntry | undefined,
  attempt: number,
): Promise<Prepared> {
  if (isBase(prepared, current)) return prepared;
  const options = { nowMs: deps.clock.now().getTime(), unique: deps.ids.unique(), attempt: attempt + 1 };
  return rebasePrepared(deps.store, prepared, current, options);
}

function isBase({ baseLocation }: Prepared, current: CatalogEntry | undefined): boolean {
  return current?.metadataLocation === (baseLocation ?? undefined);
}

/** The new entry, or the failure that another attempt may overcome. */
async function tryCommit(
  deps: CommitDeps,
  id: TableId,
  current: CatalogEntry | undefined,
  next: TableMetadata,
): Promise<CatalogEntry | CommitConflict | CommitStateUnknown> {
  try {
    return await deps.catalog.commit(id, current, next);
  } catch (error) {
    // Unknown is no reason to stop: the next attempt finds its own snapshot, or compares and swaps in vain.
    if (error instanceof CommitConflict || error instanceof CommitStateUnknown) return error;
    throw error;
  }
}

type Done = { readonly entry: CatalogEntry; readonly snapshot: Snapshot | undefined };

/** Whether the table shows the change: this snapshot, another one of the same run, or all that has no snapshot. */
function findDone(entry: CatalogEntry, prepared: Prepared): Done | undefined {
  if (prepared.snapshot === undefined) {
    return holdsAll(entry.metadata, prepared) ? { entry, snapshot: undefined } : undefined;
  }
  const snapshot =
    snapshotById(entry.metadata, prepared.snapshot['snapshot-id']) ?? findSameRun(entry.metadata, prepared);
  return snapshot === undefined ? undefined : { entry, snapshot };
}

/** A run may rewrite files of a table several times, each time others, and rewriting them is not what else it does there. */
function findSameRun({ snapshots }: TableMetadata, { rewrite, summary }: Prepared): Snapshot | undefined {
  const runId = summary[RUN_ID];
  if (rewrite === true || runId === undefined) return undefined;
  return snapshots.findLast((one) => one.summary[RUN_ID] === runId && one.summary.operation !== 'replace');
}

/** Found after a failed attempt: this call's own snapshot landed after all, or the same run committed elsewhere. */
function ownOrAlready({ snapshot }: Done, prepared: Prepared): Committed['outcome'] {
  return snapshot?.['snapshot-id'] === prepared.snapshot?.['snapshot-id'] ? 'committed' : 'already';
}

/** For a change without a snapshot: the table has its schema, spec and properties, and not what it takes away. */
function holdsAll(current: TableMetadata, { metadata: wanted, change }: Prepared): boolean {
  const shape = (table: TableMetadata): string =>
    renderLossless([
      table['table-uuid'],
      table['current-schema-id'],
      table['default-spec-id'],
      table['default-sort-order-id'],
      table.schemas,
      table['partition-specs'],
    ]);
  const properties = Object.entries(wanted.properties);
  return (
    shape(current) === shape(wanted) &&
    properties.every(([name, value]) => current.properties[name] === value) &&
    !change.updates.some((update) => stillThere(update, current))
  );
}

function stillThere(update: Update, current: TableMetadata): boolean {
  if (update.action === 'remove-snapshots') return update['snapshot-ids'].some((one) => snapshotById(current, one));
  return update.action === 'remove-properties' && update.removals.some((name) => name in current.properties);
}

function othersFirst(id: TableId): CommitConflict {
  return new CommitConflict(`${fullName(id)} has changed since the change was prepared; prepare it again`);
}

function lastFailure(id: TableId, failure: CommitConflict | CommitStateUnknown, attempts: number): Error {
  const message = `${fullName(id)}: gave up after ${attempts} attempts to commit: ${failure.message}`;
  return failure instanceof CommitConflict
    ? new CommitConflict(message, { cause: failure })
    : new CommitStateUnknown(message, { cause: failure });
}
