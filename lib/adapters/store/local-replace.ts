import { createHash } from 'node:crypto';
import type { BigIntStats } from 'node:fs';
import { link, lstat, readlink, rename, stat, symlink, unlink, utimes } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { RESERVED_NAME } from './keys.ts';
import { faultCode } from './local-faults.ts';
import { fileStats } from './local-stats.ts';

/**
 * How a file takes the place of another, between processes of any machines that share the folder, without a lock.
 *
 * What stands under a name, as it is now, can be followed by one file only: the one named by a symbolic link (the
 * claim) whose own name is made of the object's name and of this state. symlink(2) creates it with its content or
 * fails, so one writer wins; rename(2) of the file that it names uses that up, so it takes place once, whoever does it.
 * A writer that finds another's claim carries it out and looks again. So nobody waits for a process that is slow,
 * stopped, dead or on another machine, and one that wakes later finds its work done or its claim void.
 */

/**
 * Puts a finished temporary file of the same folder in the place of the object at `path`, or gives it that name where
 * there is none. `holds` is asked about what stands there at that very moment. Answers the stats of the file, which no
 * longer has its temporary name unless it was the first; undefined when `holds` said no.
 */
export async function replaceFile(
  temporary: string,
  path: string,
  holds: (current: BigIntStats | undefined) => Promise<boolean>,
): Promise<BigIntStats | undefined> {
  for (;;) {
    const current = await fileStats(path);
    if (!(await holds(current))) return undefined;
    if (current === undefined) {
      const placed = (await placeNew(temporary, path)) ?? (await replaceOddity(temporary, path));
      if (placed !== undefined) return placed;
    } else {
      const stats = await youngerThan(current, temporary);
      if (await succeed(temporary, path, current)) return stats;
    }
  }
}

/** Gives the file its name unless the name is taken; the temporary name remains for the caller to remove. */
export async function placeNew(temporary: string, path: string): Promise<BigIntStats | undefined> {
  const stats = await stat(temporary, { bigint: true });
  try {
    await link(temporary, path);
    return stats;
  } catch (cause) {
    if (faultCode(cause) === 'EEXIST') return undefined;
    throw cause;
  }
}

/** A name that is taken by no file: a link that leads nowhere is replaced; a folder is an error (EISDIR). */
async function replaceOddity(temporary: string, path: string): Promise<BigIntStats | undefined> {
  const stands = await lstat(path).catch(undefinedIfMissing);
  if (stands === undefined || stands.isFile() || (await fileStats(path)) !== undefined) return undefined;
  await rename(temporary, path);
  return stat(path, { bigint: true });
}

/**
 * File systems stamp times in steps of milliseconds and use inode numbers again, so two quick writes could end with
 * the state of an earlier one. A file is always younger than the one that it replaces, so no state comes back.
 */
async function youngerThan(current: BigIntStats, file: string): Promise<BigIntStats> {
  const written = await stat(file, { bigint: true });
  if (written.mtimeNs > current.mtimeNs) return written;
  // Times travel as seconds in a double, which keeps about 0.24 microseconds.
  const seconds = Number(current.mtimeNs / 1000n + 2n) / 1e6;
  await utimes(file, seconds, seconds);
  return stat(file, { bigint: true });
}

/** Whether the file has become what follows `current`. False: another's has, or `current` was gone before. */
async function succeed(temporary: string, path: string, current: BigIntStats): Promise<boolean> {
  const claim = claimOf(path, current);
  try {
    await symlink(basename(temporary), claim);
  } catch (cause) {
    if (faultCode(cause) !== 'EEXIST') throw cause;
    await carryOut(claim, path, current);
    return false;
  }
  // A claim on a state that has passed is void. Where this very file made it pass, another carried the claim out.
  if (!(await isStill(path, current)) && (await fileStats(temporary)) !== undefined) {
    await unlinkIfThere(claim);
    return false;
  }
  await renameOnce(temporary, path);
  await unlinkIfThere(claim);
  return true;
}

/**
 * Does what the claim of another says. A claim read while its state still stands is the only one that there can be,
 * so the state is looked at after the claim.
 */
async function carryOut(claim: string, path: string, current: BigIntStats): Promise<void> {
  const successor = await readlink(claim).catch(undefinedIfMissing);
  if (successor === undefined || !(await isStill(path, current))) return;
  const moved = await renameOnce(join(dirname(path), successor), path);
  // What it names was tidied away with the state still standing: it would stand in the way for good.
  if (moved || (await isStill(path, current))) await unlinkIfThere(claim);
}

/** The name of the claim on the object at `path` in a state. */
export function claimOf(path: string, { size, mtimeNs, ino }: BigIntStats): string {
  const digest = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 24);
  return join(dirname(path), `${RESERVED_NAME}${digest(basename(path))}-${digest(`${size}-${mtimeNs}-${ino}`)}.next`);
}

async function isStill(path: string, { size, mtimeNs, ino }: BigIntStats): Promise<boolean> {
  const now = await fileStats(path);
  return now !== undefined && now.ino === ino && now.mtimeNs === mtimeNs && now.size === size;
}

/** False when the file no longer has its temporary name: it has been renamed. */
async function renameOnce(temporary: string, path: string): Promise<boolean> {
  try {
    await rename(temporary, path);
    return true;
  } catch (cause) {
    if (faultCode(cause) === 'ENOENT') return false;
    throw cause;
  }
}

export async function unlinkIfThere(path: string): Promise<void> {
  await unlink(path).catch(undefinedIfMissing);
}

function undefinedIfMissing(cause: unknown): undefined {
  if (faultCode(cause) !== 'ENOENT') throw cause;
}
