import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isGone, thisProcess } from '../adapters/store/holder.ts';

/** What a process that nobody here can see has not touched for so long is left over, whatever its owner. */
const ABANDONED_MS = 7 * 24 * 3_600_000;
/** Left by a release that gave its files no owner; none of its runs lasts that long. */
const OWNERLESS_MS = 24 * 3_600_000;

/** In the system's folder for temporary files: folders of processes that only read. */
export const TEMP_PREFIX = 'strata-scratch-';

const mine = new Set<string>();

/**
 * The path of a folder below `parent` for the temporary files of this process alone: `<prefix><owner>-<random>`. It is
 * made by whoever writes to it first, and removed when the process ends in any way that it notices.
 */
export function ownScratch(parent: string, prefix = ''): string {
  const path = join(parent, `${prefix}${encodeURIComponent(thisProcess())}-${randomBytes(6).toString('hex')}`);
  if (mine.size === 0) process.once('exit', removeMine);
  mine.add(path);
  return path;
}

function removeMine(): void {
  for (const path of mine) rmSync(path, { recursive: true, force: true });
  mine.clear();
}

/**
 * Removes what processes that are gone have left below a folder: folders of `ownScratch` with that prefix and, without
 * one, also files of unknown origin that are old. What cannot be removed stays: it is in nobody's way.
 */
export async function sweepScratch(parent: string, prefix = ''): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((one) => one.startsWith(prefix))) {
    const path = join(parent, name);
    const owner = ownerOf(name.slice(prefix.length));
    if (owner === undefined && prefix !== '') continue;
    const left =
      owner === undefined ? await isOlder(path, OWNERLESS_MS) : isGone(owner) || (await isOlder(path, ABANDONED_MS));
    if (left) await rm(path, { recursive: true, force: true }).catch(() => {});
  }
}

/** The holder's name in the name of a folder of `ownScratch`; undefined for any other name. */
function ownerOf(name: string): string | undefined {
  const encoded = /^(.+%3A.+)-[0-9a-f]{12}$/.exec(name)?.[1];
  if (encoded === undefined) return undefined;
  try {
    return decodeURIComponent(encoded);
  } catch {
    return undefined;
  }
}

/** By the folder and what lies directly in it: every session and every unit of a run makes and removes files there. */
async function isOlder(path: string, ms: number): Promise<boolean> {
  const below = await readdir(path).catch(() => []);
  const times = await Promise.all(
    [path, ...below.map((name) => join(path, name))].map(
      async (one) => (await stat(one).catch(() => undefined))?.mtimeMs,
    ),
  );
  return times.every((time) => time === undefined || Date.now() - time > ms);
}
