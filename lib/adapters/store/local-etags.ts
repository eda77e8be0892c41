import { createHash, hash } from 'node:crypto';
import { type BigIntStats, constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { Unavailable } from '../../core/errors.ts';
import { withBuffer } from '../../core/lent-buffer.ts';
import { createEtagIndex, type EtagIndex } from './etag-index.ts';
import { faultCode, isMissing } from './local-faults.ts';
import { stampOf } from './local-stats.ts';

/** Files of bronze are known by their content. */
export function isBronze(key: string): boolean {
  return key.startsWith('bronze/');
}

/** The etag of a file of bronze with these bytes. */
export function contentEtag(bytes: Uint8Array): string {
  return hash('sha256', bytes);
}

/** The content of a file, with the file as it was from before its first byte was read until after the last. */
export type HashedFile = {
  readonly etag: string;
  readonly stats: BigIntStats;
  /** False: a change right after it was hashed may have left the stamp as it is, so nothing follows from an equal one. */
  readonly settled: boolean;
};

export type LocalEtags = {
  /**
   * The content of a file of bronze that has just been looked at; `undefined` when it is no regular file any more.
   * Throws the file system's error when it cannot be read, StillWritten when it changes all the time.
   */
  find(key: string, path: string, seen: BigIntStats): Promise<HashedFile | undefined>;
  /** What is known of such a file without reading it. */
  known(key: string, seen: BigIntStats): Promise<HashedFile | undefined>;
  readonly index: EtagIndex;
};

/** A file never stayed as it was for as long as it took to read it. */
export class StillWritten extends Unavailable {}

/** Files up to this size have a buffer of their own. */
const FEW_BYTES = 64 * 1024;
const ATTEMPTS = 3;

/**
 * Etags of the files of bronze below `root`. What was hashed is remembered in an index beside the zones, so that a file
 * is read again only when its stamp has changed; without `write` the index is only read.
 */
export function createLocalEtags(
  root: string,
  { write, now }: { readonly write: boolean; readonly now: () => number },
): LocalEtags {
  const index = createEtagIndex(root, write);
  const known: LocalEtags['known'] = async (key, seen) => {
    const etag = await index.find(key, stampOf(seen));
    return etag === undefined ? undefined : { etag, stats: seen, settled: true };
  };
  return {
    index,
    known,
    async find(key, path, seen) {
      const before = await known(key, seen);
      if (before !== undefined) return before;
      const hashed = await hashFile(path, now);
      if (hashed?.settled === true) await index.put(key, stampOf(hashed.stats), hashed.etag);
      return hashed;
    },
  };
}

async function hashFile(path: string, now: () => number): Promise<HashedFile | undefined> {
  const file = await openFile(path);
  if (file === undefined) return undefined;
  try {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt += 1) {
      const started = now();
      const before = await file.stat({ bigint: true });
      if (!before.isFile()) return undefined;
      const etag = await hashBytes(file, Number(before.size));
      const stats = await file.stat({ bigint: true });
      if (stampOf(before) === stampOf(stats)) return { etag, stats, settled: isSettled(stats, started) };
    }
  } finally {
    await file.close();
  }
  throw new StillWritten(`${path} changes while it is read; try again once it is written`);
}

/** Does not wait for a writer where a named pipe has taken the file's place. */
async function openFile(path: string): Promise<FileHandle | undefined> {
  return open(path, constants.O_RDONLY | (constants.O_NONBLOCK ?? 0)).catch((cause: unknown) => {
    if (isMissing(cause)) return undefined;
    throw cause;
  });
}

async function hashBytes(file: FileHandle, size: number): Promise<string> {
  return size < FEW_BYTES
    ? hashThrough(file, Buffer.allocUnsafe(size + 1))
    : withBuffer((buffer) => hashThrough(file, buffer));
}

async function hashThrough(file: FileHandle, buffer: Buffer): Promise<string> {
  const sum = createHash('sha256');
  for (let at = 0; ; ) {
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    sum.update(buffer.subarray(0, bytesRead));
    if (bytesRead < buffer.length) return sum.digest('hex');
    at += bytesRead;
  }
}

/** Coarser than the steps in which kernels stamp files, which are 4 to 16 ms. */
const STEP_MS = 100;
/** For file systems that keep whole seconds, or two. */
const COARSE_STEP_MS = 2_500;

/**
 * A file that was changed within one step of the file system's clock before it was read could change once more without
 * getting another stamp (what git calls racily clean). Only the change time counts: nobody can set it.
 */
function isSettled({ ctimeNs }: BigIntStats, atMs: number): boolean {
  const step = ctimeNs % 1_000_000_000n === 0n ? COARSE_STEP_MS : STEP_MS;
  return Number(ctimeNs / 1_000_000n) + step < atMs;
}

/** Why a name cannot be read, where that is so for good or until somebody changes it; a fault of the machine otherwise. */
export function unreadableReason(cause: unknown): string | undefined {
  if (cause instanceof StillWritten) return 'it changes while it is read, as if it were still being written';
  const code = faultCode(cause) ?? '';
  if (['EACCES', 'EPERM'].includes(code)) return `it may not be read by this user (${code})`;
  return ['EIO', 'ELOOP', 'ENXIO', 'ENODEV', 'ESTALE', 'EOVERFLOW'].includes(code)
    ? `it cannot be read (${code})`
    : undefined;
}
