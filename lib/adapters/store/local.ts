import { type BigIntStats, constants } from 'node:fs';
import { copyFile, link, mkdir, open, rename, stat, unlink, utimes } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ObjectNotFound } from '../../core/errors.ts';
import type { ObjectInfo, ObjectStore, WriteCondition, WriteOutcome } from '../../ports.ts';
import { checkFolderPrefix, checkKey, checkPrefix, keyOfLocation, RESERVED_NAME } from './keys.ts';
import { faultCode, isMissing, storeFault } from './local-faults.ts';
import { describeFile, etagOf, fileStats, listFiles, listFolders } from './local-list.ts';
import { withFileLock } from './local-lock.ts';

export type LocalStoreOptions = {
  /** The folder that holds the zones; made when first written to. */
  readonly root: string;
  /** What locations begin with, without a trailing slash. Default `file://<absolute root>`. */
  readonly locationBase?: string;
  /** Wait until written objects are on the disk, so that a power cut loses nothing reported as written. Default true. */
  readonly durable?: boolean;
};

/**
 * An object store in a folder: key `a/b` is the file `<root>/a/b`, so what people copy in are objects. Conditional
 * writes are atomic between the processes of one machine: `absent` is link(2) of a finished temporary file, every
 * other change of a key happens under a lock beside it.
 */
export function createLocalStore(options: LocalStoreOptions): ObjectStore {
  const root = resolve(options.root);
  const base = options.locationBase ?? `file://${root}`;
  const durable = options.durable ?? true;
  const pathOf = (key: string): string => {
    checkKey(key);
    return join(root, key);
  };

  return {
    async read(key) {
      return readObject(pathOf(key), key);
    },
    async head(key) {
      const stats = await fileStats(pathOf(key)).catch(rethrow('look at', key));
      return stats === undefined ? undefined : describeFile(key, stats);
    },
    async *list(prefix) {
      checkPrefix(prefix);
      try {
        yield* listFiles(root, prefix);
      } catch (cause) {
        throw storeFault('list', prefix, cause);
      }
    },
    async folders(prefix) {
      checkFolderPrefix(prefix);
      return listFolders(root, prefix).catch(rethrow('list', prefix));
    },
    async write(key, bytes, condition) {
      return writeObject(pathOf(key), bytes, condition, durable).catch(rethrow('write', key));
    },
    async remove(key) {
      await removeObject(pathOf(key)).catch(rethrow('remove', key));
    },
    async borrow(objects) {
      const paths = new Map<string, string>();
      for (const object of objects) {
        const { key } = typeof object === 'string' ? { key: object } : object;
        paths.set(key, pathOf(key));
      }
      await Promise.all([...paths].map(([key, path]) => requireFile(path, key)));
      return { paths, release: async () => {} };
    },
    async publish(path, key) {
      return publishFile(path, pathOf(key), key, durable).catch(rethrow('publish', key));
    },
    location(key) {
      checkKey(key);
      return `${base}/${key}`;
    },
    key: (location) => keyOfLocation(base, location),
  };
}

function rethrow(what: string, key: string): (cause: unknown) => never {
  return (cause) => {
    throw storeFault(what, key, cause);
  };
}

async function readObject(path: string, key: string): Promise<{ bytes: Uint8Array; etag: string }> {
  try {
    // One handle for both, so that the etag belongs to these bytes even while another process replaces the file.
    const file = await open(path);
    try {
      const stats = await file.stat({ bigint: true });
      return { bytes: await file.readFile(), etag: etagOf(stats) };
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (isMissing(cause)) throw new ObjectNotFound(`no object ${JSON.stringify(key)} at ${path}`, { cause });
    throw storeFault('read', key, cause);
  }
}

async function requireFile(path: string, key: string): Promise<void> {
  const stats = await fileStats(path).catch(rethrow('borrow', key));
  if (stats === undefined) throw new ObjectNotFound(`no object ${JSON.stringify(key)} at ${path}`);
}

async function writeObject(
  path: string,
  bytes: Uint8Array,
  condition: WriteCondition,
  durable: boolean,
): Promise<WriteOutcome> {
  await makeFolder(dirname(path), durable);
  const temporary = temporaryBeside(path);
  try {
    await writeTemporary(temporary, bytes, durable);
    const stats =
      condition.kind === 'absent'
        ? await placeNew(temporary, path)
        : await withFileLock(path, () => replace(temporary, path, condition));
    if (stats === undefined) return { kind: 'conflict' };
    if (durable) await syncFolder(dirname(path));
    return { kind: 'written', etag: etagOf(stats) };
  } finally {
    await unlink(temporary).catch(ignoreMissing);
  }
}

async function makeFolder(folder: string, durable: boolean): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (!durable || first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Gives the file its name unless the name is taken; the temporary name remains for the caller to remove. */
async function placeNew(temporary: string, path: string): Promise<BigIntStats | undefined> {
  const stats = await stat(temporary, { bigint: true });
  try {
    await link(temporary, path);
    return stats;
  } catch (cause) {
    if (faultCode(cause) === 'EEXIST') return undefined;
    throw cause;
  }
}

/** Renames a file over the name; to be called under the name's lock. */
async function replace(
  file: string,
  path: string,
  condition: Exclude<WriteCondition, { kind: 'absent' }>,
): Promise<BigIntStats | undefined> {
  const current = await fileStats(path);
  if (condition.kind === 'match' && (current === undefined || etagOf(current) !== condition.etag)) return undefined;
  const stats = await youngerThan(current, file);
  await rename(file, path);
  return stats;
}

/**
 * File systems stamp times in steps of milliseconds and use inode numbers again, so two quick writes could end with
 * the etag of an earlier one. Under the lock a file is always younger than the one that it replaces.
 */
async function youngerThan(current: BigIntStats | undefined, file: string): Promise<BigIntStats> {
  const written = await stat(file, { bigint: true });
  if (current === undefined || written.mtimeNs > current.mtimeNs) return written;
  // Times travel as seconds in a double, which keeps about 0.24 microseconds.
  const seconds = Number(current.mtimeNs / 1000n + 2n) / 1e6;
  await utimes(file, seconds, seconds);
  return stat(file, { bigint: true });
}

async function removeObject(path: string): Promise<void> {
  if ((await fileStats(path)) === undefined) return;
  await withFileLock(path, () => unlink(path).catch(ignoreMissing));
}

async function publishFile(source: string, path: string, key: string, durable: boolean): Promise<ObjectInfo> {
  if ((await fileStats(source)) === undefined) {
    const published = await fileStats(path);
    if (published !== undefined) return describeFile(key, published);
    throw new ObjectNotFound(`no file ${JSON.stringify(source)} to publish as ${JSON.stringify(key)}`);
  }
  await makeFolder(dirname(path), durable);
  if (durable) await syncFile(source);
  const stats = await withFileLock(path, () => moveOver(source, path));
  if (durable) await syncFolder(dirname(path));
  return describeFile(key, stats ?? (await stat(path, { bigint: true })));
}

/** Renames, or copies next to the name first when the source lies on another file system. */
async function moveOver(source: string, path: string): Promise<BigIntStats | undefined> {
  try {
    return await replace(source, path, { kind: 'any' });
  } catch (cause) {
    if (faultCode(cause) !== 'EXDEV') throw cause;
  }
  const temporary = temporaryBeside(path);
  try {
    await copyFile(source, temporary, constants.COPYFILE_EXCL);
    await syncFile(temporary);
    const stats = await replace(temporary, path, { kind: 'any' });
    await unlink(source);
    return stats;
  } finally {
    await unlink(temporary).catch(ignoreMissing);
  }
}

let temporaries = 0;

/** In the object's own folder, so that moving it into place never crosses a file system. */
function temporaryBeside(path: string): string {
  temporaries += 1;
  const unique = `${process.pid}-${temporaries}-${Math.random().toString(36).slice(2)}`;
  return join(dirname(path), `${RESERVED_NAME}${unique}.tmp`);
}

async function writeTemporary(path: string, bytes: Uint8Array, durable: boolean): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.writeFile(bytes);
    if (durable) await file.sync();
  } finally {
    await file.close();
  }
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r');
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** A new name is on the disk once its folder is; systems that cannot sync a folder keep names on their own terms. */
async function syncFolder(path: string): Promise<void> {
  await syncFile(path).catch((cause: unknown) => {
    if (!['EISDIR', 'EPERM', 'EINVAL'].includes(faultCode(cause) ?? '')) throw cause;
  });
}

function ignoreMissing(cause: unknown): void {
  if (faultCode(cause) !== 'ENOENT') throw cause;
}
