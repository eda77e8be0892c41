import { currentSpec, specById } from '../iceberg/partition.ts';
import { snapshotById } from '../iceberg/snapshot.ts';
import type { PartitionSpec, TableMetadata } from '../iceberg/types.ts';
import type { ObjectStore } from '../ports.ts';
import { hasLiveFiles, readManifestList } from './read.ts';

/** A table at one of its snapshots. */
export type Former = { readonly metadata: TableMetadata; readonly snapshotId: bigint };

/**
 * The partition specs of tables at their snapshots, in their order, as far as files tell: the table's own where files have it, else
 * that of the latest files. A table without files is partitioned as the other ones are, since the tables belong together; undefined
 * where none has files.
 */
export async function formerSpecs(
  store: ObjectStore,
  tables: readonly Former[],
): Promise<readonly (PartitionSpec | undefined)[]> {
  const own: (PartitionSpec | undefined)[] = [];
  for (const table of tables) own.push(await formerSpec(store, table));
  const known = own.find((spec) => spec !== undefined);
  return tables.map(({ metadata }, i) => own[i] ?? (known && sameSpec(metadata, known)));
}

async function formerSpec(store: ObjectStore, { metadata, snapshotId }: Former): Promise<PartitionSpec | undefined> {
  const snapshot = snapshotById(metadata, snapshotId);
  if (snapshot === undefined) return undefined;
  const manifests = (await readManifestList(store, metadata, snapshot)).filter(hasLiveFiles);
  const data = manifests.filter(({ content }) => content === 'data');
  const current = currentSpec(metadata);
  if (data.some(({ specId }) => specId === current['spec-id'])) return current;
  const [latest] = data.toSorted((a, b) => Number(b.sequenceNumber - a.sequenceNumber));
  return latest && specById(metadata, latest.specId);
}

/** The spec of a table that says what the spec of another says. */
function sameSpec(metadata: TableMetadata, { fields }: PartitionSpec): PartitionSpec | undefined {
  const text = (of: PartitionSpec['fields']): string => JSON.stringify(of.map((one) => [one.name, one.transform]));
  return metadata['partition-specs'].find((one) => text(one.fields) === text(fields));
}
