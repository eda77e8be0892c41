import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  HeadObjectCommand,
  PutObjectCommand,
  UploadPartCommand,
  type UploadPartCommandInput,
} from '@aws-sdk/client-s3';
import { InvalidInput, ObjectNotFound, Unavailable } from '../../../lib/core/errors.ts';
import { PART_BYTES } from '../../../lib/core/requests.ts';
import { brokenConnection, type FakeS3, s3Error, withFakeS3 } from './s3-fake.ts';

const KEY = 'silver/p/t/data/x.parquet';
const PLACE = { Bucket: 'lake-silver', Key: KEY };
const LARGE = randomBytes(2 * PART_BYTES + 5);
const LastModified = new Date(1_000);

/** Writes a finished file and lets S3 take every call of an upload, which answers with what is there afterwards. */
function prepare({ s3, scratch }: FakeS3, bytes: Uint8Array): string {
  const path = join(scratch, 'x.parquet');
  writeFileSync(path, bytes);
  s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'u1' });
  s3.on(UploadPartCommand).callsFake(({ PartNumber }: UploadPartCommandInput) => ({ ETag: `"p${PartNumber}"` }));
  s3.on(CompleteMultipartUploadCommand).resolves({});
  s3.on(AbortMultipartUploadCommand).resolves({});
  s3.on(PutObjectCommand).resolves({});
  s3.on(HeadObjectCommand).resolves({ ContentLength: bytes.length, ETag: '"e"', LastModified });
  return path;
}

const inputsOf = ({ s3 }: FakeS3, command: Parameters<FakeS3['s3']['commandCalls']>[0]): readonly unknown[] =>
  s3.commandCalls(command).map((call) => call.args[0].input);

describe('publishing', () => {
  it('sends a file of 16 MB at once, with a CRC32, and removes it', async () => {
    await withFakeS3(async (fake) => {
      const bytes = randomBytes(PART_BYTES);
      const path = prepare(fake, bytes);
      const info = await fake.store.publish(path, KEY);
      assert.deepEqual(info, { key: KEY, size: PART_BYTES, etag: 'e', modified: 1_000 });
      assert.deepEqual(inputsOf(fake, PutObjectCommand), [{ ...PLACE, Body: bytes, ChecksumAlgorithm: 'CRC32' }]);
      assert.equal(fake.s3.commandCalls(CreateMultipartUploadCommand).length, 0);
      assert.equal(existsSync(path), false);
    });
  });

  it('sends a larger one in parts, side by side, and has S3 compare the CRC32 of the whole', async () => {
    await withFakeS3(async (fake) => {
      const path = prepare(fake, LARGE);
      const second = Promise.withResolvers<void>();
      fake.s3.on(UploadPartCommand).callsFake(async ({ PartNumber, Body }: UploadPartCommandInput) => {
        // The first part is only done when another one is under way.
        if (PartNumber === 1) await second.promise;
        else second.resolve();
        return { ETag: `"p${PartNumber}-${(Body as Uint8Array).length}"` };
      });
      await fake.store.publish(path, KEY);
      assert.deepEqual(inputsOf(fake, CreateMultipartUploadCommand), [
        { ...PLACE, ChecksumAlgorithm: 'CRC32', ChecksumType: 'FULL_OBJECT' },
      ]);
      const parts = inputsOf(fake, UploadPartCommand) as readonly UploadPartCommandInput[];
      const inOrder = parts.toSorted((a, b) => (a.PartNumber ?? 0) - (b.PartNumber ?? 0));
      assert.equal(Buffer.compare(Buffer.concat(inOrder.map((part) => part.Body as Uint8Array)), LARGE), 0);
      assert.ok(parts.every((part) => part.UploadId === 'u1' && part.ChecksumAlgorithm === 'CRC32'));
      const sum = Buffer.alloc(4);
      sum.writeUInt32BE(crc32(LARGE));
      const Parts = [PART_BYTES, PART_BYTES, 5].map((size, at) => ({
        PartNumber: at + 1,
        ETag: `"p${at + 1}-${size}"`,
      }));
      assert.deepEqual(inputsOf(fake, CompleteMultipartUploadCommand), [
        {
          ...PLACE,
          UploadId: 'u1',
          ChecksumType: 'FULL_OBJECT',
          ChecksumCRC32: sum.toString('base64'),
          MultipartUpload: { Parts },
        },
      ]);
      assert.equal(fake.s3.commandCalls(AbortMultipartUploadCommand).length, 0);
      assert.equal(existsSync(path), false);
    });
  });

  it('sends a part again after a passing fault, and only that', async () => {
    await withFakeS3(async (fake) => {
      const path = prepare(fake, LARGE);
      fake.s3.on(UploadPartCommand).rejectsOnce(s3Error('SlowDown', 503)).resolves({ ETag: '"p"' });
      await fake.store.publish(path, KEY);
      assert.equal(fake.s3.commandCalls(UploadPartCommand).length, 4);
      assert.equal(fake.waits.length, 1);
    });
  });

  it('has nothing to send and finds it published: its repetition is harmless', async () => {
    await withFakeS3(async (fake) => {
      prepare(fake, new Uint8Array(3));
      assert.equal((await fake.store.publish(join(fake.scratch, 'none'), KEY)).size, 3);
      fake.s3.on(HeadObjectCommand).rejects(s3Error('NotFound', 404));
      await assert.rejects(fake.store.publish(join(fake.scratch, 'none'), KEY), (error) => {
        return error instanceof ObjectNotFound && /has no file to publish/.test(error.message);
      });
    });
  });
});

type Failure = {
  readonly what: string;
  readonly arrange: (fake: FakeS3) => void;
  readonly kind: typeof InvalidInput | typeof Unavailable;
  readonly message: RegExp;
};

const FAILURES: readonly Failure[] = [
  {
    what: 'a part is denied',
    arrange: ({ s3 }) => s3.on(UploadPartCommand, { PartNumber: 2 }).rejects(s3Error('AccessDenied', 403)),
    kind: InvalidInput,
    message: /Grant s3:PutObject on s3:\/\/lake-silver\/silver\/p\/t\/data\/x\.parquet/,
  },
  {
    what: 'a part fails until the deadline',
    arrange: ({ s3 }) => s3.on(UploadPartCommand, { PartNumber: 3 }).rejects(brokenConnection()),
    kind: Unavailable,
    message: /is not possible now: ECONNRESET/,
  },
  {
    what: 'S3 has put together other bytes',
    arrange: ({ s3 }) =>
      s3.on(CompleteMultipartUploadCommand).rejects(s3Error('InvalidRequest', 400, 'the checksum does not match')),
    kind: InvalidInput,
    message: /InvalidRequest: the checksum does not match/,
  },
];

describe('an upload that fails is aborted, and its file stays', () => {
  for (const { what, arrange, kind, message } of FAILURES) {
    it(what, async () => {
      await withFakeS3(async (fake) => {
        const path = prepare(fake, LARGE);
        arrange(fake);
        await assert.rejects(
          fake.store.publish(path, KEY),
          (error) => error instanceof kind && message.test(error.message),
        );
        assert.deepEqual(inputsOf(fake, AbortMultipartUploadCommand), [{ ...PLACE, UploadId: 'u1' }]);
        assert.equal(existsSync(path), true);
      });
    });
  }

  it('also when aborting fails, with the first failure', async () => {
    await withFakeS3(async (fake) => {
      const path = prepare(fake, LARGE);
      fake.s3.on(UploadPartCommand).rejects(s3Error('AccessDenied', 403));
      fake.s3.on(AbortMultipartUploadCommand).rejects(s3Error('SlowDown', 503));
      await assert.rejects(fake.store.publish(path, KEY), /Grant s3:PutObject/);
    });
  });
});

describe('completing', () => {
  it('is done when the answer was lost and the upload is gone', async () => {
    await withFakeS3(async (fake) => {
      const path = prepare(fake, LARGE);
      fake.s3.on(CompleteMultipartUploadCommand).rejectsOnce(brokenConnection()).rejects(s3Error('NoSuchUpload', 404));
      await fake.store.publish(path, KEY);
      assert.equal(fake.s3.commandCalls(AbortMultipartUploadCommand).length, 0);
      assert.equal(existsSync(path), false);
    });
  });

  it('is not done when the upload was gone before', async () => {
    await withFakeS3(async (fake) => {
      const path = prepare(fake, LARGE);
      fake.s3.on(CompleteMultipartUploadCommand).rejects(s3Error('NoSuchUpload', 404));
      await assert.rejects(fake.store.publish(path, KEY), /NoSuchUpload/);
      assert.equal(existsSync(path), true);
    });
  });
});
