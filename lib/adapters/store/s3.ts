import { setTimeout as sleep } from 'node:timers/promises';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { InvalidInput, ObjectNotFound, Unavailable } from '../../core/errors.ts';
import type { ObjectVersion } from '../../core/objects.ts';
import type { ObjectInfo, ObjectStore, WriteCondition, WriteOutcome } from '../../ports.ts';
import { checkFolderPrefix, checkPrefix } from './keys.ts';
import { readBody } from './s3-body.ts';
import {
  callS3,
  isContended,
  isMissing,
  isRefused,
  type Place,
  pause,
  placeOf,
  plainEtag,
  readAction,
  type S3Access,
  s3Resource,
} from './s3-calls.ts';
import { borrowObjects } from './s3-download.ts';
import { listNames, listObjects } from './s3-list.ts';
import { borrowParts, readRange } from './s3-ranges.ts';
import { removeObject, removeObjects } from './s3-remove.ts';
import { uploadFile } from './s3-upload.ts';

export type S3StoreOptions = {
  /** Make it with `maxAttempts: 1`: the store repeats calls itself, and has to know when it does. */
  readonly client: S3Client;
  /** The buckets that may be used, by zone. */
  readonly buckets: S3Access['buckets'];
  /** A folder for borrowed files; made when first needed. */
  readonly scratch: string;
  /** Bytes that there are for borrowed files; left out: nobody says. */
  readonly room?: number;
  /** Milliseconds for which passing faults of one call are tried again. Default one minute. */
  readonly deadlineMs?: number;
  readonly wait?: (ms: number) => Promise<void>;
  readonly now?: () => number;
  readonly random?: () => number;
};

/** How often S3 is asked again while another conditional write of the same key is under way. */
const CONTENDED_ATTEMPTS = 10;

/**
 * An object store over four buckets, one for each zone; the whole key is the object's key. Conditional writes are S3's
 * own (If-None-Match, If-Match). Passing faults are tried again until a deadline; what is refused ends in an error that
 * names the call and what to grant.
 * Source: docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
 */
export function createS3Store(options: S3StoreOptions): ObjectStore {
  const access: S3Access = {
    client: options.client,
    buckets: options.buckets,
    deadlineMs: options.deadlineMs ?? 60_000,
    wait: options.wait ?? ((ms) => sleep(ms)),
    now: options.now ?? Date.now,
    random: options.random ?? Math.random,
  };
  return {
    ...(options.room === undefined ? {} : { room: options.room }),
    read: (key) => readObject(access, key),
    readRange: (object, start, end, etag) => readRange(access, versionOf(object), { start, end }, etag),
    head: (key, version) => headObject(access, key, version),
    list(prefix, listOptions = {}) {
      checkPrefix(prefix);
      return listObjects(access, prefix, listOptions);
    },
    async folders(prefix) {
      checkFolderPrefix(prefix);
      const names = await listNames(access, prefix);
      return names.flatMap((name) => (name.endsWith('/') ? [name.slice(0, -1)] : []));
    },
    async names(prefix) {
      checkFolderPrefix(prefix);
      return listNames(access, prefix);
    },
    write: async (key, bytes, condition) => writeObject(access, placeOf(access, key), bytes, condition),
    remove: async (key) => removeObject(access, key),
    removeAll: (keys) => removeObjects(access, keys),
    borrow: async (objects) =>
      borrowObjects(
        access,
        options.scratch,
        objects.map((o) => (typeof o === 'string' ? { key: o } : o)),
      ),
    borrowParts: (objects) => borrowParts(access, options.scratch, objects),
    async publish(path, key) {
      const uploaded = await uploadFile(access, path, placeOf(access, key));
      const info = await headObject(access, key);
      if (info !== undefined) return info;
      const what = uploaded ? 'was removed while it was published' : 'has no file to publish';
      throw new ObjectNotFound(`${JSON.stringify(key)} ${what}: ${JSON.stringify(path)}`);
    },
    location: (key) => s3Resource(placeOf(access, key)),
    key: (location) => keyOf(access, location),
  };
}

function versionOf(object: string | ObjectVersion): ObjectVersion {
  return typeof object === 'string' ? { key: object } : object;
}

async function readObject(access: S3Access, key: string): Promise<{ bytes: Uint8Array; etag: string }> {
  const place = placeOf(access, key);
  try {
    return await callS3(
      access,
      'GetObject',
      s3Resource(place),
      async () => {
        const answer = await access.client.send(new GetObjectCommand({ ...place, ChecksumMode: 'ENABLED' }));
        return { bytes: await readBody(answer), etag: plainEtag(answer.ETag) };
      },
      isMissing,
    );
  } catch (cause) {
    if (isMissing(cause)) throw new ObjectNotFound(`no object at ${s3Resource(place)}`, { cause });
    throw cause;
  }
}

async function headObject(access: S3Access, key: string, version?: string): Promise<ObjectInfo | undefined> {
  const place = placeOf(access, key);
  const input = version === undefined ? place : { ...place, VersionId: version };
  try {
    const answer = await callS3(
      access,
      readAction(version),
      s3Resource(place),
      () => access.client.send(new HeadObjectCommand(input)),
      isMissing,
    );
    const modified = answer.LastModified?.getTime() ?? 0;
    const info = { key, size: answer.ContentLength ?? 0, etag: plainEtag(answer.ETag), modified };
    // As `list` tells: the other zones keep versions for people only.
    const kept = key.startsWith('bronze/') ? answer.VersionId : undefined;
    return kept === undefined ? info : { ...info, version: kept };
  } catch (cause) {
    if (isMissing(cause)) return undefined;
    throw cause;
  }
}

/**
 * A write whose answer was lost may have happened: a refusal of its repetition is settled by what stands under the key.
 */
async function writeObject(
  access: S3Access,
  place: Place,
  bytes: Uint8Array,
  condition: WriteCondition,
): Promise<WriteOutcome> {
  const resource = s3Resource(place);
  let doubtful = false;
  for (let contended = 1; ; contended += 1) {
    try {
      const answer = await callS3(
        access,
        'PutObject',
        resource,
        (attempt) => {
          doubtful ||= attempt > 1;
          const command = new PutObjectCommand({
            ...place,
            ...headersOf(condition),
            Body: bytes,
            ChecksumAlgorithm: 'CRC32',
          });
          return access.client.send(command);
        },
        (cause) => condition.kind !== 'any' && (isRefused(cause) || isContended(cause)),
      );
      return { kind: 'written', etag: plainEtag(answer.ETag) };
    } catch (cause) {
      if (condition.kind === 'any') throw cause;
      if (isRefused(cause)) return doubtful ? settle(access, place, bytes) : { kind: 'conflict' };
      if (!isContended(cause)) throw cause;
      if (contended === CONTENDED_ATTEMPTS) {
        throw new Unavailable(`s3:PutObject on ${resource}: others write the same key all the time; try again`, {
          cause,
        });
      }
      await pause(access, contended);
    }
  }
}

function headersOf(condition: WriteCondition): { IfNoneMatch?: string; IfMatch?: string } {
  switch (condition.kind) {
    case 'any':
      return {};
    case 'absent':
      return { IfNoneMatch: '*' };
    case 'match':
      return { IfMatch: `"${condition.etag}"` };
  }
}

async function settle(access: S3Access, place: Place, bytes: Uint8Array): Promise<WriteOutcome> {
  try {
    const found = await readObject(access, place.Key);
    return Buffer.compare(found.bytes, bytes) === 0 ? { kind: 'written', etag: found.etag } : { kind: 'conflict' };
  } catch (cause) {
    if (cause instanceof ObjectNotFound) return { kind: 'conflict' };
    throw cause;
  }
}

function keyOf({ buckets }: S3Access, location: string): string {
  for (const [zone, bucket] of Object.entries(buckets)) {
    const base = `s3://${bucket}/`;
    const key = location.startsWith(base) ? location.slice(base.length) : '';
    if (key.startsWith(`${zone}/`) && placeOf({ buckets }, key).Key === key) return key;
  }
  const bases = Object.entries(buckets).map(([zone, bucket]) => `s3://${bucket}/${zone}/`);
  throw new InvalidInput(
    `location outside this lake: got ${JSON.stringify(location)}; expected text that begins with ${bases.join(' or ')}`,
  );
}
