import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { mapConcurrent } from '../../core/concurrency.ts';
import { ObjectNotFound, Unavailable } from '../../core/errors.ts';
import { type ObjectChange, objectName, type PlannedObject } from '../../core/objects.ts';
import { PART_BYTES } from '../../core/requests.ts';
import type { Borrowed } from '../../ports.ts';
import { sdkErrorOf } from '../aws/errors.ts';
import { dropBody, fileCrc32, saveBody } from './s3-body.ts';
import {
  callS3,
  isMissing,
  isUnmatched,
  type Place,
  placeOf,
  readAction,
  type S3Access,
  s3Resource,
} from './s3-calls.ts';

const OBJECTS_AT_ONCE = 8;
const RANGES_AT_ONCE = 4;

/** Of an object's name, what the name of its copy keeps: a name may have 255 bytes, and these have three each at most. */
export const NAME_LENGTH = 60;

/**
 * Brings objects to files of a new folder below `scratch`. Throws ObjectNotFound for the first that is missing, unless it
 * was asked for with an etag: such an object is then among the changed ones.
 */
export async function borrowObjects(
  access: S3Access,
  scratch: string,
  objects: readonly PlannedObject[],
): Promise<Borrowed> {
  const places = new Map(objects.map((object) => [objectName(object), { object, place: placeOf(access, object.key) }]));
  // Copies stay as they were lent.
  const verify: Borrowed['verify'] = async () => new Map();
  if (places.size === 0) return { paths: new Map(), changed: new Map(), verify, [Symbol.asyncDispose]: async () => {} };
  await mkdir(scratch, { recursive: true });
  const folder = await mkdtemp(join(scratch, 'borrowed-'));
  const release = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const wanted = [...places];
  try {
    const bring = async ([, { object, place }]: (typeof wanted)[number], at: number): Promise<Brought> => {
      // Readers tell formats and compressions by the end of a name.
      const path = join(folder, `${at}-${(object.key.split('/').at(-1) ?? '').slice(-NAME_LENGTH)}`);
      const change = await downloadPlanned(access, sourceOf(object, place), object.etag !== undefined, path);
      return change === undefined ? { path } : { change };
    };
    const brought = await mapConcurrent(wanted, bring, OBJECTS_AT_ONCE);
    const paths = new Map(wanted.flatMap(([name], at) => pair(name, brought[at]?.path)));
    const changed = new Map(wanted.flatMap(([name], at) => pair(name, brought[at]?.change)));
    return { paths, changed, verify, [Symbol.asyncDispose]: release };
  } catch (cause) {
    // Why it failed matters more than what stays behind.
    await release().catch(() => {});
    throw cause;
  }
}

type Brought = { readonly path?: string; readonly change?: ObjectChange };

function pair<T>(name: string, value: T | undefined): readonly (readonly [string, T])[] {
  return value === undefined ? [] : [[name, value]];
}

type Source = Place & { readonly VersionId?: string; readonly IfMatch?: string };

/** A version has one content for ever; without one the etag has to hold on every request. */
function sourceOf({ version, etag }: PlannedObject, place: Place): Source {
  if (version !== undefined) return { ...place, VersionId: version };
  return etag === undefined ? place : { ...place, IfMatch: `"${etag}"` };
}

/** What has become of an object that was planned; faults of any other are thrown. */
async function downloadPlanned(
  access: S3Access,
  source: Source,
  planned: boolean,
  path: string,
): Promise<ObjectChange | undefined> {
  try {
    await download(access, source, path);
    return undefined;
  } catch (cause) {
    if (planned && cause instanceof ObjectNotFound) return 'removed';
    if (source.IfMatch !== undefined && cause instanceof Unavailable && isUnmatched(cause.cause)) return 'replaced';
    if (planned && isArchived(cause)) return 'unreadable';
    throw cause;
  }
}

/** The object lies in a storage class from which it has to be restored first. */
function isArchived(cause: unknown): boolean {
  return cause instanceof Error && sdkErrorOf(cause.cause).name === 'InvalidObjectState';
}

/**
 * A small object comes in one request, whose checksum the SDK compares while it is read. Of a large one the first
 * request says size, etag and checksum; its ranges are then read side by side, each only while the etag is the same, so
 * that no file is mixed from two objects. S3 has no checksum of a range: the finished file is compared with the CRC32 of
 * the whole object where S3 keeps one, as it does of what this store uploads. Of a large object with another checksum
 * (CRC64NVME, or one of its parts) no more is checked than etag and length.
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/checking-object-integrity.html
 */
async function download(access: S3Access, source: Source, path: string): Promise<void> {
  const resource = s3Resource(source);
  const action = readAction(source.VersionId);
  const whole = new GetObjectCommand({ ...source, ChecksumMode: 'ENABLED' });
  const first = await callS3(
    access,
    action,
    resource,
    async () => {
      const answer = await access.client.send(whole);
      if ((answer.ContentLength ?? 0) > PART_BYTES) dropBody(answer);
      else await saveBody(answer, path);
      return answer;
    },
    (cause) => isMissing(cause) || isUnmatched(cause),
  ).catch(missing(resource));
  const size = first.ContentLength ?? 0;
  if (size <= PART_BYTES) return;
  await (await open(path, 'w')).close();
  const starts = Array.from({ length: Math.ceil(size / PART_BYTES) }, (_, at) => at * PART_BYTES);
  const bring = async (start: number): Promise<void> => {
    const Range = `bytes=${start}-${Math.min(start + PART_BYTES, size) - 1}`;
    const part = new GetObjectCommand({ ...(first.ETag && { IfMatch: first.ETag }), ...source, Range });
    const save = async (): Promise<void> => saveBody(await access.client.send(part), path, start);
    await callS3(access, action, resource, save, (cause) => isMissing(cause) || isUnmatched(cause));
  };
  await mapConcurrent(starts, bring, RANGES_AT_ONCE).catch(missing(resource));
  await verify(path, size, first, resource);
}

function missing(resource: string): (cause: unknown) => never {
  return (cause) => {
    if (isUnmatched(cause))
      throw new Unavailable(`${resource} was replaced while it was read; read it again`, { cause });
    if (isMissing(cause)) throw new ObjectNotFound(`no object at ${resource}`, { cause });
    throw cause;
  };
}

async function verify(
  path: string,
  size: number,
  { ChecksumCRC32: expected, ChecksumType }: GetObjectCommandOutput,
  resource: string,
): Promise<void> {
  const damaged = (got: string, wanted: string): Unavailable =>
    new Unavailable(`${resource} arrived damaged: got ${got}; expected ${wanted}. Read it again`);
  const file = await open(path);
  const found = await file.stat().finally(() => file.close());
  if (found.size !== size) throw damaged(`${found.size} bytes`, `${size}`);
  // The checksum of an object's parts, `<sum>-<parts>`, is none of its bytes.
  if (expected === undefined || expected.includes('-') || ChecksumType === 'COMPOSITE') return;
  const sum = await fileCrc32(path);
  if (sum !== expected) throw damaged(`CRC32 ${sum}`, expected);
}
