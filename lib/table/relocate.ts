import { createHash } from 'node:crypto';
import { CommitConflict } from '../core/errors.ts';
import type { TableId } from '../core/tables.ts';
import { applyChange } from '../iceberg/apply.ts';
import { FORMER_LOCATIONS, formerLocations, locator } from '../iceberg/locations.ts';
import { type Located, relocateManifest, relocateManifestList } from '../iceberg/relocate.ts';
import type { Snapshot, TableMetadata } from '../iceberg/types.ts';
import type { Catalog, Clock, ObjectStore } from '../ports.ts';
import { loadTable, readManifestList } from './read.ts';

export type RelocateDeps = { readonly store: ObjectStore; readonly catalog: Catalog; readonly clock: Clock };

/** What a table names that lies elsewhere by its name, and is rewritten. */
export type Relocation = {
  /** Where the table was. */
  readonly from: readonly string[];
  readonly location: string;
  readonly snapshots: number;
  readonly manifest_lists: number;
  readonly manifests: number;
};

/**
 * Rewrites what a moved table names by where it was, so that every reader finds every snapshot: manifests and manifest
 * lists under new names, then one commit of metadata that names them. Killed before that, the table is as it was, and the
 * next time finds the files that were written. Undefined for a table that names nothing elsewhere. Throws UnreadableTable
 * for delete files, CommitConflict when others commit meanwhile.
 */
export async function relocateTable(
  deps: RelocateDeps,
  id: TableId,
  { dryRun }: { readonly dryRun: boolean },
): Promise<Relocation | undefined> {
  const entry = await loadTable(deps.catalog, id);
  const from = entry === undefined ? [] : formerLocations(entry.metadata);
  if (entry === undefined || from.length === 0) return undefined;
  const { metadata } = entry;
  const rewriting = startRewriting(deps.store, metadata, dryRun);
  const snapshots: Snapshot[] = [];
  for (const snapshot of metadata.snapshots) snapshots.push(await rewriting.snapshot(snapshot));
  const { location } = metadata;
  const relocation = { from, location, snapshots: snapshots.length, ...rewriting.counts() };
  if (dryRun) return relocation;
  const forget = {
    requirements: [],
    updates: [{ action: 'remove-properties', removals: [FORMER_LOCATIONS] } as const],
  };
  const next = applyChange(forget, metadata, deps.clock.now().getTime(), entry.metadataLocation);
  await deps.catalog.commit(id, entry, { ...next, snapshots });
  return relocation;
}

type Rewriting = {
  snapshot(snapshot: Snapshot): Promise<Snapshot>;
  counts(): Pick<Relocation, 'manifest_lists' | 'manifests'>;
};

function startRewriting(store: ObjectStore, table: TableMetadata, dryRun: boolean): Rewriting {
  const locate = locator(table);
  /** By where a manifest is; snapshots share most of them. */
  const manifests = new Map<string, Located | undefined>();
  let lists = 0;
  const write = async (path: string, bytes: Uint8Array): Promise<Located> => {
    const named = nameAt(table.location, path);
    if (!dryRun) await writeOnce(store, named, bytes);
    return { path: named, length: bytes.length };
  };
  const manifest = async (path: string, length: bigint): Promise<void> => {
    if (manifests.has(path)) return;
    const bytes = relocateManifest((await store.read(store.key(path))).bytes, locate);
    manifests.set(path, bytes === undefined ? { path, length: Number(length) } : await write(path, bytes));
  };
  return {
    async snapshot(snapshot) {
      for (const { path, length } of await readManifestList(store, table, snapshot)) await manifest(path, length);
      const path = snapshot['manifest-list'];
      const bytes = relocateManifestList((await store.read(store.key(path))).bytes, (one) =>
        manifests.get(locate(one)),
      );
      if (bytes === undefined) return snapshot;
      lists += 1;
      return { ...snapshot, 'manifest-list': (await write(path, bytes)).path };
    },
    counts: () => ({
      manifest_lists: lists,
      manifests: [...manifests].filter(([path, now]) => now?.path !== path).length,
    }),
  };
}

const HASH_LENGTH = 8;

/** A name that is the same whenever the file is rewritten for this place. */
function nameAt(location: string, path: string): string {
  const place = createHash('sha256').update(location).digest('hex').slice(0, HASH_LENGTH);
  return path.replace(/(-at-[0-9a-f]{8})?\.avro$/, `-at-${place}.avro`);
}

/** Equal rows give equal bytes, so that what a killed rewriting has left is found to be right. */
async function writeOnce(store: ObjectStore, location: string, bytes: Uint8Array): Promise<void> {
  const key = store.key(location);
  if ((await store.write(key, bytes, { kind: 'absent' })).kind === 'written') return;
  if (Buffer.compare((await store.read(key)).bytes, bytes) === 0) return;
  throw new CommitConflict(`${location} is there with other content; remove it if no table names it, and try again`);
}
