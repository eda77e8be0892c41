import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../../iceberg/types.ts';
import type { ObjectStore } from '../../ports.ts';
import { planFiles } from '../../table/read.ts';

export type TableSize = { readonly rows: number; readonly files: number; readonly bytes: number };

/** From the current snapshot's summary, or from its manifests where another writer kept no totals. */
export async function sizeOf(deps: { readonly store: ObjectStore }, metadata: TableMetadata): Promise<TableSize> {
  const snapshot = currentSnapshot(metadata);
  if (snapshot === undefined) return { rows: 0, files: 0, bytes: 0 };
  const kept = sizeInSummary(snapshot);
  if (kept !== undefined) return kept;
  const files = await planFiles(deps.store, metadata);
  const sum = (of: (file: (typeof files)[number]) => bigint): number =>
    Number(files.reduce((total, file) => total + of(file), 0n));
  return { rows: sum((file) => file.rows), files: files.length, bytes: sum((file) => file.bytes) };
}

function sizeInSummary({ summary }: Snapshot): TableSize | undefined {
  const [rows, files, bytes] = ['total-records', 'total-data-files', 'total-files-size'].map((key) => summary[key]);
  if (rows === undefined || files === undefined || bytes === undefined) return undefined;
  return { rows: Number(rows), files: Number(files), bytes: Number(bytes) };
}
