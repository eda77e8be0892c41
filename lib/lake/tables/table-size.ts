import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../../iceberg/types.ts';
import type { Engine, ObjectStore, SessionOptions } from '../../ports.ts';
import { planFiles, type ScannedFile } from '../../table/read.ts';
import { countDeletedRows } from './deleted-rows.ts';

export type TableSize = { readonly rows: number; readonly files: number; readonly bytes: number };

type StoreDeps = { readonly store: ObjectStore };

export type SizeDeps = StoreDeps & { readonly engine: Engine; readonly settings: SessionOptions };

/**
 * From the current snapshot's summary, or from its manifests where another writer kept no totals. Rows that are deleted by
 * position are looked up: a summary counts deletes of rows that are gone for long as well.
 */
export async function sizeOf(deps: SizeDeps, metadata: TableMetadata): Promise<TableSize> {
  const kept = sizeInSummary(metadata);
  if (kept?.deletes === 0) return kept.size;
  return sizeOfFiles(deps, metadata, (files) => countDeletedRows(deps, metadata, files));
}

/** The same without an engine: each delete counts for a row. */
export async function estimateSize(deps: StoreDeps, metadata: TableMetadata): Promise<TableSize> {
  const kept = sizeInSummary(metadata);
  if (kept !== undefined) return { ...kept.size, rows: Math.max(0, kept.size.rows - kept.deletes) };
  return sizeOfFiles(deps, metadata, async (files) => {
    const deletes = new Map(files.flatMap((file) => file.deletes).map((one) => [one.path, Number(one.rows)]));
    return [...deletes.values()].reduce((sum, rows) => sum + rows, 0);
  });
}

async function sizeOfFiles(
  { store }: StoreDeps,
  metadata: TableMetadata,
  countDeleted: (files: readonly ScannedFile[]) => Promise<number>,
): Promise<TableSize> {
  const files = await planFiles(store, metadata);
  const sum = (of: (file: ScannedFile) => bigint): number =>
    Number(files.reduce((total, file) => total + of(file), 0n));
  const rows = Math.max(0, sum((file) => file.rows) - (await countDeleted(files)));
  return { rows, files: files.length, bytes: sum((file) => file.bytes) };
}

const NOTHING = { size: { rows: 0, files: 0, bytes: 0 }, deletes: 0 };

/** By the summary of one snapshot, of the current one where that is forgotten; nothing where neither says. */
export function sizeAt(metadata: TableMetadata, snapshotId: string | null): TableSize {
  if (snapshotId === null) return NOTHING.size;
  const wanted =
    metadata.snapshots.find((one) => String(one['snapshot-id']) === snapshotId) ?? currentSnapshot(metadata);
  return (wanted === undefined ? undefined : totalsOf(wanted))?.size ?? NOTHING.size;
}

type Totals = { readonly size: TableSize; readonly deletes: number };

function sizeInSummary(metadata: TableMetadata): Totals | undefined {
  const snapshot: Snapshot | undefined = currentSnapshot(metadata);
  return snapshot === undefined ? NOTHING : totalsOf(snapshot);
}

function totalsOf(snapshot: Snapshot): Totals | undefined {
  const totals = ['total-records', 'total-data-files', 'total-files-size', 'total-position-deletes'];
  const [rows, files, bytes, deletes] = totals.map((key) => snapshot.summary[key]);
  if (rows === undefined || files === undefined || bytes === undefined || deletes === undefined) return undefined;
  return { size: { rows: Number(rows), files: Number(files), bytes: Number(bytes) }, deletes: Number(deletes) };
}
