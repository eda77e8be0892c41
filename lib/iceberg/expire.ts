import type { Change } from './changes.ts';
import { releaseGivenBack } from './given-back.ts';
import { OWN_UNTIL, ownUntil } from './own-files.ts';
import { currentSnapshot, MAIN, RUN_ID, snapshotById } from './snapshot.ts';
import type { Snapshot, TableMetadata } from './types.ts';

/** The table property that says when snapshots were last expired, as an ISO instant. */
export const EXPIRED_AT = 'strata.expired-at';

export type Retention = {
  /** Milliseconds since the epoch: snapshots that were current at this time or later stay. */
  readonly before: number;
  /** So many of the latest snapshots of each branch stay. */
  readonly keep: number;
  /** Snapshots on which unfinished work is built: they stay, with all that came after them. */
  readonly bases: ReadonlySet<bigint>;
  /** Runs whose snapshots stay. */
  readonly runs: ReadonlySet<string>;
};

/**
 * The snapshots that nothing keeps. Age counts from the moment when a snapshot was replaced and not from that when it was
 * made, so that the table can be read as of every moment since `before`.
 */
export function expiredSnapshots(metadata: TableMetadata, retention: Retention): readonly Snapshot[] {
  const kept = keptByRefs(metadata, retention);
  const replaced = replacementTimes(metadata);
  return metadata.snapshots.filter((snapshot) => {
    const id = snapshot['snapshot-id'];
    const runId = snapshot.summary[RUN_ID];
    if (kept.has(id) || retention.bases.has(id) || (runId !== undefined && retention.runs.has(runId))) return false;
    return (replaced.get(id) ?? snapshot['timestamp-ms']) < BigInt(retention.before);
  });
}

/** The change that forgets snapshots. Their files stay. */
export function expireSnapshots(metadata: TableMetadata, expired: readonly Snapshot[], nowMs: number): Change {
  const left = metadata.snapshots.filter((snapshot) => !expired.includes(snapshot));
  return {
    requirements: [{ type: 'assert-table-uuid', uuid: metadata['table-uuid'] }],
    updates: [
      {
        action: 'set-properties',
        updates: { [EXPIRED_AT]: new Date(nowMs).toISOString(), [OWN_UNTIL]: String(ownUntil(metadata)) },
      },
      { action: 'remove-snapshots', 'snapshot-ids': expired.map((snapshot) => snapshot['snapshot-id']) },
      ...releaseGivenBack(metadata, left),
    ],
  };
}

/** What branches and tags point to, the latest snapshots of each branch, and what follows the bases. */
function keptByRefs(metadata: TableMetadata, { keep, bases }: Retention): ReadonlySet<bigint> {
  const kept = new Set<bigint>();
  for (const [name, ref] of Object.entries(headsOf(metadata))) {
    kept.add(ref.id);
    if (ref.type === 'tag' && name !== MAIN) continue;
    const line = ancestry(metadata, ref.id);
    const oldestBase = line.findLastIndex((id) => bases.has(id));
    for (const id of line.slice(0, Math.max(keep, oldestBase + 1))) kept.add(id);
  }
  return kept;
}

function headsOf(metadata: TableMetadata): Readonly<Record<string, { id: bigint; type: 'branch' | 'tag' }>> {
  const current = currentSnapshot(metadata);
  const refs = Object.entries(metadata.refs ?? {}).map(([name, ref]) => {
    return [name, { id: ref['snapshot-id'], type: ref.type }] as const;
  });
  const main = current === undefined ? [] : ([[MAIN, { id: current['snapshot-id'], type: 'branch' }]] as const);
  return Object.fromEntries([...refs, ...main]);
}

/** A snapshot and those before it, as far back as they are there, the newest first. */
function ancestry(metadata: TableMetadata, head: bigint): readonly bigint[] {
  const line: bigint[] = [];
  let at = snapshotById(metadata, head);
  while (at !== undefined) {
    line.push(at['snapshot-id']);
    const parent: bigint | undefined = at['parent-snapshot-id'];
    at = parent === undefined ? undefined : snapshotById(metadata, parent);
  }
  return line;
}

/** By snapshot: when the one after it became current, as far as the log knows. */
function replacementTimes(metadata: TableMetadata): ReadonlyMap<bigint, bigint> {
  const times = new Map<bigint, bigint>();
  const log = metadata['snapshot-log'];
  for (const [at, entry] of log.entries()) {
    const next = log[at + 1];
    if (next !== undefined) times.set(entry['snapshot-id'], next['timestamp-ms']);
  }
  return times;
}
