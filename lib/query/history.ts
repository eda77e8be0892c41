import { currentSnapshot, RUN_ID } from '../iceberg/snapshot.ts';
import { namesOf } from '../iceberg/tags.ts';
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
  /** Tags of the snapshot, and branches that end in it. */
  readonly tags: readonly string[];
  /** What else its writer says of it. */
  readonly parameters: Readonly<Record<string, string>>;
};

/** A table's snapshots, newest first; with a limit the latest of them. */
export function historyOf({ metadata }: FoundTable, limit = Number.POSITIVE_INFINITY): readonly HistoryEntry[] {
  const current = currentSnapshot(metadata)?.['snapshot-id'];
  const names = namesOf(metadata);
  const latest = [...metadata.snapshots].reverse().slice(0, limit);
  return latest.map((snapshot) => entryOf(snapshot, current, names.get(snapshot['snapshot-id']) ?? []));
}

/** What a summary has beside counts, which have columns of their own; those of manifests matter where they were rewritten. */
function parametersOf(summary: Snapshot['summary']): Readonly<Record<string, string>> {
  const counts =
    summary.operation === 'replace'
      ? /^(added|deleted|removed|total|changed)-/
      : /^(added|deleted|removed|total|changed|manifests)-/;
  const counted = (name: string): boolean => name === 'operation' || name === RUN_ID || counts.test(name);
  return Object.fromEntries(Object.entries(summary).filter(([name]) => !counted(name)));
}

function entryOf(snapshot: Snapshot, current: bigint | undefined, tags: readonly string[]): HistoryEntry {
  const { summary } = snapshot;
  // A writer leaves out what is zero, and a writer that keeps nothing leaves out the totals too.
  const change = (key: string): number | null => countOf(summary[key]) ?? (summary['total-records'] ? 0 : null);
  return {
    snapshot_id: String(snapshot['snapshot-id']),
    time: new Date(Number(snapshot['timestamp-ms'])).toISOString(),
    operation: summary.operation,
    run_id: summary[RUN_ID] ?? null,
    rows_added: change('added-records'),
    rows_removed: removedBy(change),
    rows: rowsOf(summary),
    files: countOf(summary['total-data-files']),
    current: snapshot['snapshot-id'] === current,
    tags,
    parameters: parametersOf(summary),
  };
}

/** Position deletes take rows out of files that stay among the records; each counts for one. */
function rowsOf(summary: Snapshot['summary']): number | null {
  const records = countOf(summary['total-records']);
  return records === null ? null : Math.max(0, records - (countOf(summary['total-position-deletes']) ?? 0));
}

function removedBy(change: (key: string) => number | null): number | null {
  const [records, deletes] = [change('deleted-records'), change('added-position-deletes')];
  return records === null && deletes === null ? null : (records ?? 0) + (deletes ?? 0);
}

function countOf(text: string | undefined): number | null {
  return text === undefined ? null : Number(text);
}
