import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { S3ClientResolvedConfig, ServiceInputTypes, ServiceOutputTypes } from '@aws-sdk/client-s3';
import { type GetObjectCommandOutput, S3Client, S3ServiceException } from '@aws-sdk/client-s3';
import { type AwsStub, mockClient } from 'aws-sdk-client-mock';
import { createS3Store, type S3StoreOptions } from '../../../lib/adapters/store/s3.ts';
import type { ObjectStore } from '../../../lib/ports.ts';

export const BUCKETS = { bronze: 'lake-bronze', silver: 'lake-silver', gold: 'lake-gold', ops: 'lake-ops' };

/** A store whose client answers what a test says, and whose time passes only while it waits. */
export type FakeS3 = {
  readonly s3: AwsStub<ServiceInputTypes, ServiceOutputTypes, S3ClientResolvedConfig>;
  readonly store: ObjectStore;
  readonly scratch: string;
  /** Milliseconds of every pause so far; each is the longest that its jitter allows. */
  readonly waits: readonly number[];
};

/** Milliseconds for which the store tries passing faults again. */
export const DEADLINE_MS = 10_000;

export async function withFakeS3(
  use: (fake: FakeS3) => Promise<void>,
  options: Partial<Pick<S3StoreOptions, 'buckets' | 'client'>> = {},
): Promise<void> {
  const scratch = mkdtempSync(join(tmpdir(), 'strata-s3-'));
  const client = new S3Client({ region: 'eu-central-1', credentials: { accessKeyId: 'a', secretAccessKey: 'b' } });
  const s3 = mockClient(client);
  s3.onAnyCommand().callsFake((input: unknown) => assert.fail(`not expected: ${JSON.stringify(input)}`));
  let now = 0;
  const waits: number[] = [];
  const wait = async (ms: number): Promise<void> => {
    waits.push(ms);
    now += ms;
  };
  const time = { deadlineMs: DEADLINE_MS, wait, now: () => now, random: () => 1 };
  const store = createS3Store({ client, buckets: BUCKETS, scratch: join(scratch, 'borrowed'), ...time, ...options });
  try {
    await use({ s3, store, scratch, waits });
  } finally {
    s3.restore();
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** An error as the SDK throws it. */
export function s3Error(name: string, status: number, message = `${name} happened`): S3ServiceException {
  return new S3ServiceException({ name, message, $fault: 'client', $metadata: { httpStatusCode: status } });
}

/** A connection that broke: no answer, so nobody knows what happened. */
export function brokenConnection(): Error {
  return Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
}

/** A body as the SDK gives it; with an error, it breaks off after the bytes. */
export function bodyOf(bytes: Uint8Array, error?: Error): NonNullable<GetObjectCommandOutput['Body']> {
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes;
    if (error !== undefined) throw error;
  };
  const stream = Readable.from(chunks(), { objectMode: false });
  const transformToByteArray = async (): Promise<Uint8Array> => {
    const parts: Buffer[] = [];
    for await (const part of stream) parts.push(part as Buffer);
    return new Uint8Array(Buffer.concat(parts));
  };
  return Object.assign(stream, { transformToByteArray }) as unknown as NonNullable<GetObjectCommandOutput['Body']>;
}

/** The bytes of a request's `Range`, `bytes=<first>-<last>`. */
export function slice(bytes: Uint8Array, range: string | undefined): Uint8Array {
  const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? [];
  assert.ok(first !== undefined && last !== undefined, `no range: ${range}`);
  return bytes.subarray(Number(first), Number(last) + 1);
}
