import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { mapConcurrent } from '../../core/concurrency.ts';
import { ObjectNotFound, Unavailable } from '../../core/errors.ts';
import type { ByteRange, ObjectParts, ObjectVersion } from '../../core/objects.ts';
import { PART_BYTES } from '../../core/requests.ts';
import type { Borrowed } from '../../ports.ts';
import { sdkErrorOf } from '../aws/errors.ts';
import { readBody } from './s3-body.ts';
import {
  callS3,
  isMissing,
  isUnmatched,
  type Place,
  placeOf,
  plainEtag,
  readAction,
  type S3Access,
  s3Resource,
} from './s3-calls.ts';
import { NAME_LENGTH } from './s3-download.ts';

const RANGES_AT_ONCE = 16;

type Part = { readonly bytes: Uint8Array; readonly etag: string };

/** Bytes of an object, as the port's `readRange` says. No bytes are answered by a look at the object. */
export async function readRange(
  access: S3Access,
  object: ObjectVersion,
  range: ByteRange,
  etag?: string,
): Promise<Part> {
  const place = placeOf(access, object.key);
  const resource = s3Resource(place);
  const source = sourceOf(place, object.version, etag);
  const keep = (cause: unknown): boolean => isMissing(cause) || isUnmatched(cause) || isPastEnd(cause);
  const act = range.end > range.start ? () => ask(access, source, range) : () => look(access, source);
  try {
    return await callS3(access, readAction(object.version), resource, act, keep);
  } catch (cause) {
    if (isPastEnd(cause)) return readRange(access, object, { start: 0, end: 0 }, etag);
    if (isUnmatched(cause)) {
      throw new Unavailable(`${resource} was replaced while it was read; read it again`, { cause });
    }
    if (isMissing(cause)) throw new ObjectNotFound(`no object at ${resource}`, { cause });
    throw cause;
  }
}

type Source = Place & { readonly VersionId?: string; readonly IfMatch?: string };

/** A version has one content for ever; without one the etag has to hold. */
function sourceOf(place: Place, version: string | undefined, etag: string | undefined): Source {
  if (version !== undefined) return { ...place, VersionId: version };
  return etag === undefined ? place : { ...place, IfMatch: `"${etag}"` };
}

async function ask(access: S3Access, source: Source, { start, end }: ByteRange): Promise<Part> {
  const answer = await access.client.send(new GetObjectCommand({ ...source, Range: `bytes=${start}-${end - 1}` }));
  const bytes = await readBody(answer);
  if (bytes.length !== answer.ContentLength || bytes.length > end - start) {
    throw new Unavailable(`got ${bytes.length} bytes; expected ${answer.ContentLength} of ${end - start}`);
  }
  return { bytes, etag: plainEtag(answer.ETag) };
}

async function look(access: S3Access, source: Source): Promise<Part> {
  const { ETag } = await access.client.send(new HeadObjectCommand(source));
  return { bytes: new Uint8Array(), etag: plainEtag(ETag) };
}

/** S3 answers a range that begins after the last byte with an error. */
function isPastEnd(cause: unknown): boolean {
  return sdkErrorOf(cause).status === 416 || sdkErrorOf(cause).name === 'InvalidRange';
}

/** Makes files with holes below a new folder of `scratch`, as the port's `borrowParts` says. */
export async function borrowParts(
  access: S3Access,
  scratch: string,
  objects: readonly ObjectParts[],
): Promise<Borrowed> {
  for (const { key } of objects) placeOf(access, key);
  await mkdir(scratch, { recursive: true });
  const folder = await mkdtemp(join(scratch, 'parts-'));
  const release = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const paths = new Map(
    objects.map(({ key }, at) => [key, join(folder, `${at}-${(key.split('/').at(-1) ?? '').slice(-NAME_LENGTH)}`)]),
  );
  try {
    await mapConcurrent(objects, (object) => writeParts(paths.get(object.key) ?? folder, object.end));
    const pieces = objects.flatMap((object) => object.ranges.flatMap(cut).map((range) => ({ object, range })));
    await mapConcurrent(
      pieces,
      ({ object, range }) => bring(access, paths.get(object.key) ?? folder, object, range),
      RANGES_AT_ONCE,
    );
    return { paths, changed: new Map(), verify: async () => new Map(), [Symbol.asyncDispose]: release };
  } catch (cause) {
    await release().catch(() => {});
    throw cause;
  }
}

/** A range in pieces that one request brings. */
function cut({ start, end }: ByteRange): readonly ByteRange[] {
  const count = Math.ceil((end - start) / PART_BYTES);
  return Array.from({ length: count }, (_, at) => {
    const from = start + at * PART_BYTES;
    return { start: from, end: Math.min(end, from + PART_BYTES) };
  });
}

/** What is never written to takes no room where the file system knows holes. */
async function writeParts(path: string, { start, bytes }: ObjectParts['end']): Promise<void> {
  const file = await open(path, 'wx');
  try {
    await file.truncate(start);
    await file.write(bytes, 0, bytes.length, start);
  } finally {
    await file.close();
  }
}

async function bring(access: S3Access, path: string, { key, etag }: ObjectParts, range: ByteRange): Promise<void> {
  const { bytes } = await readRange(access, { key }, range, etag);
  const wanted = range.end - range.start;
  if (bytes.length !== wanted) {
    throw new Unavailable(`${key} has only ${bytes.length} of ${wanted} bytes from ${range.start}; read it again`);
  }
  const file = await open(path, 'r+');
  try {
    await file.write(bytes, 0, bytes.length, range.start);
  } finally {
    await file.close();
  }
}
