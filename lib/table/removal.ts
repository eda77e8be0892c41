import { mapConcurrent } from '../core/concurrency.ts';
import { CommitConflict, InvalidInput } from '../core/errors.ts';
import { currentSpec, resolveSpec, specById } from '../iceberg/partition.ts';
import { parsePartitionPath, partitionPath } from '../iceberg/partition-path.ts';
import { mayMatch } from '../iceberg/predicate.ts';
import { summaryRange } from '../iceberg/scan.ts';
import { currentSchema } from '../iceberg/schema.ts';
import type { DataFile, IcebergValue, ManifestEntry, ManifestFile, TableMetadata } from '../iceberg/types.ts';
import type { ObjectStore } from '../ports.ts';
import { isLive, readManifest } from './read.ts';

/** What a snapshot takes out of the table. Tuples are of the table's current partition spec. */
export type Removal =
  | { readonly kind: 'nothing' }
  | { readonly kind: 'all' }
  | { readonly kind: 'partitions'; readonly tuples: readonly (readonly IcebergValue[])[] }
  /** `deletes`: delete files that go beside them. */
  | { readonly kind: 'files'; readonly files: readonly DataFile[]; readonly deletes?: readonly DataFile[] };

/** A partition as text, the same for the same partition of the same spec. */
export function partitionKey(table: TableMetadata, specId: number, tuple: readonly IcebergValue[]): string {
  return `${specId} ${partitionPath(specById(table, specId), currentSchema(table), tuple)}`;
}

/** The tuple of such a key. Throws CommitConflict when the table is partitioned otherwise by now. */
export function tupleOfKey(table: TableMetadata, key: string): readonly IcebergValue[] {
  const [specId = '', path = ''] = key.split(' ');
  const spec = currentSpec(table);
  if (Number(specId) !== spec['spec-id']) {
    throw new CommitConflict(`${table.location} is partitioned by spec ${spec['spec-id']} now, no longer by ${specId}`);
  }
  return parsePartitionPath(spec, currentSchema(table), path);
}

/** A manifest that holds removed files, split into what stays and what goes. */
export type SplitManifest = {
  readonly manifest: ManifestFile;
  readonly kept: readonly ManifestEntry[];
  readonly removed: readonly ManifestEntry[];
};

/**
 * Reads the manifests that can hold removed files and splits those that do. Throws CommitConflict when a file to
 * remove is not in the table, InvalidInput when partitions are to be removed and the table still has files of an
 * earlier partition spec, whose rows could belong to any of them.
 */
export async function splitManifests(
  store: ObjectStore,
  table: TableMetadata,
  manifests: readonly ManifestFile[],
  removal: Removal,
): Promise<readonly SplitManifest[]> {
  const selection = selectionOf(table, removal);
  if (selection === undefined) return [];
  const candidates = manifests.filter(selection.manifestMayHold);
  const split = await mapConcurrent(candidates, async (manifest) => {
    const live = (await readManifest(store, table, manifest)).filter(isLive);
    const { removed = [], kept = [] } = Object.groupBy(live, ({ file }) =>
      selection.holds(file) ? 'removed' : 'kept',
    );
    return { manifest, kept, removed };
  });
  const touched = split.filter(({ removed }) => removed.length > 0);
  if (removal.kind === 'files') assertAllFound(removal.files, touched);
  return touched;
}

type Selection = { manifestMayHold(manifest: ManifestFile): boolean; holds(file: DataFile): boolean };

export function selectionOf(table: TableMetadata, removal: Removal): Selection | undefined {
  switch (removal.kind) {
    case 'nothing':
      return undefined;
    case 'all':
      return { manifestMayHold: () => true, holds: () => true };
    case 'partitions':
      return partitionSelection(table, removal.tuples);
    case 'files': {
      const paths = new Set(removal.files.map((file) => file.path));
      const partitions = distinctPartitions(table, removal.files);
      return {
        manifestMayHold: (manifest) =>
          partitions.some((one) => one.specId === manifest.specId && mayHoldTuple(table, manifest, one.partition)),
        holds: (file) => paths.has(file.path),
      };
    }
  }
}

function partitionSelection(table: TableMetadata, tuples: readonly (readonly IcebergValue[])[]): Selection {
  const specId = currentSpec(table)['spec-id'];
  const keys = new Set(tuples.map((tuple) => partitionKey(table, specId, tuple)));
  return {
    manifestMayHold: (manifest) => {
      if (manifest.specId !== specId) {
        throw new InvalidInput(
          `cannot replace partitions of ${table.location}: got files of partition spec ${manifest.specId}; ` +
            `expected only spec ${specId}. Make the table anew: strata backfill`,
        );
      }
      return tuples.some((tuple) => mayHoldTuple(table, manifest, tuple));
    },
    holds: (file) => keys.has(partitionKey(table, file.specId, file.partition)),
  };
}

function distinctPartitions(table: TableMetadata, files: readonly DataFile[]): readonly DataFile[] {
  return [...new Map(files.map((file) => [partitionKey(table, file.specId, file.partition), file])).values()];
}

function mayHoldTuple(table: TableMetadata, manifest: ManifestFile, tuple: readonly IcebergValue[]): boolean {
  const fields = resolveSpec(specById(table, manifest.specId), currentSchema(table), ...table.schemas);
  return fields.every(({ type }, at) => {
    const summary = manifest.partitions[at];
    const value = tuple[at] ?? null;
    if (summary === undefined) return true;
    return mayMatch(value === null ? { op: 'isNull' } : { op: '=', value }, summaryRange(type, summary));
  });
}

function assertAllFound(files: readonly DataFile[], split: readonly SplitManifest[]): void {
  const found = new Set(split.flatMap(({ removed }) => removed.map((entry) => entry.file.path)));
  const gone = files.find((file) => !found.has(file.path));
  if (gone !== undefined) {
    throw new CommitConflict(`the table changed since the change was planned: ${gone.path} is no longer in it`);
  }
}
