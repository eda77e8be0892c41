import { currentSnapshot, RUN_ID } from '../iceberg/snapshot.ts';
import type { Snapshot } from '../iceberg/types.ts';
import type { FoundTable } from './find-table.ts';

/** One snapshot of a table. Counts are null where its writer kept none. */
export type HistoryEntry = {
  readonly snapshot_id: string;
  /** ISO instant. */
  readonly time: string;
  readonly operation: string;
  readonly run_id: string | null;
  readonly rows_added: number | null;
  readonly rows_removed: number | null;
  readonly rows: number | null;
  readonly files: number | null;
  readonly current: boolean;
};

/** A table's snapshots, newest first. */
export function historyOf({ metadata }: FoundTable): readonly HistoryEntry[] {
  const current = currentSnapshot(metadata)?.['snapshot-id'];
  return metadata.snapshots.map((snapshot) => entryOf(snapshot, current)).reverse();
}

function entryOf(snapshot: Snapshot, current: bigint | undefined): HistoryEntry {
  const { summary } = snapshot;
  // A writer leaves out what is zero, and a writer that keeps nothing leaves out the totals too.
  const change = (key: string): number | null => countOf(summary[key]) ?? (summary['total-records'] ? 0 : null);
  return {
    snapshot_id: String(snapshot['snapshot-id']),
    time: new Date(Number(snapshot['timestamp-ms'])).toISOString(),
    operation: summary.operation,
    run_id: summary[RUN_ID] ?? null,
    rows_added: change('added-records'),
    rows_removed: change('deleted-records'),
    rows: countOf(summary['total-records']),
    files: countOf(summary['total-data-files']),
    current: snapshot['snapshot-id'] === current,
  };
}

function countOf(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
