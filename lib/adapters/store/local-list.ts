import { isUtf8 } from 'node:buffer';
import type { BigIntStats, Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { mapConcurrent } from '../../core/concurrency.ts';
import { InvalidInput } from '../../core/errors.ts';
import type { ListOptions, ObjectInfo } from '../../ports.ts';
import { MOST_HELD, shardOf } from './etag-index.ts';
import { compareKeys, RESERVED_NAME } from './keys.ts';
import { isBronze, type LocalEtags, unreadableReason } from './local-etags.ts';
import { isMissing } from './local-faults.ts';
import { fileStats, writeEtag } from './local-stats.ts';

const STATS_AT_ONCE = 64;

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

/** One name in a folder; `sort` is the name as it stands in keys, so a folder's ends in `/`. */
type Entry = { readonly name: string; readonly sort: string; readonly folder: boolean };

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
  const found = await readFolder({ root, ignore: () => false, skipped, hidden: skipped }, prefix, '');
  return found.map((entry) => entry.sort);
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
    const entry = entries[at];
    if (entry?.folder) {
      yield* walk(listing, `${folder}${entry.sort}`, '', [...above, place]);
      at += 1;
    } else {
      const files = filesFrom(entries, at);
      yield* await describeAll(listing, folder, files);
      at += files.length;
    }
  }
}

function filesFrom(entries: readonly Entry[], start: number): readonly Entry[] {
  const batch = entries.slice(start, start + STATS_AT_ONCE);
  const next = batch.findIndex((entry) => entry.folder);
  return next < 0 ? batch : batch.slice(0, next);
}

/** The stats of a batch are asked for together; a few files at a time are read, where that has to be. */
async function describeAll(listing: Listing, folder: string, files: readonly Entry[]): Promise<readonly ObjectInfo[]> {
  const keys = files.map(({ name }) => `${folder}${name}`);
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

async function readFolder(listing: Folder, folder: string, startsWith: string): Promise<readonly Entry[]> {
  const found = await readNames(listing, folder);
  const wanted = found.filter(({ name }) => name.startsWith(startsWith));
  const classified = await Promise.all(wanted.map((dirent) => classify(listing.root, folder, dirent)));
  const kept = classified.filter(({ sort }) => !listing.ignore(`${folder}${sort}`));
  const entries = kept.sort((a, b) => compareKeys(a.sort, b.sort));
  for (const { name, reason } of entries) {
    if (reason !== undefined) listing.skipped({ name: `${folder}${name}`, reason });
  }
  return entries.filter(({ reason }) => reason === undefined);
}

async function readNames({ root, ignore, skipped, hidden }: Folder, folder: string): Promise<readonly Dirent[]> {
  const path = join(root, folder);
  try {
    const found = await readdir(path, { withFileTypes: true });
    const named = found.filter(({ name }) => {
      if (!name.startsWith(RESERVED_NAME)) return true;
      skipped({ name: `${folder}${name}`, reason: `names that begin with ${RESERVED_NAME} are kept for Strata` });
      return false;
    });
    // Node decodes names that are no UTF-8 with U+FFFD, under which there is no file.
    if (!named.some(({ name }) => name.includes('\ufffd'))) return named;
    const raw = await readdir(path, { encoding: 'buffer' });
    const sound = new Set(raw.filter(isUtf8).map((name) => name.toString()));
    for (const name of raw.sort(Buffer.compare)) {
      if (isUtf8(name) || ignore(`${folder}${name.toString()}`)) continue;
      hidden({ name: `${folder}${escapeBytes(name)}`, reason: 'its name is not UTF-8' });
    }
    return named.filter(({ name }) => sound.has(name));
  } catch (cause) {
    if (isMissing(cause)) return [];
    const reason = unreadableReason(cause);
    if (reason === undefined) throw cause;
    hidden({ name: folder, reason });
    return [];
  }
}

/** A name as a person finds it again: what is not ASCII as `\xe9`. */
function escapeBytes(name: Uint8Array): string {
  const text = (byte: number): string =>
    byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, '0')}`;
  return [...name].map(text).join('');
}

async function classify(root: string, folder: string, dirent: Dirent): Promise<Entry & { readonly reason?: string }> {
  const { name } = dirent;
  const kind = dirent.isSymbolicLink() ? await linkedKind(join(root, folder, name)) : kindOf(dirent);
  if (kind === 'folder') return { name, sort: `${name}/`, folder: true };
  const file: Entry = { name, sort: name, folder: false };
  return kind === 'file' ? file : { ...file, reason: kind };
}

function kindOf(one: Pick<Dirent, 'isFile' | 'isDirectory'>): string {
  if (one.isFile()) return 'file';
  return one.isDirectory() ? 'folder' : 'it is no file but a pipe, a socket or a device';
}

async function linkedKind(path: string): Promise<string> {
  try {
    return kindOf(await stat(path));
  } catch (cause) {
    return unreadableReason(cause) ?? 'it is a link that leads nowhere';
  }
}
