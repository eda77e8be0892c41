import type { BigIntStats, Dirent } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { InvalidInput } from '../../core/errors.ts';
import type { ObjectInfo } from '../../ports.ts';
import { compareKeys, RESERVED_NAME } from './keys.ts';
import { isMissing } from './local-faults.ts';

const STATS_AT_ONCE = 64;

/** Size, modification time and inode: every write makes a new file, so any change of content changes this. */
export function etagOf(stats: BigIntStats): string {
  return `${stats.size}-${stats.mtimeNs}-${stats.ino}`;
}

export function describeFile(key: string, stats: BigIntStats): ObjectInfo {
  return { key, size: Number(stats.size), etag: etagOf(stats), modified: Number(stats.mtimeMs) };
}

/** The stats of a regular file (through symbolic links); undefined for anything else and for a missing name. */
export async function fileStats(path: string): Promise<BigIntStats | undefined> {
  try {
    const stats = await stat(path, { bigint: true });
    return stats.isFile() ? stats : undefined;
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}

/** One name in a folder; `sort` is the name as it stands in keys, so a folder's ends in `/`. */
type Entry = { readonly name: string; readonly sort: string; readonly folder: boolean };

/**
 * The objects under `root` whose keys start with `prefix`, in key order. Folders are walked into and are no objects
 * themselves, symbolic links are followed unless they lead back to a folder being walked, the store's own temporary
 * files and locks are left out, and a file that vanishes meanwhile is left out.
 */
export async function* listFiles(root: string, prefix: string): AsyncGenerator<ObjectInfo> {
  const end = prefix.lastIndexOf('/') + 1;
  const folder = prefix.slice(0, end);
  yield* walk(root, folder, prefix.slice(end), []);
}

/** The names of the folders directly in `root/<prefix>`, in key order. */
export async function listFolders(root: string, prefix: string): Promise<readonly string[]> {
  const entries = await readFolder(root, prefix, '');
  return entries.filter((entry) => entry.folder).map((entry) => entry.name);
}

async function* walk(
  root: string,
  folder: string,
  startsWith: string,
  above: readonly string[],
): AsyncGenerator<ObjectInfo> {
  const place = await realpath(join(root, folder)).catch(() => undefined);
  if (place === undefined || above.includes(place)) return;
  const entries = await readFolder(root, folder, startsWith);
  for (let at = 0; at < entries.length; ) {
    const entry = entries[at];
    if (entry?.folder) {
      yield* walk(root, `${folder}${entry.sort}`, '', [...above, place]);
      at += 1;
    } else {
      const files = filesFrom(entries, at);
      yield* await describeAll(root, folder, files);
      at += files.length;
    }
  }
}

function filesFrom(entries: readonly Entry[], start: number): readonly Entry[] {
  const batch = entries.slice(start, start + STATS_AT_ONCE);
  const next = batch.findIndex((entry) => entry.folder);
  return next < 0 ? batch : batch.slice(0, next);
}

async function describeAll(root: string, folder: string, files: readonly Entry[]): Promise<readonly ObjectInfo[]> {
  const described = await Promise.all(files.map(({ name }) => describeOne(root, `${folder}${name}`)));
  return described.filter((info) => info !== undefined);
}

async function describeOne(root: string, key: string): Promise<ObjectInfo | undefined> {
  const stats = await fileStats(join(root, key));
  // Node decodes names that are no UTF-8 with U+FFFD, under which there is no file: an object that nobody could name.
  if (stats === undefined && key.includes('\ufffd')) {
    throw new InvalidInput(`the name of a file is not UTF-8: got ${JSON.stringify(key)}; rename the file`);
  }
  return stats === undefined ? undefined : describeFile(key, stats);
}

async function readFolder(root: string, folder: string, startsWith: string): Promise<readonly Entry[]> {
  const found = await readdir(join(root, folder), { withFileTypes: true }).catch((cause: unknown) => {
    if (isMissing(cause)) return [];
    throw cause;
  });
  const wanted = found.filter(({ name }) => name.startsWith(startsWith) && !name.startsWith(RESERVED_NAME));
  const entries = await Promise.all(wanted.map((dirent) => classify(root, folder, dirent)));
  return entries.filter((entry) => entry !== undefined).sort((a, b) => compareKeys(a.sort, b.sort));
}

async function classify(root: string, folder: string, dirent: Dirent): Promise<Entry | undefined> {
  const { name } = dirent;
  if (dirent.isFile()) return { name, sort: name, folder: false };
  if (dirent.isDirectory()) return { name, sort: `${name}/`, folder: true };
  if (!dirent.isSymbolicLink()) return undefined;
  const target = await stat(join(root, folder, name)).catch(() => undefined);
  if (target?.isDirectory()) return { name, sort: `${name}/`, folder: true };
  return target?.isFile() ? { name, sort: name, folder: false } : undefined;
}
