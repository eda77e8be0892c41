import { type GoldModel, modelId, type PipelineSpec } from '../../core/spec.ts';
import type { Column } from '../../core/types.ts';
import { currentSnapshot } from '../../iceberg/snapshot.ts';
import type { DataFile, TableMetadata } from '../../iceberg/types.ts';
import type { SizedFile, SizedTable } from '../../plan/ladder/choose-rung.ts';
import type { ObjectStore } from '../../ports.ts';
import { planFiles } from '../../table/read.ts';
import { neededColumns } from '../tables/needed-files.ts';
import { predicatesOf, type ReadNeeds } from '../tables/read-needs.ts';
import { boundColumns, columnsOfRef, viewName } from '../tables/table-state.ts';

export type States = ReadonlyMap<string, TableMetadata | undefined>;

/** Bytes of all files of the tables that a model reads, as their snapshots tell them. */
export function bytesOfReads({ reads }: Pick<GoldModel, 'reads'>, states: States): number {
  return reads.reduce((sum, ref) => {
    const metadata = states.get(modelId(ref));
    const summary = metadata && currentSnapshot(metadata)?.summary;
    return sum + Number(summary?.['total-files-size'] ?? 0);
  }, 0);
}

/** What of each table a model reads, by the manifests. */
export async function sizeTables(
  store: ObjectStore,
  spec: PipelineSpec,
  { reads }: GoldModel,
  { states, needs, also }: { states: States; needs: ReadNeeds; also: Readonly<Record<string, readonly Column[]>> },
): Promise<readonly SizedTable[]> {
  const tables: SizedTable[] = [];
  for (const ref of reads) {
    const id = modelId(ref);
    const metadata = states.get(id);
    const wanted = needs(viewName(ref));
    const alternatives = wanted && metadata && wanted.alternatives.map((one) => predicatesOf(metadata, one));
    const found = metadata === undefined ? [] : await planFiles(store, metadata, alternatives ? { alternatives } : {});
    const columns = boundColumns(metadata, [...columnsOfRef(spec, ref), ...(also[id] ?? [])]);
    const needed = neededColumns(columns, wanted).columns;
    const files = found.map((file) => sizeFile(store, file, needed));
    tables.push({ id, files, bytes: files.reduce((sum, { bytes }) => sum + bytes, 0) });
  }
  return tables;
}

/** Of a file that says nothing of its columns, all of it. */
function sizeFile(store: ObjectStore, file: DataFile, columns: ReadonlySet<number>): SizedFile {
  const sizes = [...columns].map((id) => file.columnSizes.get(id));
  const known = sizes.every((size) => size !== undefined) && sizes.length > 0;
  const bytes = known ? sizes.reduce((sum, size) => sum + Number(size), 0) : Number(file.bytes);
  return { key: store.key(file.path), bytes, rows: Number(file.rows) };
}
