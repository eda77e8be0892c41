import { fullName } from '../core/tables.ts';
import { sizeOf } from '../lake/tables/table-size.ts';
import { loadTable } from '../table/read.ts';
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

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
