import { CommitConflict } from '../core/errors.ts';
import { encodeManifest } from '../iceberg/manifest.ts';
import { encodeManifestList, manifestFileOf } from '../iceberg/manifest-list.ts';
import { resolveSpec, specById } from '../iceberg/partition.ts';
import { currentSchema } from '../iceberg/schema.ts';
import type { ManifestEntry, ManifestFile, TableMetadata } from '../iceberg/types.ts';
import type { ObjectStore } from '../ports.ts';

/** The snapshot that files are staged for. `unique` is new for each attempt: no two attempts share a file name. */
export type Staging = {
  readonly store: ObjectStore;
  /** The table with the schema and spec that the snapshot will have. */
  readonly table: TableMetadata;
  readonly snapshotId: bigint;
  readonly sequenceNumber: bigint;
  readonly unique: string;
};

export type ManifestWriter = {
  /** Writes the entries of one spec, split when they are many. Writes nothing for none. */
  write(
    specId: number,
    entries: readonly ManifestEntry[],
    content?: ManifestFile['content'],
  ): Promise<readonly ManifestFile[]>;
};

/** Some 8 MB, Iceberg's target for a manifest. */
const ENTRIES_PER_MANIFEST = 20_000;

/** Writes manifests to `<location>/metadata/<snapshot id>-<unique>-m<N>.avro`. */
export function createManifestWriter(staging: Staging): ManifestWriter {
  let count = 0;
  const nextPath = (): string => {
    count += 1;
    return `${staging.table.location}/metadata/${staging.snapshotId}-${staging.unique}-m${count - 1}.avro`;
  };
  return {
    async write(specId, entries, content = 'data') {
      const manifests: ManifestFile[] = [];
      for (let at = 0; at < entries.length; at += ENTRIES_PER_MANIFEST) {
        const part = entries.slice(at, at + ENTRIES_PER_MANIFEST);
        manifests.push(await writeManifest(staging, nextPath(), { specId, content }, part));
      }
      return manifests;
    },
  };
}

async function writeManifest(
  staging: Staging,
  path: string,
  { specId, content }: Pick<ManifestFile, 'specId' | 'content'>,
  entries: readonly ManifestEntry[],
): Promise<ManifestFile> {
  const { store, table, snapshotId, sequenceNumber } = staging;
  const spec = specById(table, specId);
  const schema = currentSchema(table);
  const bytes = encodeManifest({ entries, schema, spec, content });
  await writeOnce(store, path, bytes);
  const fields = resolveSpec(spec, schema);
  return manifestFileOf({ path, length: bytes.length, specId, content, fields, entries, snapshotId, sequenceNumber });
}

/** Writes the manifest list and returns its location. `attempt` counts from 1. */
export async function writeManifestList(
  staging: Staging,
  attempt: number,
  manifests: readonly ManifestFile[],
): Promise<string> {
  const { store, table, snapshotId, sequenceNumber, unique } = staging;
  const path = `${table.location}/metadata/snap-${snapshotId}-${attempt}-${unique}.avro`;
  const parentId = table['current-snapshot-id'] ?? null;
  await writeOnce(store, path, encodeManifestList({ manifests, snapshotId, parentId, sequenceNumber }));
  return path;
}

/** A second writer of one name is another attempt with the same ids: overwriting could change a published snapshot. */
async function writeOnce(store: ObjectStore, location: string, bytes: Uint8Array): Promise<void> {
  const outcome = await store.write(store.key(location), bytes, { kind: 'absent' });
  if (outcome.kind === 'conflict')
    throw new CommitConflict(`another attempt wrote ${location}: stage again with a new unique name`);
}
