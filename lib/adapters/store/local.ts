import { type BigIntStats, constants } from 'node:fs';
import { copyFile, type FileHandle, link, mkdir, open, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { ObjectNotFound, Unavailable } from '../../core/errors.ts';
import type { ByteRange } from '../../core/objects.ts';
import type { ObjectInfo, ObjectStore, WriteCondition, WriteOutcome } from '../../ports.ts';
import { checkFolderPrefix, checkKey, checkPrefix, keyOfLocation, RESERVED_NAME } from './keys.ts';
import { lendFiles } from './local-borrow.ts';
import { contentEtag, createLocalEtags, isBronze, type LocalEtags } from './local-etags.ts';
import { faultCode, isMissing, storeFault } from './local-faults.ts';
import { describeFile, listFiles, listNames } from './local-list.ts';
import { placeNew, replaceFile, unlinkIfThere } from './local-replace.ts';
import { fileStats, writeEtag } from './local-stats.ts';

export type LocalStoreOptions = {
  /** The folder that holds the zones; made when first written to. */
  readonly root: string;
  /** What locations begin with, without a trailing slash. Default `file://<absolute root>`. */
  readonly locationBase?: string;
  /** Wait until written objects are on the disk, so that a power cut loses nothing reported as written. Default true. */
  readonly durable?: boolean;
  /** Nothing may be made below `root`, not even to remember what files hold. Default false. */
  readonly readOnly?: boolean;
  /** Milliseconds since the epoch, as the file system tells them. Default: the system's clock. */
  readonly now?: () => number;
};

/**
 * An object store in a folder: key `a/b` is the file `<root>/a/b`, so what people copy in are objects. Conditional
 * writes are atomic between all processes that share the folder, and none waits for another: `absent` is link(2) of a
 * finished temporary file, and what is there is replaced as local-replace.ts says.
 */
export function createLocalStore(options: LocalStoreOptions): ObjectStore {
  const root = resolve(options.root);
  const base = options.locationBase ?? `file://${root}`;
  const durable = options.durable ?? true;
  const etags = createLocalEtags(root, { write: options.readOnly !== true, now: options.now ?? Date.now });
  const pathOf = (key: string): string => {
    checkKey(key);
    return join(root, key);
  };

  return {
    inPlace: true,
    async read(key) {
      return readObject(pathOf(key), key);
    },
    async readRange(object, start, end, etag) {
      // A folder keeps one content of a name, whatever version of it is asked for.
      const key = typeof object === 'string' ? object : object.key;
      return readRange({ path: pathOf(key), key, etags }, { start, end }, etag);
    },
    async head(key) {
      return describe(etags, pathOf(key), key).catch(rethrow('look at', key));
    },
    async *list(prefix, listOptions = {}) {
      checkPrefix(prefix);
      try {
        yield* listFiles({ root, etags }, prefix, listOptions);
      } catch (cause) {
        throw storeFault('list', prefix, cause);
      }
    },
    async folders(prefix) {
      checkFolderPrefix(prefix);
      const names = await listNames(root, prefix).catch(rethrow('list', prefix));
      return names.flatMap((name) => (name.endsWith('/') ? [name.slice(0, -1)] : []));
    },
    async names(prefix, skipped) {
      checkFolderPrefix(prefix);
      return listNames(root, prefix, skipped).catch(rethrow('list', prefix));
    },
    async write(key, bytes, condition) {
      return writeObject({ path: pathOf(key), key, etags, durable }, bytes, condition).catch(rethrow('write', key));
    },
    async remove(key) {
      await removeObject(pathOf(key)).catch(rethrow('remove', key));
    },
    async borrow(objects) {
      return lendFiles(
        etags,
        pathOf,
        objects.map((object) => (typeof object === 'string' ? { key: object } : object)),
      );
    },
    async borrowParts(objects) {
      return lendFiles(
        etags,
        pathOf,
        objects.map(({ key }) => ({ key })),
      );
    },
    async publish(path, key) {
      return publishFile(path, { path: pathOf(key), key, etags, durable }).catch(rethrow('publish', key));
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

/** Where an object is written, and how. */
type Place = { readonly path: string; readonly key: string; readonly etags: LocalEtags; readonly durable: boolean };

async function describe(etags: LocalEtags, path: string, key: string): Promise<ObjectInfo | undefined> {
  const stats = await fileStats(path);
  return stats === undefined ? undefined : describeFile(etags, key, { path, stats });
}

async function readObject(path: string, key: string): Promise<{ bytes: Uint8Array; etag: string }> {
  try {
    // One handle for both, so that the etag belongs to these bytes even while another process replaces the file.
    const file = await open(path);
    try {
      const stats = await file.stat({ bigint: true });
      const bytes = await readWhole(file, Number(stats.size));
      return { bytes, etag: isBronze(key) ? contentEtag(bytes) : writeEtag(stats) };
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (isMissing(cause)) throw new ObjectNotFound(`no object ${JSON.stringify(key)} at ${path}`, { cause });
    throw storeFault('read', key, cause);
  }
}

/** All bytes by one read where the file is as large as it was said to be, and as `readFile` finds them elsewhere. */
async function readWhole(file: FileHandle, size: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(Buffer.allocUnsafeSlow(size), 0, size, 0);
  return bytesRead === size && size > 0 ? buffer : file.readFile();
}

/** One handle, so that the bytes are of the file that the etag was found for. */
async function readRange(
  { path, key, etags }: Pick<Place, 'path' | 'key' | 'etags'>,
  { start, end }: ByteRange,
  etag: string | undefined,
): Promise<{ bytes: Uint8Array; etag: string }> {
  try {
    const file = await open(path);
    try {
      const stats = await file.stat({ bigint: true });
      const found = (await describeFile(etags, key, { path, stats }))?.etag ?? '';
      if (etag !== undefined && found !== etag) {
        throw new Unavailable(`${JSON.stringify(key)} was replaced while it was read; read it again`);
      }
      const length = Math.max(0, Math.min(end, Number(stats.size)) - start);
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(length), 0, length, start);
      return { bytes: buffer.subarray(0, bytesRead), etag: found };
    } finally {
      await file.close();
    }
  } catch (cause) {
    if (isMissing(cause)) throw new ObjectNotFound(`no object ${JSON.stringify(key)} at ${path}`, { cause });
    throw storeFault('read', key, cause);
  }
}

async function writeObject(place: Place, bytes: Uint8Array, condition: WriteCondition): Promise<WriteOutcome> {
  const { path, key, durable } = place;
  await makeFolder(dirname(path), durable);
  const temporary = temporaryBeside(path);
  try {
    await writeTemporary(temporary, bytes, durable);
    const stats =
      condition.kind === 'absent'
        ? await placeNew(temporary, path)
        : await replaceFile(temporary, path, (current) => matches(condition, place, current));
    if (stats === undefined) return { kind: 'conflict' };
    if (durable) await syncFolder(dirname(path));
    return { kind: 'written', etag: isBronze(key) ? contentEtag(bytes) : writeEtag(stats) };
  } finally {
    await unlinkIfThere(temporary);
  }
}

async function makeFolder(folder: string, durable: boolean): Promise<void> {
  const first = await mkdir(folder, { recursive: true });
  if (!durable || first === undefined) return;
  for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
}

/** Whoever is about to replace the object at this moment may do so afterwards. */
/** Not looked at before: maintenance removes thousands, and waits for the disk at each. A folder of that name is no object. */
async function removeObject(path: string): Promise<void> {
  try {
    await unlink(path);
  } catch (cause) {
    if (isMissing(cause)) return;
    // As some systems say of a folder.
    if (faultCode(cause) !== 'EPERM' || (await fileStats(path)) !== undefined) throw cause;
  }
}

async function publishFile(source: string, place: Place): Promise<ObjectInfo> {
  const { path, key, etags, durable } = place;
  const gone = new ObjectNotFound(`no file ${JSON.stringify(source)} to publish as ${JSON.stringify(key)}`);
  if ((await fileStats(source)) !== undefined) {
    await makeFolder(dirname(path), durable);
    if (durable) await syncFile(source);
    await moveOver(source, path);
    if (durable) await syncFolder(dirname(path));
  }
  const published = await describe(etags, path, key);
  await etags.index.flush();
  if (published === undefined) throw gone;
  return published;
}

/** Gives the file its name at once where the name is free, else by way of a name beside it, and removes the old name. */
async function moveOver(source: string, path: string): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    if (!(await placeHere(source, path))) await takePlace(source, temporary, path);
    await unlinkIfThere(source);
  } finally {
    await unlinkIfThere(temporary);
  }
}

/** False when the name is taken, or lies on another file system. */
async function placeHere(source: string, path: string): Promise<boolean> {
  try {
    return (await placeNew(source, path)) !== undefined;
  } catch (cause) {
    if (faultCode(cause) === 'EXDEV') return false;
    throw cause;
  }
}

async function takePlace(source: string, temporary: string, path: string): Promise<void> {
  const [wanted, there] = [await stat(source, { bigint: true }), await fileStats(path)];
  // A publication that died before it removed the old name.
  if (there !== undefined && there.ino === wanted.ino && there.dev === wanted.dev) return;
  try {
    await link(source, temporary);
  } catch (cause) {
    if (faultCode(cause) !== 'EXDEV') throw cause;
    await copyFile(source, temporary, constants.COPYFILE_EXCL);
    await syncFile(temporary);
  }
  await replaceFile(temporary, path, async () => true);
}

async function matches(
  condition: WriteCondition,
  { path, key, etags }: Place,
  current: BigIntStats | undefined,
): Promise<boolean> {
  if (condition.kind !== 'match') return true;
  const there = current === undefined ? undefined : await describeFile(etags, key, { path, stats: current });
  return there?.etag === condition.etag;
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
