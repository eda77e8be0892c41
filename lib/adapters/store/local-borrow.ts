import { type BigIntStats, constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { mapConcurrent } from '../../core/concurrency.ts';
import { ObjectNotFound } from '../../core/errors.ts';
import type { ObjectChange, PlannedObject } from '../../core/objects.ts';
import type { Borrowed } from '../../ports.ts';
import { isBronze, type LocalEtags, unreadableReason } from './local-etags.ts';
import { storeFault } from './local-faults.ts';
import { fileStats, stampOf, writeEtag } from './local-stats.ts';

/** A file that was lent as the one with an etag, and as it was seen then. */
type Lent = {
  readonly key: string;
  readonly path: string;
  readonly etag: string;
  readonly stamp: string;
  /** False: a change since might have left the stamp as it is. */
  readonly settled: boolean;
};

type Look = Lent | ObjectChange;

/**
 * Lends the store's own files. Of one with an etag the content is compared before, as its stamp is after: what was read in
 * between is what the etag stands for. Throws ObjectNotFound for a missing file that was asked for without one.
 */
export async function lendFiles(
  etags: LocalEtags,
  pathOf: (key: string) => string,
  objects: readonly PlannedObject[],
): Promise<Borrowed> {
  // A folder keeps one content of a name, whatever version of it is asked for.
  const wanted = [...new Map(objects.map((object) => [object.key, object])).values()];
  const looks = await mapConcurrent(wanted, async ({ key, etag }) => {
    const path = pathOf(key);
    return etag === undefined ? requireFile(path, key) : lookAt(etags, { key, path, etag });
  });
  const paths = new Map<string, string>();
  const changed = new Map<string, ObjectChange>();
  const lent: Lent[] = [];
  for (const [at, { key }] of wanted.entries()) {
    const look = looks[at];
    if (typeof look === 'string') changed.set(key, look);
    else paths.set(key, pathOf(key));
    if (typeof look === 'object') lent.push(look);
  }
  return { paths, changed, verify: () => verifyAll(etags, lent), [Symbol.asyncDispose]: async () => {} };
}

async function requireFile(path: string, key: string): Promise<void> {
  const stats = await fileStats(path).catch((cause: unknown) => {
    throw storeFault('borrow', key, cause);
  });
  if (stats === undefined) throw new ObjectNotFound(`no object ${JSON.stringify(key)} at ${path}`);
}

async function verifyAll(etags: LocalEtags, lent: readonly Lent[]): Promise<ReadonlyMap<string, ObjectChange>> {
  const changes = await mapConcurrent(lent, (before) => lookAgain(etags, before));
  return new Map(lent.flatMap(({ key }, at) => (changes[at] === undefined ? [] : [[key, changes[at]] as const])));
}

async function lookAgain(etags: LocalEtags, before: Lent): Promise<ObjectChange | undefined> {
  return readably(before.key, async () => {
    const stats = await fileStats(before.path);
    if (stats === undefined) return 'removed';
    if (stampOf(stats) !== before.stamp) return 'replaced';
    if (before.settled) return undefined;
    const look = await compare(etags, before, stats);
    return typeof look === 'string' ? look : undefined;
  });
}

async function lookAt(etags: LocalEtags, wanted: Pick<Lent, 'key' | 'path' | 'etag'>): Promise<Look> {
  return readably(wanted.key, async () => {
    const stats = await fileStats(wanted.path);
    if (stats === undefined) return 'removed';
    await access(wanted.path, constants.R_OK);
    return compare(etags, wanted, stats);
  });
}

async function compare(
  etags: LocalEtags,
  { key, path, etag }: Pick<Lent, 'key' | 'path' | 'etag'>,
  stats: BigIntStats,
): Promise<Look> {
  if (!isBronze(key)) {
    return writeEtag(stats) === etag ? { key, path, etag, stamp: stampOf(stats), settled: true } : 'replaced';
  }
  const found = await etags.find(key, path, stats);
  if (found === undefined) return 'removed';
  // A run that an earlier release planned names files by its etags.
  const same = found.etag === etag || writeEtag(found.stats) === etag;
  return same ? { key, path, etag, stamp: stampOf(found.stats), settled: found.settled } : 'replaced';
}

async function readably<T>(key: string, look: () => Promise<T>): Promise<T | 'unreadable'> {
  try {
    return await look();
  } catch (cause) {
    if (unreadableReason(cause) !== undefined) return 'unreadable';
    throw storeFault('borrow', key, cause);
  }
}
