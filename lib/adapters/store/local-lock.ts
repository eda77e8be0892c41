import { createHash } from 'node:crypto';
import { readlink, symlink, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Unavailable } from '../../core/errors.ts';
import { isGone, thisProcess } from './holder.ts';
import { RESERVED_NAME } from './keys.ts';
import { faultCode } from './local-faults.ts';

/**
 * A lock beside a file, between processes of one machine. It is a symbolic link whose target names the holder:
 * symlink(2) creates the name with its content or fails, so nobody ever reads half a lock. Locks are held for
 * milliseconds; one whose holder is gone (the process ended, or its number belongs to a later process) is broken.
 */

const PATIENCE_MS = 30_000;

/** Runs `body` while this process holds the lock of `path`. Throws Unavailable when a live holder never lets go. */
export async function withFileLock<T>(path: string, body: () => Promise<T>): Promise<T> {
  const lock = lockOf(path);
  await acquire(lock);
  try {
    return await body();
  } finally {
    await release(lock);
  }
}

/** Where the lock of a file lies. */
export function lockOf(path: string): string {
  const hash = createHash('sha256').update(basename(path)).digest('hex').slice(0, 24);
  return join(dirname(path), `${RESERVED_NAME}${hash}.lock`);
}

async function acquire(lock: string): Promise<void> {
  const own = thisProcess();
  const deadline = Date.now() + PATIENCE_MS;
  for (let wait = 1; ; wait = Math.min(wait * 2, 16)) {
    try {
      return await symlink(own, lock);
    } catch (cause) {
      if (faultCode(cause) !== 'EEXIST') throw cause;
    }
    const holder = await readHolder(lock);
    if (holder !== undefined && isGone(holder)) {
      await breakLock(lock, holder);
    } else {
      if (Date.now() > deadline) throw stuck(lock, holder);
      await pause(wait * (0.5 + Math.random()));
    }
  }
}

/**
 * Only the holder of the breaking lock of this very holder may remove the stale lock, and it looks again first, so a
 * slow breaker never removes the lock of the process that came after. A breaker that dies is broken the same way.
 */
async function breakLock(lock: string, gone: string): Promise<void> {
  const breaking = `${lock.slice(0, -'.lock'.length)}.${createHash('sha256').update(gone).digest('hex').slice(0, 12)}.lock`;
  await acquire(breaking);
  try {
    if ((await readHolder(lock)) === gone) await release(lock);
  } finally {
    await release(breaking);
  }
}

async function release(lock: string): Promise<void> {
  await unlink(lock).catch((cause: unknown) => {
    if (faultCode(cause) !== 'ENOENT') throw cause;
  });
}

async function readHolder(lock: string): Promise<string | undefined> {
  try {
    return await readlink(lock);
  } catch (cause) {
    if (faultCode(cause) === 'ENOENT') return undefined;
    throw cause;
  }
}

function stuck(lock: string, holder: string | undefined): Unavailable {
  return new Unavailable(
    `waited ${PATIENCE_MS / 1000} s for a lock held by ${holder ?? 'others in turn'} (host:process:start); ` +
      `if that process is gone, delete ${lock}`,
  );
}
