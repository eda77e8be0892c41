import { fullName } from '../core/tables.ts';
import type { TableMetadata } from '../iceberg/types.ts';
import { isBehind, readServed, type ServedRecord } from '../lake/serve/served.ts';
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
  /** Where it is served outside the lake; left out: nowhere. */
  readonly served?: readonly ServedPlace[];
};

/** A table that has the rows of one of the lake's, as they are, or as they were: `why`, as far as that is known. */
export type ServedPlace = { readonly to: string; readonly behind: boolean; readonly why: string | null };

/** Every table of the lake by name, the books of each pipeline (`<pipeline>_ops`) among them. */
export async function listTables(deps: QueryDeps): Promise<readonly TableSummary[]> {
  const summaries: TableSummary[] = [];
  const known = new Map<string, Promise<ServedRecord | undefined>>();
  for (const id of [...(await deps.catalog.list())].sort((a, b) => compareText(fullName(a), fullName(b)))) {
    const entry = await loadTable(deps.catalog, id);
    if (entry === undefined) continue;
    const record = known.get(id.pipeline) ?? readServed(deps.store, id.pipeline);
    known.set(id.pipeline, record);
    summaries.push({
      name: fullName(id),
      ...(await sizeOf(deps, entry.metadata)),
      snapshots: entry.metadata.snapshots.length,
      metadata_location: entry.metadataLocation,
      ...placesOf(await record, `${id.layer}.${id.name}`, entry.metadata),
    });
  }
  return summaries;
}

function placesOf(
  record: ServedRecord | undefined,
  model: string,
  metadata: TableMetadata,
): Pick<TableSummary, 'served'> {
  const found = record?.tables.filter(({ from }) => from === model) ?? [];
  if (found.length === 0) return {};
  const served = found.map((state) => {
    const behind = isBehind(state, metadata);
    return { to: state.to, behind, why: behind ? (record?.error?.message ?? null) : null };
  });
  return { served };
}

function compareText(a: string, b: string): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}
