import { createReadStream, createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { crc32 } from 'node:zlib';
import type { GetObjectCommandOutput } from '@aws-sdk/client-s3';
import { InvalidInput, Unavailable } from '../../core/errors.ts';

/**
 * The bytes of an answer. Throws Unavailable when they break off or differ from S3's checksum, which the SDK compares
 * while they come.
 */
export async function readBody({ Body }: GetObjectCommandOutput): Promise<Uint8Array> {
  if (Body === undefined) throw new Unavailable('the answer has no body');
  return Body.transformToByteArray().catch(interrupted);
}

/**
 * Writes an answer to a file of its own, or from the byte `start` on into one that exists. Throws Unavailable as
 * `readBody` does, InvalidInput when the file cannot be written.
 */
export async function saveBody(answer: GetObjectCommandOutput, path: string, start?: number): Promise<void> {
  const place = start === undefined ? { flags: 'w' } : { flags: 'r+', start };
  try {
    await pipeline(arriving(streamOf(answer)), createWriteStream(path, place));
  } catch (cause) {
    if (cause instanceof Unavailable) throw cause;
    throw new InvalidInput(`cannot write to ${path}: ${String(cause)}. Make room there, or name another folder`, [], {
      cause,
    });
  }
}

/** Gives up an answer whose body is not wanted, and its connection with it. */
export function dropBody(answer: GetObjectCommandOutput): void {
  streamOf(answer).destroy();
}

/** CRC32 of a file as S3 writes it: four bytes, the highest first, in base64. */
export async function fileCrc32(path: string): Promise<string> {
  let sum = 0;
  for await (const chunk of createReadStream(path, { highWaterMark: 2 ** 20 })) sum = crc32(chunk as Buffer, sum);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(sum);
  return bytes.toString('base64');
}

function streamOf({ Body }: GetObjectCommandOutput): Readable {
  if (Body instanceof Readable) return Body;
  throw new Unavailable('the answer has no body');
}

/** Tells faults of the body from faults of the disk, which a pipeline reports alike. */
async function* arriving(body: Readable): AsyncGenerator<unknown> {
  try {
    yield* body;
  } catch (cause) {
    interrupted(cause);
  }
}

function interrupted(cause: unknown): never {
  const message = cause instanceof Error ? cause.message : String(cause);
  throw new Unavailable(`the answer did not arrive as it was sent: ${message}`, { cause });
}
