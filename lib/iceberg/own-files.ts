import { RUN_ID } from './snapshot.ts';
import type { ManifestEntry, TableMetadata } from './types.ts';

/**
 * The table property that says up to which sequence number all snapshots of a table were made by runs: files that came
 * with them are known as our own when their snapshots have been forgotten.
 */
export const OWN_UNTIL = 'strata.own-until';

/** The sequence number up to which every snapshot that the table ever had was made by a run. */
export function ownUntil(metadata: TableMetadata): bigint {
  let until = recorded(metadata);
  const bySequence = [...metadata.snapshots].sort((a, b) => (a['sequence-number'] < b['sequence-number'] ? -1 : 1));
  for (const snapshot of bySequence) {
    if (snapshot['sequence-number'] <= until) continue;
    // A number that is missing may be that of another engine's snapshot, which another engine has expired.
    if (snapshot['sequence-number'] !== until + 1n || !(RUN_ID in snapshot.summary)) break;
    until += 1n;
  }
  return until;
}

/** Tells files that runs of ours wrote from those of which nothing shows it. */
export function ownFiles(
  metadata: TableMetadata,
): (entry: Pick<ManifestEntry, 'snapshotId' | 'fileSequenceNumber'>) => boolean {
  const until = recorded(metadata);
  const ours = new Set(metadata.snapshots.filter((one) => RUN_ID in one.summary).map((one) => one['snapshot-id']));
  return ({ snapshotId, fileSequenceNumber }) =>
    (snapshotId !== null && ours.has(snapshotId)) ||
    (fileSequenceNumber !== null && fileSequenceNumber > 0n && fileSequenceNumber <= until);
}

function recorded(metadata: TableMetadata): bigint {
  const text = metadata.properties[OWN_UNTIL] ?? '';
  return /^\d{1,18}$/.test(text) ? BigInt(text) : 0n;
}
