import { InvalidInput } from '../core/errors.ts';
import type { Snapshot, TableMetadata } from './types.ts';

/** The summary property that ties a snapshot to the run that made it. */
export const RUN_ID = 'strata.run_id';

/** What all summary properties of ours begin with. */
export const OWN_PROPERTY = 'strata.';

/** The summary property by which a snapshot that only rewrote files names the one whose rows it has. */
export const ROWS_OF = 'strata.rows-of';

export const MAIN = 'main';

export type Moment =
  | { readonly runId: string }
  | { readonly snapshotId: bigint }
  /** Milliseconds since the epoch. */
  | { readonly time: number };

export function snapshotById(metadata: TableMetadata, id: bigint): Snapshot | undefined {
  return metadata.snapshots.findLast((snapshot) => snapshot['snapshot-id'] === id);
}

/** Undefined for a table that never had a snapshot. */
export function currentSnapshot(metadata: TableMetadata): Snapshot | undefined {
  const id = metadata['current-snapshot-id'] ?? null;
  return id === null ? undefined : snapshotById(metadata, id);
}

/** A table as it was when one of its snapshots was current; undefined when it has none such. */
export function atSnapshot(metadata: TableMetadata, id: bigint): TableMetadata | undefined {
  const snapshot = snapshotById(metadata, id);
  if (snapshot === undefined || metadata['current-snapshot-id'] === id) return snapshot && metadata;
  const schema = snapshot['schema-id'] ?? metadata['current-schema-id'];
  return { ...metadata, 'current-snapshot-id': id, 'current-schema-id': schema };
}

/** The snapshot that a run made; undefined when the run has not committed to this table. */
export function findRun(metadata: TableMetadata, runId: string): Snapshot | undefined {
  return metadata.snapshots.findLast((snapshot) => snapshot.summary[RUN_ID] === runId);
}

/**
 * The snapshot that last changed rows, seen from one: `replace` is by definition a rewrite that leaves them as they are.
 * Where snapshots before a rewrite are gone, the rewrite itself, whose summary has what ours say of rows.
 */
export function rowsSnapshot(metadata: TableMetadata, from: Snapshot | undefined): Snapshot | undefined {
  let at = from;
  while (at?.summary.operation === 'replace') {
    const parent: bigint | undefined = at['parent-snapshot-id'];
    const before = parent === undefined ? undefined : snapshotById(metadata, parent);
    if (before === undefined) return at;
    at = before;
  }
  return at;
}

/** The id under which the rows of a snapshot are known, however often their files were rewritten. */
export function rowsId(metadata: TableMetadata, from: Snapshot | undefined): string | undefined {
  const at = rowsSnapshot(metadata, from);
  return at?.summary[ROWS_OF] ?? at?.['snapshot-id'].toString();
}

/**
 * The snapshot that was current at a moment: a run's, a given one, or the last at or before a time.
 * Throws InvalidInput when the table has none such.
 */
export function asOf(metadata: TableMetadata, moment: Moment): Snapshot {
  const found = snapshotAt(metadata, moment);
  if (found !== undefined) return found;
  const known = metadata.snapshots.map((snapshot) => snapshot['snapshot-id']).slice(-5);
  throw new InvalidInput(
    `no snapshot of ${renderMoment(moment)} in ${metadata.location}; the latest are ${known.join(', ') || 'none'}`,
  );
}

function snapshotAt(metadata: TableMetadata, moment: Moment): Snapshot | undefined {
  if ('runId' in moment) return findRun(metadata, moment.runId);
  if ('snapshotId' in moment) return snapshotById(metadata, moment.snapshotId);
  const entry = metadata['snapshot-log'].findLast((one) => one['timestamp-ms'] <= BigInt(Math.floor(moment.time)));
  return entry === undefined ? undefined : snapshotById(metadata, entry['snapshot-id']);
}

function renderMoment(moment: Moment): string {
  if ('runId' in moment) return `run ${moment.runId}`;
  return 'snapshotId' in moment ? `id ${moment.snapshotId}` : `the time ${moment.time} ms or before`;
}

/**
 * The snapshots after `base` up to the current one, newest first; undefined when `base` is not an ancestor of the
 * current snapshot, so that nothing can be said of what changed. A null base is the empty table.
 */
export function snapshotsSince(metadata: TableMetadata, base: bigint | null): readonly Snapshot[] | undefined {
  const newer: Snapshot[] = [];
  let at = currentSnapshot(metadata);
  while (at !== undefined && at['snapshot-id'] !== base) {
    newer.push(at);
    const parent: bigint | undefined = at['parent-snapshot-id'];
    if (parent === undefined) return base === null ? newer : undefined;
    at = snapshotById(metadata, parent);
  }
  return at?.['snapshot-id'] === base || (base === null && newer.length === 0) ? newer : undefined;
}
