import { CommitConflict, CommitStateUnknown, StrataError, Unavailable, UnreadableTable } from '../../core/errors.ts';
import { type Database, fullName, type TableId } from '../../core/tables.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { Catalog, CatalogEntry, ObjectStore, WriteOutcome } from '../../ports.ts';
import { hintKey, moveHint, readHint } from './file-hint.ts';
import { createRemembered } from './file-remembered.ts';
import {
  bytesOf,
  isNamedHere,
  newestFrom,
  newestListed,
  newestNumbered,
  readableFilesOf,
  type VersionFile,
  versionKey,
} from './file-versions.ts';

/**
 * How table metadata is written as JSON text and read back; `parse` takes what a file holds, gzipped or not, and may
 * throw any error on damaged content.
 */
export type MetadataCodec = {
  parse(content: Uint8Array | string): TableMetadata;
  render(metadata: TableMetadata): string;
};

/** One version of a table with what its metadata file holds. */
type Version = Pick<VersionFile, 'number' | 'key'> & { readonly bytes: Uint8Array };

const LAYERS = ['silver', 'gold', 'ops'] as const;

/** What a drop writes as a version of its own: it takes the next number, so no commit planned before can follow. */
const DROPPED = new TextEncoder().encode('{"dropped":true}');

/**
 * Tables as metadata files in an object store, in the layout of Iceberg's file system tables:
 * `<table>/metadata/v<N>.metadata.json`, each created exclusively, so that version N+1 has one author, and
 * `version-hint.text`, which says about which N is the newest. Readers trust the files, not the hint; who finds it wrong
 * puts it right, unless `readOnly` forbids it. Versions of other engines may be gzipped, and those of a lake that was
 * copied from buckets are named otherwise, see file-versions.ts.
 * Source: https://iceberg.apache.org/spec/#file-system-tables
 */
export function createFileCatalog(
  store: ObjectStore,
  codec: MetadataCodec,
  { readOnly = false }: { readonly readOnly?: boolean } = {},
): Catalog {
  const remembered = createRemembered();

  /** What the newest version holds; undefined when the file has gone since it was found. */
  const contentOf = async (id: TableId, file: VersionFile): Promise<TableMetadata | 'dropped' | undefined> => {
    const known = remembered.get(file);
    if (known !== undefined) return known;
    const found = await bytesOf(store, file.key);
    if (found === undefined || equal(found.bytes, DROPPED)) return found && 'dropped';
    const metadata = parseVersion(codec, store, id, { ...file, bytes: found.bytes });
    remembered.set({ key: file.key, etag: found.etag }, metadata);
    return metadata;
  };

  const load = async (id: TableId): Promise<CatalogEntry | undefined> => {
    for (;;) {
      const { newest, hint } = await newestFile(store, id);
      if (newest === undefined) return undefined;
      const metadata = await contentOf(id, newest);
      // A reader that was overtaken by a trim of old versions starts again; newer ones exist then.
      if (metadata === undefined) continue;
      if (metadata === 'dropped') return undefined;
      if (hint !== newest.number && !readOnly && isNamedHere(id, newest)) await moveHint(store, id, newest.number);
      return { metadata, metadataLocation: store.location(newest.key), version: String(newest.number) };
    }
  };

  return {
    load,

    async commit(id, base, next) {
      const { newest, hint } = await newestFile(store, id);
      const bytes = new TextEncoder().encode(codec.render(next));
      if (newest !== undefined && (await holds(store, newest, bytes))) {
        if (hint !== newest.number) await moveHint(store, id, newest.number);
        return { metadata: next, metadataLocation: store.location(newest.key), version: String(newest.number) };
      }
      const current = newest === undefined || (await isDropped(store, newest)) ? undefined : String(newest.number);
      if (current !== base?.version) throw conflict(id, current, base?.version);
      const number = (newest?.number ?? 0) + 1;
      const etag = await createVersion(store, id, number, bytes);
      const metadataLocation = store.location(versionKey(id, number));
      remembered.set({ key: versionKey(id, number), etag }, next);
      if ((await moveHint(store, id, number)) === 'passed')
        requireFollowed(id, { base, next, metadataLocation }, await load(id));
      return { metadata: next, metadataLocation, version: String(number) };
    },

    async list(database, ignore) {
      if (database !== undefined) return tablesOf(store, database, ignore);
      const found: TableId[] = [];
      for (const layer of LAYERS) {
        for (const pipeline of await store.folders(`${layer}/`)) {
          found.push(...(await tablesOf(store, { layer, pipeline })));
        }
      }
      return found;
    },

    async drop(id) {
      const { newest } = await newestFile(store, id);
      if (newest === undefined || (await isDropped(store, newest))) return;
      await createVersion(store, id, newest.number + 1, DROPPED);
      await store.remove(hintKey(id));
    },

    async tombstone(id) {
      const { newest } = await newestFile(store, id);
      return newest !== undefined && (await isDropped(store, newest)) ? newest.key : undefined;
    },
  };
}

function equal(bytes: Uint8Array, wanted: Uint8Array): boolean {
  return bytes.length === wanted.length && Buffer.compare(bytes, wanted) === 0;
}

/** Whether a file has these bytes, unread where its size says that it has not: it grows with a table's snapshots. */
async function holds(store: ObjectStore, { key, size }: VersionFile, wanted: Uint8Array): Promise<boolean> {
  if (size !== wanted.length) return false;
  const found = await bytesOf(store, key);
  return found !== undefined && equal(found.bytes, wanted);
}

function isDropped(store: ObjectStore, file: VersionFile): Promise<boolean> {
  return holds(store, file, DROPPED);
}

/** Follows the hint to the newest version; without a usable hint the files are listed. */
async function newestFile(
  store: ObjectStore,
  id: TableId,
): Promise<{ readonly newest: VersionFile | undefined; readonly hint: number | undefined }> {
  const { number: hint } = await readHint(store, id);
  const hinted = hint === undefined ? undefined : await newestFrom(store, id, hint);
  return { newest: hinted ?? (await newestListed(store, id)) ?? (await newestNumbered(store, id)), hint };
}

/**
 * The one pointer swap. A write whose answer was lost is settled by reading what stands under its name. Other engines
 * create a version under another name: who finds one there, before or after, yields. That leaves the moment in which the
 * other has looked, and has not yet written, which only it could close. Answers the etag of what it has made.
 */
async function createVersion(store: ObjectStore, id: TableId, number: number, bytes: Uint8Array): Promise<string> {
  const key = versionKey(id, number);
  const others = async (): Promise<boolean> =>
    (await readableFilesOf(store, id, number)).some((file) => file.key !== key);
  if (await others()) throw conflict(id, String(number), String(number - 1));
  const outcome = await store
    .write(key, bytes, { kind: 'absent' })
    .catch((cause: unknown) => settle(store, id, { number, key }, cause));
  // What stands there may be ours, written by an attempt whose answer was lost.
  const made = outcome.kind === 'written' ? { etag: outcome.etag, bytes } : await bytesOf(store, key);
  if (made === undefined || !equal(made.bytes, bytes)) throw conflict(id, String(number), String(number - 1));
  if (!(await others())) return made.etag;
  await store.remove(key);
  throw conflict(id, String(number), String(number - 1));
}

async function settle(
  store: ObjectStore,
  id: TableId,
  { number, key }: Pick<VersionFile, 'number' | 'key'>,
  cause: unknown,
): Promise<WriteOutcome> {
  if (!(cause instanceof Unavailable)) throw cause;
  const found = await bytesOf(store, key).catch(undefinedOnFault);
  if (found !== undefined) return { kind: 'conflict' };
  throw new CommitStateUnknown(
    `no answer to the commit of version ${number} of ${fullName(id)}; reload the table and look for the change`,
    { cause },
  );
}

/**
 * A writer that stood still between its look and its write may have made a version whose number was long past, and free
 * again because old versions are trimmed. Then no version follows it, and it is no commit. What follows it has its
 * snapshot, or its file in the log with the time of what that held.
 */
function requireFollowed(
  id: TableId,
  made: { readonly base: CatalogEntry | undefined; readonly next: TableMetadata; readonly metadataLocation: string },
  newest: CatalogEntry | undefined,
): void {
  const { base, next, metadataLocation: location } = made;
  const [at, snapshot] = [next['last-updated-ms'], next['current-snapshot-id']];
  const log = newest?.metadata['metadata-log'] ?? [];
  if (log.some((entry) => entry['metadata-file'] === location && entry['timestamp-ms'] === at)) return;
  const isNew = snapshot !== base?.metadata['current-snapshot-id'];
  if (isNew && newest?.metadata.snapshots.some((one) => one['snapshot-id'] === snapshot)) return;
  throw new CommitStateUnknown(
    `${fullName(id)} has gone on since ${location} was written, and does not follow it; reload the table and look for the change`,
  );
}

function undefinedOnFault(cause: unknown): undefined {
  if (!(cause instanceof StrataError)) throw cause;
}

async function tablesOf(
  store: ObjectStore,
  { layer, pipeline }: Database,
  ignore: (name: string) => boolean = () => false,
): Promise<readonly TableId[]> {
  const names = await store.folders(`${layer}/${pipeline}/`);
  const ids = names.filter((name) => !ignore(name)).map((name): TableId => ({ pipeline, layer, name }));
  const there = await Promise.all(
    ids.map(async (id) => {
      const { newest } = await newestFile(store, id);
      return newest !== undefined && !(await isDropped(store, newest));
    }),
  );
  return ids.filter((_, at) => there[at]);
}

function parseVersion(
  codec: MetadataCodec,
  store: ObjectStore,
  id: TableId,
  { number, key, bytes }: Version,
): TableMetadata {
  try {
    return codec.parse(bytes);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UnreadableTable(
      `cannot read version ${number} of ${fullName(id)}: ${store.location(key)}: ${reason}. ` +
        `If the file is damaged, put back a whole copy of it, or delete it to go back to version ${number - 1}`,
      { cause },
    );
  }
}

function conflict(id: TableId, current: string | undefined, base: string | undefined): CommitConflict {
  return new CommitConflict(
    `${fullName(id)} is at version ${current ?? 'none'}, but the change was planned on ${base ?? 'no table'}; ` +
      'reload it and apply the change again',
  );
}
