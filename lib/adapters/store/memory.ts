import { mkdir, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InvalidInput, ObjectNotFound } from '../../core/errors.ts';
import type { Borrowed, ObjectInfo, ObjectStore, WriteCondition } from '../../ports.ts';
import { checkFolderPrefix, checkKey, checkPrefix, compareKeys, keyOfLocation } from './keys.ts';

export type MemoryStoreOptions = {
  /** An existing folder for borrowed files; without it `borrow` is refused. */
  readonly scratch?: string;
  /** Default `memory://store`. */
  readonly locationBase?: string;
  /** Milliseconds since the epoch for `modified`; default: a count of writes. */
  readonly now?: () => number;
};

type Held = { readonly bytes: Uint8Array; readonly etag: string; readonly modified: number };

/** An object store in this process's memory, for tests and dry runs; conditions answer as S3's do. */
export function createMemoryStore(options: MemoryStoreOptions = {}): ObjectStore {
  const objects = new Map<string, Held>();
  const base = options.locationBase ?? 'memory://store';
  let writes = 0;

  const put = (key: string, bytes: Uint8Array): Held => {
    writes += 1;
    const held = { bytes: bytes.slice(), etag: `m${writes}`, modified: options.now?.() ?? writes };
    objects.set(key, held);
    return held;
  };
  const get = (key: string): Held => {
    checkKey(key);
    const held = objects.get(key);
    if (held === undefined) throw new ObjectNotFound(`no object ${JSON.stringify(key)} in the memory store`);
    return held;
  };

  return {
    async read(key) {
      const held = get(key);
      return { bytes: held.bytes.slice(), etag: held.etag };
    },
    async head(key) {
      checkKey(key);
      const held = objects.get(key);
      return held === undefined ? undefined : describe(key, held);
    },
    async *list(prefix) {
      checkPrefix(prefix);
      for (const key of keysUnder(objects, prefix)) {
        const held = objects.get(key);
        if (held !== undefined) yield describe(key, held);
      }
    },
    async folders(prefix) {
      checkFolderPrefix(prefix);
      const below = keysUnder(objects, prefix).map((key) => key.slice(prefix.length));
      const nested = below.filter((rest) => rest.includes('/')).map((rest) => rest.slice(0, rest.indexOf('/')));
      return [...new Set(nested)].sort(compareKeys);
    },
    async write(key, bytes, condition) {
      checkKey(key);
      if (!holds(condition, objects.get(key))) return { kind: 'conflict' };
      return { kind: 'written', etag: put(key, bytes).etag };
    },
    async remove(key) {
      checkKey(key);
      objects.delete(key);
    },
    async borrow(keys) {
      const found = keys.map((key) => [key, get(key).bytes] as const);
      return lend(found, options.scratch);
    },
    async publish(path, key) {
      checkKey(key);
      const bytes = await readFile(path).catch((cause: unknown) => {
        const held = objects.get(key);
        if (held !== undefined) return undefined;
        throw new ObjectNotFound(`no file ${JSON.stringify(path)} to publish as ${JSON.stringify(key)}`, { cause });
      });
      if (bytes === undefined) return describe(key, get(key));
      const held = put(key, bytes);
      await unlink(path);
      return describe(key, held);
    },
    location(key) {
      checkKey(key);
      return `${base}/${key}`;
    },
    key: (location) => keyOfLocation(base, location),
  };
}

function describe(key: string, held: Held): ObjectInfo {
  return { key, size: held.bytes.length, etag: held.etag, modified: held.modified };
}

function keysUnder(objects: ReadonlyMap<string, Held>, prefix: string): string[] {
  return [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys);
}

function holds(condition: WriteCondition, held: Held | undefined): boolean {
  switch (condition.kind) {
    case 'any':
      return true;
    case 'absent':
      return held === undefined;
    case 'match':
      return held?.etag === condition.etag;
  }
}

async function lend(objects: readonly (readonly [string, Uint8Array])[], scratch?: string): Promise<Borrowed> {
  if (scratch === undefined) {
    throw new InvalidInput('the memory store was made without `scratch`, so it has no folder to borrow files in');
  }
  const folder = await mkdtemp(join(scratch, 'borrowed-'));
  const paths = new Map<string, string>();
  for (const [index, [key, bytes]] of objects.entries()) {
    const path = join(folder, String(index), basename(key));
    await mkdir(join(folder, String(index)));
    await writeFile(path, bytes);
    paths.set(key, path);
  }
  return { paths, release: () => rm(folder, { recursive: true, force: true }) };
}
