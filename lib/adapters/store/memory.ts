import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm, unlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { InvalidInput, ObjectNotFound, Unavailable } from '../../core/errors.ts';
import {
  type ObjectChange,
  type ObjectParts,
  type ObjectVersion,
  objectName,
  type PlannedObject,
} from '../../core/objects.ts';
import type { Borrowed, ObjectInfo, ObjectStore, WriteCondition } from '../../ports.ts';
import { checkFolderPrefix, checkKey, checkPrefix, compareKeys, keyOfLocation } from './keys.ts';

export type MemoryStoreOptions = {
  /** An existing folder for borrowed files; without it `borrow` is refused. */
  readonly scratch?: string;
  /** Bytes that there are for borrowed files; left out: nobody says. */
  readonly room?: number;
  /** Default `memory://store`. */
  readonly locationBase?: string;
  /** Milliseconds since the epoch for `modified`; default: a count of writes. */
  readonly now?: () => number;
  /** Keeps every content of a key in bronze, as a bucket with versions does. Default false. */
  readonly versions?: boolean;
};

type Held = { readonly bytes: Uint8Array; readonly etag: string; readonly modified: number; readonly version?: string };

/** An object store in this process's memory, for tests and dry runs; conditions answer as S3's do. */
export function createMemoryStore(options: MemoryStoreOptions = {}): ObjectStore {
  const objects = new Map<string, Held>();
  /** Each content that a key has had since it was last removed, the oldest first; only with `versions`. */
  const uploads = new Map<string, Held[]>();
  /** By name, also what was removed; only with `versions`. */
  const versions = new Map<string, Held>();
  const base = options.locationBase ?? 'memory://store';
  let writes = 0;

  const put = (key: string, bytes: Uint8Array): Held => {
    writes += 1;
    const bronze = key.startsWith('bronze/');
    const etag = bronze ? contentEtag(bytes) : `m${writes}`;
    const plain = { bytes: bytes.slice(), etag, modified: options.now?.() ?? writes };
    const kept = options.versions === true && bronze;
    const held = kept ? { ...plain, version: `v${writes}` } : plain;
    objects.set(key, held);
    if (!kept) return held;
    versions.set(objectName({ key, version: `v${writes}` }), held);
    const others = (uploads.get(key) ?? []).filter((one) => one.etag !== held.etag);
    uploads.set(key, [...others, held]);
    return held;
  };
  const find = (key: string, version?: string): Held | undefined => {
    checkKey(key);
    return version === undefined ? objects.get(key) : versions.get(objectName({ key, version }));
  };
  const get = (key: string, version?: string): Held => {
    const held = find(key, version);
    if (held === undefined) throw new ObjectNotFound(`no object ${JSON.stringify(key)} in the memory store`);
    return held;
  };

  return {
    ...(options.room === undefined ? {} : { room: options.room }),
    async read(key) {
      const held = get(key);
      return { bytes: held.bytes.slice(), etag: held.etag };
    },
    async readRange(object, start, end, etag) {
      const { key, version }: ObjectVersion = typeof object === 'string' ? { key: object } : object;
      const held = get(key, version);
      if (etag !== undefined && held.etag !== etag) {
        throw new Unavailable(`${JSON.stringify(key)} was replaced while it was read; read it again`);
      }
      return { bytes: held.bytes.slice(start, end), etag: held.etag };
    },
    async head(key, version) {
      const held = find(key, version);
      return held === undefined ? undefined : describe(key, held);
    },
    async *list(prefix, { ignore = () => false } = {}) {
      checkPrefix(prefix);
      for (const key of keysUnder(objects, prefix)) {
        if (ignore(key)) continue;
        const held = objects.get(key);
        for (const one of uploads.get(key) ?? (held === undefined ? [] : [held])) yield describe(key, one);
      }
    },
    async folders(prefix) {
      return namesUnder(objects, prefix).flatMap((name) => (name.endsWith('/') ? [name.slice(0, -1)] : []));
    },
    async names(prefix) {
      return namesUnder(objects, prefix);
    },
    async write(key, bytes, condition) {
      checkKey(key);
      if (!holds(condition, objects.get(key))) return { kind: 'conflict' };
      return { kind: 'written', etag: put(key, bytes).etag };
    },
    async remove(key) {
      checkKey(key);
      objects.delete(key);
      uploads.delete(key);
    },
    async borrow(wanted) {
      const changed = new Map<string, ObjectChange>();
      const found = wanted.flatMap((object) => {
        const one: PlannedObject = typeof object === 'string' ? { key: object } : object;
        const held = one.etag === undefined ? get(one.key, one.version) : find(one.key, one.version);
        if (held !== undefined && (one.etag ?? held.etag) === held.etag) return [{ ...one, bytes: held.bytes }];
        changed.set(objectName(one), held === undefined ? 'removed' : 'replaced');
        return [];
      });
      return lend(found, changed, options.scratch);
    },
    async borrowParts(wanted) {
      const found = wanted.map((one) => ({ key: one.key, bytes: partsOf(get(one.key).bytes, one) }));
      return lend(found, new Map(), options.scratch);
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

/** Equal bytes have equal etags, as in S3 without a key of KMS. */
function contentEtag(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32);
}

function partsOf(bytes: Uint8Array, { ranges, end }: ObjectParts): Uint8Array {
  const copy = new Uint8Array(end.start + end.bytes.length);
  for (const range of ranges) copy.set(bytes.subarray(range.start, range.end), range.start);
  copy.set(end.bytes, end.start);
  return copy;
}

function describe(key: string, held: Held): ObjectInfo {
  const { bytes, etag, modified, version } = held;
  return { key, size: bytes.length, etag, modified, ...(version === undefined ? {} : { version }) };
}

function keysUnder(objects: ReadonlyMap<string, Held>, prefix: string): string[] {
  return [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(compareKeys);
}

function namesUnder(objects: ReadonlyMap<string, Held>, prefix: string): readonly string[] {
  checkFolderPrefix(prefix);
  const below = keysUnder(objects, prefix).map((key) => key.slice(prefix.length));
  return [...new Set(below.map((rest) => rest.slice(0, rest.indexOf('/') + 1) || rest))].sort(compareKeys);
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

async function lend(
  objects: readonly (ObjectVersion & { readonly bytes: Uint8Array })[],
  changed: Borrowed['changed'],
  scratch?: string,
): Promise<Borrowed> {
  if (scratch === undefined) {
    throw new InvalidInput('the memory store was made without `scratch`, so it has no folder to borrow files in');
  }
  const folder = await mkdtemp(join(scratch, 'borrowed-'));
  const paths = new Map<string, string>();
  for (const [index, object] of objects.entries()) {
    const path = join(folder, String(index), basename(object.key));
    await mkdir(join(folder, String(index)));
    await writeFile(path, object.bytes);
    paths.set(objectName(object), path);
  }
  return {
    paths,
    changed,
    // Copies stay as they were lent.
    verify: async () => new Map(),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
