import { InvalidInput, ObjectNotFound, Unavailable, UnreadableTable } from '../../core/errors.ts';
import { fullName, type TableId, tablePrefix } from '../../core/tables.ts';
import type { ObjectInfo, ObjectStore } from '../../ports.ts';

/** One version of a table: its number and the metadata file that holds it. */
export type VersionFile = { readonly number: number } & Pick<ObjectInfo, 'key' | 'size' | 'etag'>;

/** Undefined codec: it can be read. */
type Named = VersionFile & { readonly codec: string | undefined };

/** A suffix behind `.json` that says how a file is compressed; others are not of this table's history, such as `.bak`. */
const COMPRESSED = /^(gz|gzip|zst|zstd|lz4|snappy|sz|bz2|xz|lzo|br|zlib|deflate)$/;

/** What the name of a version ends in where it can be read, in the order of keys. */
const READABLE = ['.gz.metadata.json', '.metadata.json', '.metadata.json.gz'];

/** The same of versions that are compressed as no release of Iceberg has done it yet, but one might. */
const REFUSED = ['zst', 'zstd', 'lz4', 'snappy']
  .flatMap((codec) => [`.${codec}.metadata.json`, `.metadata.json.${codec}`])
  .concat('.gz.metadata.json.gz');

export function metadataFolder(id: TableId): string {
  return `${tablePrefix(id)}/metadata/`;
}

/** The name under which a version is committed here: not compressed, so that every engine reads it. */
export function versionKey(id: TableId, number: number): string {
  return `${metadataFolder(id)}v${number}.metadata.json`;
}

/**
 * The files that hold a version of a table, under every name that the file system catalog of Iceberg gives: plain,
 * `v<N>.gz.metadata.json` and, of earlier releases of it, `v<N>.metadata.json.gz`. Throws InvalidInput for one that is
 * compressed otherwise: it holds a version that cannot be read, and must not be committed over. Each name is looked at by
 * itself, since to list a folder takes the longer the more commits it has seen.
 * Source: HadoopTableOperations and TableMetadataParser.Codec of https://github.com/apache/iceberg
 */
async function filesOf(store: ObjectStore, id: TableId, number: number): Promise<readonly VersionFile[]> {
  const files = await namedFiles(store, id, number, [...READABLE, ...REFUSED]);
  return files.map((file) => readable(id, file));
}

/** Those of them that can be read. */
export async function readableFilesOf(
  store: ObjectStore,
  id: TableId,
  number: number,
): Promise<readonly VersionFile[]> {
  return namedFiles(store, id, number, READABLE);
}

async function namedFiles(
  store: ObjectStore,
  id: TableId,
  number: number,
  endings: readonly string[],
): Promise<readonly Named[]> {
  const keys = endings.map((ending) => `${metadataFolder(id)}v${number}${ending}`);
  const found = await Promise.all(keys.map((key) => store.head(key)));
  return found.flatMap((info) => (info === undefined ? [] : (parseName(id, info) ?? [])));
}

/** The newest version at or after one that is there; undefined when it is not. */
export async function newestFrom(store: ObjectStore, id: TableId, number: number): Promise<VersionFile | undefined> {
  // Where none can be read here, all are listed.
  let found = await readableFilesOf(store, id, number);
  if (found.length === 0) return undefined;
  for (let next = number + 1; ; next += 1) {
    const after = await filesOf(store, id, next);
    if (after.length === 0) return onlyOne(id, found);
    found = after;
  }
}

/**
 * The newest version of a table whose lake was copied from buckets: there the Glue Data Catalog says which metadata file
 * counts, and each is named `<number>-<uuid>.metadata.json`. The next version committed here has the number after it, and
 * a name of this catalog. Throws UnreadableTable where two files have the highest number, since a commit that was lost may
 * have left one.
 */
export async function newestNumbered(store: ObjectStore, id: TableId): Promise<VersionFile | undefined> {
  let newest: VersionFile[] = [];
  for await (const { key, size, etag } of store.list(metadataFolder(id))) {
    const digits = /^(\d{5,14})-[^/]+\.metadata\.json$/.exec(key.slice(metadataFolder(id).length))?.[1];
    if (digits === undefined || Number(digits) < (newest[0]?.number ?? 0)) continue;
    const file = { number: Number(digits), key, size, etag };
    newest = file.number === newest[0]?.number ? [...newest, file] : [file];
  }
  if (newest.length < 2) return newest[0];
  throw new UnreadableTable(
    `${fullName(id)} has several files of one number: ${newest.map(({ key }) => key).join(' and ')}; expected one, the one ` +
      'to which the catalog pointed where the lake was copied from (metadata_location of the table there). Remove the others',
  );
}

/** Whether a version has a name of this catalog. */
export function isNamedHere(id: TableId, { key }: VersionFile): boolean {
  return numberIn(id, key) !== undefined;
}

/** The newest version of all that are listed. */
export async function newestListed(store: ObjectStore, id: TableId): Promise<VersionFile | undefined> {
  let newest: Named[] = [];
  for await (const info of store.list(`${metadataFolder(id)}v`)) {
    const file = parseName(id, info);
    if (file === undefined || file.number < (newest[0]?.number ?? 0)) continue;
    newest = file.number === newest[0]?.number ? [...newest, file] : [file];
  }
  return onlyOne(
    id,
    newest.map((file) => readable(id, file)),
  );
}

function parseName(id: TableId, { key, size, etag }: ObjectInfo): Named | undefined {
  const found = numberIn(id, key);
  return found === undefined ? undefined : { ...found, key, size, etag };
}

function numberIn(id: TableId, key: string): Pick<Named, 'number' | 'codec'> | undefined {
  const name = key.slice(metadataFolder(id).length);
  const [, digits, codec, suffix] = /^v([1-9]\d{0,14})(?:\.([^./]+))?\.metadata\.json(?:\.([^./]+))?$/.exec(name) ?? [];
  if (digits === undefined || (suffix !== undefined && !COMPRESSED.test(suffix))) return undefined;
  const codecs = [codec, suffix].filter((name) => name !== undefined).join(' in ');
  return { number: Number(digits), codec: codecs === '' || codecs === 'gz' ? undefined : codecs };
}

function readable(id: TableId, { number, key, size, etag, codec }: Named): VersionFile {
  if (codec === undefined) return { number, key, size, etag };
  throw new InvalidInput(
    `version ${number} of ${fullName(id)} is in ${key}: got metadata compressed as ${codec}; expected none or gz. ` +
      'Let the engine that wrote it set write.metadata.compression-codec to none or gzip and commit again',
  );
}

/** Two engines commit one version under two names at the same moment only; the one that is ours yields at once. */
function onlyOne(id: TableId, files: readonly VersionFile[]): VersionFile | undefined {
  if (files.length < 2) return files[0];
  throw new Unavailable(
    `version ${files[0]?.number} of ${fullName(id)} is there twice: ${files.map((file) => file.key).join(' and ')}. ` +
      'Two engines have committed at the same moment, each without the rows of the other; if this stays, keep one of the ' +
      'files, remove the other, and repeat what that one had committed',
  );
}

/** The bytes of an object; undefined when there is none. */
export async function bytesOf(
  store: ObjectStore,
  key: string,
): Promise<{ readonly bytes: Uint8Array; readonly etag: string } | undefined> {
  try {
    return await store.read(key);
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return undefined;
    throw cause;
  }
}
