import { ObjectNotFound, StrataError, Unavailable } from '../../core/errors.ts';
import { type ObjectChange, objectName } from '../../core/objects.ts';
import { PART_BYTES } from '../../core/requests.ts';
import type { LandedFile } from '../../core/run.ts';
import { type ByteSource, localBytes } from '../../landing/byte-source.ts';
import type { ObjectStore } from '../../ports.ts';
import type { StepDeps } from '../deps.ts';
import { pathOf } from '../tables/foreign-files.ts';
import { type KeptFiles, lendingKept } from './keep-files.ts';
import { type LandedRead, leaveChanged, readLanded } from './read-landed.ts';

/** What reading parts of landed files needs; `kept`: the copies that are read in their place. */
export type BytesDeps = Pick<StepDeps, 'log'> & {
  readonly store: Pick<ObjectStore, 'borrow' | 'head' | 'readRange' | 'inPlace'>;
  readonly kept: KeptFiles | undefined;
};

/** Requests of one reading that are under way at once. */
const RANGES_AT_ONCE = 4;

/**
 * Reads some bytes of a landed file as the run planned it, or none: `undefined`, and the file is left. A store that lends
 * its own files is read where they are; of another no more is brought than is read.
 */
export async function readBytes<T>(
  deps: BytesDeps,
  file: LandedFile,
  read: (bytes: ByteSource) => Promise<T>,
): Promise<LandedRead<T | undefined>> {
  const { store, kept, log } = deps;
  if (store.inPlace) {
    return readLanded({ log, store: lendingKept(store, kept) }, [file], async ([present], borrowed) =>
      present === undefined ? undefined : read(await localBytes(pathOf(borrowed, objectName(present)))),
    );
  }
  try {
    return { value: await read(remoteBytes(deps, file)), left: [] };
  } catch (cause) {
    const change = await changeOf(deps, file, cause);
    if (change === undefined) throw cause;
    return { value: undefined, left: [leaveChanged({ log }, file, change)] };
  }
}

function remoteBytes({ store, kept }: BytesDeps, file: LandedFile): ByteSource {
  const object = copyOf(kept, file) ?? file;
  const etag = typeof object === 'string' ? undefined : file.etag;
  const range = async (from: number, to: number): Promise<Uint8Array> => {
    const { bytes } = await store.readRange(object, from, to, etag);
    if (bytes.length === to - from) return bytes;
    throw new Unavailable(`${file.key} has only ${bytes.length} of ${to - from} bytes from ${from}; read it again`);
  };
  return { size: file.size, read: (from, to) => readAhead(range, from, to), atOnce: RANGES_AT_ONCE };
}

function copyOf(kept: KeptFiles | undefined, file: LandedFile): string | undefined {
  const name = objectName(file);
  return kept !== undefined && Object.hasOwn(kept.copies, name) ? kept.copies[name] : undefined;
}

/** Bytes in their order, a few requests ahead of who takes them. */
async function* readAhead(
  range: (from: number, to: number) => Promise<Uint8Array>,
  from: number,
  to: number,
): AsyncGenerator<Uint8Array> {
  const ahead: Promise<Uint8Array>[] = [];
  let next = from;
  while (next < to || ahead.length > 0) {
    for (; next < to && ahead.length < RANGES_AT_ONCE; next += PART_BYTES) {
      const asked = range(next, Math.min(next + PART_BYTES, to));
      // Who leaves early does not hear of it.
      asked.catch(() => {});
      ahead.push(asked);
    }
    const bytes = await ahead.shift();
    if (bytes !== undefined) yield bytes;
  }
}

/** What has become of a file that could not be read; undefined where it is as it was planned, or nobody knows. */
async function changeOf({ store }: BytesDeps, file: LandedFile, cause: unknown): Promise<ObjectChange | undefined> {
  if (isArchived(cause)) return 'unreadable';
  if (!(cause instanceof Unavailable || cause instanceof ObjectNotFound)) return undefined;
  const found = await store.head(file.key, file.version);
  if (found === undefined) return 'removed';
  return found.etag === file.etag ? undefined : 'replaced';
}

/** The object lies in a storage class from which it has to be restored first. */
function isArchived(cause: unknown): boolean {
  if (!(cause instanceof StrataError)) return false;
  const name = cause.cause instanceof Error ? cause.cause.name : undefined;
  return name === 'InvalidObjectState';
}
