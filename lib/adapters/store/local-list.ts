import { isUtf8 } from 'node:buffer';
import type { BigIntStats, Dirent } from 'node:fs';
import { opendir, readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrent } from '../../core/concurrency.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { SkippedName } from '../../core/objects.ts';
import type { ListOptions, ObjectInfo } from '../../ports.ts';
import { MOST_HELD, shardOf } from './etag-index.ts';
import { compareKeys, RESERVED_NAME } from './keys.ts';
import { isBronze, type LocalEtags, unreadableReason } from './local-etags.ts';
import { isMissing } from './local-faults.ts';
import { fileStats, writeEtag } from './local-stats.ts';

const STATS_AT_ONCE = 64;
const NAMES_AT_ONCE = 1_024;

/** `undefined` when the file has gone since. Throws as `LocalEtags.find` does. */
export async function describeFile(
  etags: LocalEtags,
  key: string,
  file: { readonly path: string; readonly stats: BigIntStats },
): Promise<ObjectInfo | undefined> {
  if (!isBronze(key)) return knownInfo(etags, key, file.stats);
  const found = await etags.find(key, file.path, file.stats);
  return found && { ...plainInfo(key, found.stats), etag: found.etag, former: writeEtag(found.stats) };
}

function plainInfo(key: string, stats: BigIntStats): Pick<ObjectInfo, 'key' | 'size' | 'modified'> {
  return { key, size: Number(stats.size), modified: Number(stats.mtimeMs) };
}

type Listing = { readonly root: string; readonly etags: LocalEtags } & Required<ListOptions> & {
    /** Hears of a name that hides a file, or a folder of them. */
    readonly hidden: Required<ListOptions>['skipped'];
  };

/**
 * The objects under `root` whose keys start with `prefix`, in key order. Folders are walked into and are no objects
 * themselves, symbolic links are followed unless they lead back to a folder being walked. What cannot be read, and what
 * is no file, is skipped by name.
 */
export async function* listFiles(
  { root, etags }: { readonly root: string; readonly etags: LocalEtags },
  prefix: string,
  { ignore = () => false, skipped }: ListOptions,
): AsyncGenerator<ObjectInfo> {
  const end = prefix.lastIndexOf('/') + 1;
  const folder = prefix.slice(0, end);
  const listing: Listing = { root, etags, ignore, skipped: skipped ?? (() => {}), hidden: skipped ?? refuse };
  // Only a listing of all of a folder tells what is gone from it.
  const whole = folder === prefix && isBronze(prefix) && `${shardOf(`${folder}x`)}/` === folder;
  const present = new Set<string>();
  let files = 0;
  try {
    for await (const info of walk(listing, folder, prefix.slice(end), [])) {
      if (whole && present.size <= MOST_HELD) present.add(info.key);
      files += 1;
      yield info;
    }
    const few = present.size <= MOST_HELD ? present : undefined;
    if (whole) await etags.index.compact(folder.slice(0, -1), { files, present: few });
  } finally {
    await etags.index.flush();
  }
}

const refuse: Required<ListOptions>['skipped'] = ({ name, reason }) => {
  throw new InvalidInput(
    `cannot list ${JSON.stringify(name)}: ${reason}; rename it, or give this user the right to read it`,
  );
};

/** The names directly in `root/<prefix>`, in key order; those of folders end in `/`. */
export async function listNames(
  root: string,
  prefix: string,
  skipped: Required<ListOptions>['skipped'] = () => {},
): Promise<readonly string[]> {
  return readFolder({ root, ignore: () => false, skipped, hidden: skipped }, prefix, '');
}

async function* walk(
  listing: Listing,
  folder: string,
  startsWith: string,
  above: readonly string[],
): AsyncGenerator<ObjectInfo> {
  const place = await realpath(join(listing.root, folder)).catch((cause: unknown) => {
    if (isMissing(cause)) return undefined;
    const reason = unreadableReason(cause);
    if (reason === undefined) throw cause;
    listing.hidden({ name: folder, reason });
    return undefined;
  });
  if (place === undefined) return;
  if (above.includes(place)) {
    listing.skipped({ name: folder, reason: 'it is a link back to a folder that it lies in' });
    return;
  }
  const entries = await readFolder(listing, folder, startsWith);
  for (let at = 0; at < entries.length; ) {
    const name = entries[at];
    if (name?.endsWith('/')) {
      yield* walk(listing, `${folder}${name}`, '', [...above, place]);
      at += 1;
    } else {
      const files = filesFrom(entries, at);
      yield* await describeAll(listing, folder, files);
      at += files.length;
    }
  }
}

function filesFrom(names: readonly string[], start: number): readonly string[] {
  const batch = names.slice(start, start + STATS_AT_ONCE);
  const next = batch.findIndex((name) => name.endsWith('/'));
  return next < 0 ? batch : batch.slice(0, next);
}

/** The stats of a batch are asked for together; a few files at a time are read, where that has to be. */
async function describeAll(listing: Listing, folder: string, files: readonly string[]): Promise<readonly ObjectInfo[]> {
  const keys = files.map((name) => `${folder}${name}`);
  const stats = await Promise.all(keys.map((key) => look(listing, key, fileStats)));
  const unknown: number[] = [];
  const described: Look<ObjectInfo>[] = [];
  for (const [at, { found, reason }] of stats.entries()) {
    const info = found && (await knownInfo(listing.etags, keys[at] ?? '', found));
    if (found !== undefined && info === undefined) unknown.push(at);
    described.push({ found: info, ...(reason === undefined ? {} : { reason }) });
  }
  await mapConcurrent(unknown, async (at) => {
    const [key = '', seen] = [keys[at], stats[at]?.found];
    if (seen === undefined) return;
    described[at] = await look(listing, key, (path) => describeFile(listing.etags, key, { path, stats: seen }));
  });
  if (unknown.length > 0) await listing.etags.index.flush();
  return described.flatMap(({ reason, found }, at) => {
    const name = keys[at] ?? '';
    if (reason !== undefined) listing.hidden({ name, reason });
    else if (found === undefined) listing.skipped({ name, reason: 'it was removed while it was listed' });
    return found ?? [];
  });
}

/** What is known of a file without reading it. */
async function knownInfo(etags: LocalEtags, key: string, stats: BigIntStats): Promise<ObjectInfo | undefined> {
  if (!isBronze(key)) return { ...plainInfo(key, stats), etag: writeEtag(stats) };
  const known = await etags.known(key, stats);
  return known && { ...plainInfo(key, stats), etag: known.etag, former: writeEtag(stats) };
}

/** What is found at a key, nothing when it has gone since its folder was read, or why it cannot be looked at. */
type Look<T> = { readonly found: T | undefined; readonly reason?: string };

async function look<T>(
  { root }: Pick<Listing, 'root'>,
  key: string,
  act: (path: string) => Promise<T | undefined>,
): Promise<Look<T>> {
  try {
    return { found: await act(join(root, key)) };
  } catch (cause) {
    const reason = unreadableReason(cause);
    if (reason === undefined) throw cause;
    return { found: undefined, reason };
  }
}

type Folder = Pick<Listing, 'root' | 'ignore' | 'skipped' | 'hidden'>;

/** What there is in a folder, as it stands in keys and in their order: names of folders end in `/`. There may be millions. */
async function readFolder(listing: Folder, folder: string, startsWith: string): Promise<readonly string[]> {
  const { names, links, odd } = await readNames(listing, folder, startsWith);
  const wanted = (sort: string): boolean => !listing.ignore(`${folder}${sort}`);
  const found = names.filter(wanted);
  const linked = await Promise.all(
    links.map(async (name) => ({ name, kind: await linkedKind(listing.root, folder, name) })),
  );
  const misfits: SkippedName[] = odd.filter(({ name }) => wanted(name));
  for (const { name, kind } of linked) {
    const sort = kind === 'folder' ? `${name}/` : name;
    if (!wanted(sort)) continue;
    if (kind === 'file' || kind === 'folder') found.push(sort);
    else misfits.push({ name, reason: kind });
  }
  for (const { name, reason } of misfits.sort((a, b) => compareKeys(a.name, b.name))) {
    listing.skipped({ name: `${folder}${name}`, reason });
  }
  return found.sort(compareKeys);
}

/** `names`: those of files and, with their `/`, of folders. `odd`: what is neither, nor a link. */
type Names = { readonly names: string[]; readonly links: string[]; readonly odd: SkippedName[] };

async function readNames(listing: Folder, folder: string, startsWith: string): Promise<Names> {
  const { root, skipped, hidden } = listing;
  const path = join(root, folder);
  const found: Names = { names: [], links: [], odd: [] };
  try {
    // Node decodes names that are no UTF-8 with U+FFFD, under which there is no file.
    let decoded = false;
    for await (const dirent of await opendir(path, { bufferSize: NAMES_AT_ONCE })) {
      const { name } = dirent;
      if (name.startsWith(RESERVED_NAME)) {
        skipped({ name: `${folder}${name}`, reason: `names that begin with ${RESERVED_NAME} are kept for Strata` });
      } else {
        decoded ||= name.includes('\ufffd');
        if (name.startsWith(startsWith)) addName(found, dirent);
      }
    }
    return decoded ? withoutDecoded(found, await soundNames(listing, folder)) : found;
  } catch (cause) {
    if (isMissing(cause)) return { names: [], links: [], odd: [] };
    const reason = unreadableReason(cause);
    if (reason === undefined) throw cause;
    hidden({ name: folder, reason });
    return { names: [], links: [], odd: [] };
  }
}

function addName({ names, links, odd }: Names, dirent: Dirent): void {
  if (dirent.isSymbolicLink()) {
    links.push(dirent.name);
    return;
  }
  const kind = kindOf(dirent);
  if (kind === 'file') names.push(dirent.name);
  else if (kind === 'folder') names.push(`${dirent.name}/`);
  else odd.push({ name: dirent.name, reason: kind });
}

/** The names of a folder that are UTF-8; the others are told of. */
async function soundNames({ root, ignore, hidden }: Folder, folder: string): Promise<ReadonlySet<string>> {
  const raw = await readdir(join(root, folder), { encoding: 'buffer' });
  for (const name of raw.sort(Buffer.compare)) {
    if (isUtf8(name) || ignore(`${folder}${name.toString()}`)) continue;
    hidden({ name: `${folder}${escapeBytes(name)}`, reason: 'its name is not UTF-8' });
  }
  return new Set(raw.filter(isUtf8).map((name) => name.toString()));
}

function withoutDecoded({ names, links, odd }: Names, sound: ReadonlySet<string>): Names {
  return {
    names: names.filter((name) => sound.has(name.endsWith('/') ? name.slice(0, -1) : name)),
    links: links.filter((name) => sound.has(name)),
    odd: odd.filter(({ name }) => sound.has(name)),
  };
}

/** A name as a person finds it again: what is not ASCII as `\xe9`. */
function escapeBytes(name: Uint8Array): string {
  const text = (byte: number): string =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  return [...name].map(text).join('');
}

function kindOf(one: Pick<Dirent, 'isFile' | 'isDirectory'>): string {
  if (one.isFile()) return 'file';
  return one.isDirectory() ? 'folder' : 'it is no file but a pipe, a socket or a device';
}

async function linkedKind(root: string, folder: string, name: string): Promise<string> {
  try {
    return kindOf(await stat(join(root, folder, name)));
  } catch (cause) {
    return unreadableReason(cause) ?? 'it is a link that leads nowhere';
  }
}
