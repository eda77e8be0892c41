import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import { GetObjectCommand, type GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { ObjectNotFound, Unavailable } from '../../core/errors.ts';
import { type ObjectVersion, objectName } from '../../core/objects.ts';
import type { Borrowed } from '../../ports.ts';
import { callS3, isMissing, type Place, placeOf, type S3Access, s3Resource } from './s3-calls.ts';
import { inTurns } from './s3-turns.ts';

/** Objects above this size are read in ranges of it, in bytes. */
export const RANGE_BYTES = 16 * 2 ** 20;

const OBJECTS_AT_ONCE = 8;
const RANGES_AT_ONCE = 4;

/** Brings objects to files of a new folder below `scratch`. Throws ObjectNotFound for the first that is missing. */
export async function borrowObjects(
  access: S3Access,
  scratch: string,
  objects: readonly ObjectVersion[],
): Promise<Borrowed> {
  const places = new Map(objects.map((object) => [objectName(object), { object, place: placeOf(access, object.key) }]));
  if (places.size === 0) return { paths: new Map(), release: async () => {} };
  await mkdir(scratch, { recursive: true });
  const folder = await mkdtemp(join(scratch, 'borrowed-'));
  const release = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    const entries = await inTurns(OBJECTS_AT_ONCE, [...places], async ([name, { object, place }], at) => {
      // Readers tell formats and compressions by the end of a name.
      const path = join(folder, `${at}-${(object.key.split('/').at(-1) ?? '').slice(-100)}`);
      await download(access, { ...place, ...(object.version && { VersionId: object.version }) }, path);
      return [name, path] as const;
    });
    return { paths: new Map(entries), release };
  } catch (cause) {
    await release();
    throw cause;
  }
}

type Source = Place & { readonly VersionId?: string };

/**
 * A small object comes in one request, whose checksum the SDK verifies while it is read. Of a large one the first
 * request says size, etag and checksum; its ranges are then read side by side, each only while the etag is the same,
 * and the checksum is verified over the finished file where S3 keeps one of the whole object.
 */
async function download(access: S3Access, source: Source, path: string): Promise<void> {
  const resource = s3Resource(source);
  const large = await callS3(
    access,
    'GetObject',
    resource,
    async () => {
      const answer = await get(access, { ...source, ChecksumMode: 'ENABLED' });
      if ((answer.ContentLength ?? 0) > RANGE_BYTES) {
        bodyOf(answer).destroy();
        return answer;
      }
      await pipeline(bodyOf(answer), createWriteStream(path));
      return undefined;
    },
    isMissing,
  ).catch((cause: unknown) => {
    if (isMissing(cause)) throw new ObjectNotFound(`no object at ${resource}`, { cause });
    throw cause;
  });
  if (large === undefined) return;
  await (await open(path, 'w')).close();
  const size = large.ContentLength ?? 0;
  const starts = Array.from({ length: Math.ceil(size / RANGE_BYTES) }, (_, at) => at * RANGE_BYTES);
  await inTurns(RANGES_AT_ONCE, starts, async (start) => {
    const end = Math.min(start + RANGE_BYTES, size) - 1;
    await callS3(access, 'GetObject', resource, async () => {
      const condition = large.ETag === undefined ? {} : { IfMatch: large.ETag };
      const part = await get(access, { ...source, ...condition, Range: `bytes=${start}-${end}` });
      await pipeline(bodyOf(part), createWriteStream(path, { flags: 'r+', start }));
    });
  });
  await verify(path, large, resource);
}

async function get(
  { client }: S3Access,
  input: ConstructorParameters<typeof GetObjectCommand>[0],
): Promise<GetObjectCommandOutput> {
  return client.send(new GetObjectCommand(input));
}

function bodyOf({ Body }: GetObjectCommandOutput): Readable {
  if (Body instanceof Readable) return Body;
  throw new Unavailable('s3:GetObject answered without a body');
}

async function verify(
  path: string,
  { ChecksumCRC32, ChecksumType }: GetObjectCommandOutput,
  resource: string,
): Promise<void> {
  // A checksum of parts (COMPOSITE) is no checksum of the bytes of the file.
  if (ChecksumCRC32 === undefined || ChecksumType !== 'FULL_OBJECT') return;
  let sum = 0;
  for await (const chunk of createReadStream(path)) sum = crc32(chunk as Buffer, sum);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(sum);
  const found = bytes.toString('base64');
  if (found === ChecksumCRC32) return;
  throw new Unavailable(`${resource} arrived damaged: got CRC32 ${found}; expected ${ChecksumCRC32}. It is read again`);
}
