import {
  CommitConflict,
  CommitStateUnknown,
  ObjectNotFound,
  StrataError,
  Unavailable,
  UnreadableTable,
} from '../../core/errors.ts';
import { fullName, type TableId, tablePrefix } from '../../core/tables.ts';
import type { TableMetadata } from '../../iceberg/types.ts';
import type { Catalog, CatalogEntry, ObjectStore, WriteOutcome } from '../../ports.ts';

/** How table metadata is written as JSON text and read back; `parse` may throw any error on damaged text. */
export type MetadataCodec = {
  parse(text: string): TableMetadata;
  render(metadata: TableMetadata): string;
};

/** One version of a table: its number and what its metadata file holds. */
type Version = { readonly number: number; readonly text: string };

const LAYERS = ['silver', 'gold', 'ops'] as const;

/** What a drop writes as a version of its own: it takes the next number, so no commit planned before can follow. */
const DROPPED = '{"dropped":true}';

/**
 * Tables as metadata files in an object store, in the layout of Iceberg's file system tables:
 * `<table>/metadata/v<N>.metadata.json`, each created exclusively, so that version N+1 has one author, and
 * `version-hint.text`, which says about which N is the newest. Readers trust the files, not the hint.
 * Source: https://iceberg.apache.org/spec/#file-system-tables
 */
export function createFileCatalog(store: ObjectStore, codec: MetadataCodec): Catalog {
  const entryOf = (id: TableId, { number, text }: Version): CatalogEntry => ({
    metadata: parseVersion(codec, store, id, { number, text }),
    metadataLocation: store.location(versionKey(id, number)),
    version: String(number),
  });

  return {
    async load(id) {
      const newest = await newestVersion(store, id);
      return newest === undefined || newest.text === DROPPED ? undefined : entryOf(id, newest);
    },

    async commit(id, base, next) {
      const newest = await newestVersion(store, id);
      const text = codec.render(next);
      if (newest?.text === text) return { ...entryOf(id, newest), metadata: next };
      const current = newest === undefined || newest.text === DROPPED ? undefined : String(newest.number);
      if (current !== base?.version) throw conflict(id, current, base?.version);
      const number = (newest?.number ?? 0) + 1;
      await createVersion(store, id, { number, text });
      await moveHint(store, id, number);
      return { metadata: next, metadataLocation: store.location(versionKey(id, number)), version: String(number) };
    },

    async list() {
      const found: TableId[] = [];
      for (const layer of LAYERS) {
        for (const pipeline of await store.folders(`${layer}/`)) {
          found.push(...(await tablesOf(store, layer, pipeline)));
        }
      }
      return found;
    },

    async drop(id) {
      const newest = await newestVersion(store, id);
      if (newest === undefined || newest.text === DROPPED) return;
      await createVersion(store, id, { number: newest.number + 1, text: DROPPED });
      await store.remove(hintKey(id));
    },
  };
}

function versionKey(id: TableId, number: number): string {
  return `${tablePrefix(id)}/metadata/v${number}.metadata.json`;
}

function hintKey(id: TableId): string {
  return `${tablePrefix(id)}/metadata/version-hint.text`;
}

/** Follows the hint to the newest version; without a usable hint the files are listed. */
async function newestVersion(store: ObjectStore, id: TableId): Promise<Version | undefined> {
  const hinted = await probeForward(store, id, await readHint(store, id));
  const number = hinted ?? (await greatestListed(store, id));
  if (number === undefined) return undefined;
  const text = await readText(store, versionKey(id, number));
  // A reader that was overtaken by a trim of old versions starts again; newer ones exist then.
  return text === undefined ? newestVersion(store, id) : { number, text };
}

async function readHint(store: ObjectStore, id: TableId): Promise<number | undefined> {
  const text = await readText(store, hintKey(id));
  return text !== undefined && /^[1-9]\d{0,14}\s*$/.test(text) ? Number(text) : undefined;
}

async function probeForward(store: ObjectStore, id: TableId, hint: number | undefined): Promise<number | undefined> {
  if (hint === undefined || (await store.head(versionKey(id, hint))) === undefined) return undefined;
  let number = hint;
  while ((await store.head(versionKey(id, number + 1))) !== undefined) number += 1;
  return number;
}

async function greatestListed(store: ObjectStore, id: TableId): Promise<number | undefined> {
  const prefix = `${tablePrefix(id)}/metadata/v`;
  let greatest: number | undefined;
  for await (const { key } of store.list(prefix)) {
    const digits = /^([1-9]\d{0,14})\.metadata\.json$/.exec(key.slice(prefix.length))?.[1];
    if (digits !== undefined && (greatest === undefined || Number(digits) > greatest)) greatest = Number(digits);
  }
  return greatest;
}

async function readText(store: ObjectStore, key: string): Promise<string | undefined> {
  try {
    return new TextDecoder().decode((await store.read(key)).bytes);
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return undefined;
    throw cause;
  }
}

/** The one pointer swap. A write whose answer was lost is settled by reading what stands under its name. */
async function createVersion(store: ObjectStore, id: TableId, { number, text }: Version): Promise<void> {
  const key = versionKey(id, number);
  const outcome = await store
    .write(key, new TextEncoder().encode(text), { kind: 'absent' })
    .catch((cause: unknown) => settle(store, id, { number, text }, cause));
  if (outcome.kind === 'conflict' && (await readText(store, key)) !== text) {
    throw conflict(id, String(number), String(number - 1));
  }
}

async function settle(store: ObjectStore, id: TableId, version: Version, cause: unknown): Promise<WriteOutcome> {
  if (!(cause instanceof Unavailable)) throw cause;
  const found = await readText(store, versionKey(id, version.number)).catch(undefinedOnFault);
  if (found !== undefined) return { kind: 'conflict' };
  throw new CommitStateUnknown(
    `no answer to the commit of version ${version.number} of ${fullName(id)}; reload the table and look for the change`,
    { cause },
  );
}

/** The commit stands whether or not the hint follows, so a passing fault here is not the caller's concern. */
async function moveHint(store: ObjectStore, id: TableId, number: number): Promise<void> {
  const hint = new TextEncoder().encode(String(number));
  await store.write(hintKey(id), hint, { kind: 'any' }).catch(undefinedOnFault);
}

function undefinedOnFault(cause: unknown): undefined {
  if (!(cause instanceof StrataError)) throw cause;
}

async function tablesOf(store: ObjectStore, layer: TableId['layer'], pipeline: string): Promise<readonly TableId[]> {
  const names = await store.folders(`${layer}/${pipeline}/`);
  const ids = names.map((name): TableId => ({ pipeline, layer, name }));
  const newest = await Promise.all(ids.map((id) => newestVersion(store, id)));
  return ids.filter((_, at) => newest[at] !== undefined && newest[at].text !== DROPPED);
}

function parseVersion(codec: MetadataCodec, store: ObjectStore, id: TableId, { number, text }: Version): TableMetadata {
  try {
    return codec.parse(text);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new UnreadableTable(
      `cannot read version ${number} of ${fullName(id)}: ${store.location(versionKey(id, number))}: ${reason}. ` +
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
