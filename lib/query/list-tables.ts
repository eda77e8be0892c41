import { fullName } from '../core/tables.ts';
import { currentSnapshot } from '../iceberg/snapshot.ts';
import type { Snapshot, TableMetadata } from '../iceberg/types.ts';
import { loadTable, planFiles } from '../table/read.ts';
import type { QueryDeps } from './deps.ts';

/** A table as `strata tables` lists it. */
export type TableSummary = {
  readonly name: string;
  readonly rows: number;
  readonly files: number;
  /** Bytes of the current snapshot's data files. */
  readonly bytes: number;
  readonly snapshots: number;
  readonly metadata_location: string;
};

/** Every table of the lake by name, the books of each pipeline (`<pipeline>_ops`) among them. */
export async function listTables(deps: QueryDeps): Promise<readonly TableSummary[]> {
  const summaries: TableSummary[] = [];
  for (const id of [...(await deps.catalog.list())].sort((a, b) => compareText(fullName(a), fullName(b)))) {
    const entry = await loadTable(deps.catalog, id);
    if (entry === undefined) continue;
    summaries.push({
      name: fullName(id),
      ...(await sizeOf(deps, entry.metadata)),
      snapshots: entry.metadata.snapshots.length,
      metadata_location: entry.metadataLocation,
    });
  }
  return summaries;
}

export type TableSize = { readonly rows: number; readonly files: number; readonly bytes: number };

/** From the current snapshot's summary, or from its manifests where another writer kept no totals. */
export async function sizeOf(deps: Pick<QueryDeps, 'store'>, metadata: TableMetadata): Promise<TableSize> {
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

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
