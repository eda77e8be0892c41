import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GetObjectCommand, HeadObjectCommand } from '@aws-sdk/client-s3';
import { InvalidInput, ObjectNotFound, Unavailable } from '../../../lib/core/errors.ts';
import { bodyOf, s3Error, withFakeS3 } from './s3-fake.ts';

const KEY = 'ops/p/plan.json';
const TEXT = new TextEncoder().encode('{"a":1}');

describe('reading', () => {
  it('asks for the checksum and gives bytes and plain etag', async () => {
    await withFakeS3(async ({ s3, store }) => {
      s3.on(GetObjectCommand, { Bucket: 'lake-ops', Key: KEY, ChecksumMode: 'ENABLED' }).resolves({
        Body: bodyOf(TEXT),
        ETag: '"abc"',
      });
      assert.deepEqual(await store.read(KEY), { bytes: TEXT, etag: 'abc' });
    });
  });

  const MISSING = [s3Error('NoSuchKey', 404), s3Error('NotFound', 404)];
  for (const error of MISSING) {
    it(`answers ${error.name} with ObjectNotFound, or undefined from head`, async () => {
      await withFakeS3(async ({ s3, store, waits }) => {
        s3.on(GetObjectCommand).rejects(error);
        s3.on(HeadObjectCommand).rejects(error);
        await assert.rejects(store.read(KEY), ObjectNotFound);
        assert.equal(await store.head(KEY), undefined);
        assert.deepEqual(waits, []);
      });
    });
  }

  it('reads again when the answer breaks off, is damaged or has no body', async () => {
    await withFakeS3(async ({ s3, store, waits }) => {
      s3.on(GetObjectCommand)
        .resolvesOnce({ Body: bodyOf(TEXT.subarray(0, 3), new Error('aborted')) })
        .resolvesOnce({ Body: bodyOf(TEXT, new Error('Checksum mismatch: expected "a" but received "b"')) })
        .resolvesOnce({})
        .resolves({ Body: bodyOf(TEXT), ETag: '"abc"' });
      assert.deepEqual((await store.read(KEY)).bytes, TEXT);
      assert.equal(waits.length, 3);
    });
  });

  it('is Unavailable when it is damaged every time', async () => {
    await withFakeS3(async ({ s3, store }) => {
      s3.on(GetObjectCommand).callsFake(() => ({ Body: bodyOf(TEXT, new Error('Checksum mismatch: expected "a"')) }));
      await assert.rejects(store.read(KEY), (error) => {
        assert.ok(error instanceof Unavailable);
        assert.match(error.message, /^s3:GetObject on s3:\/\/lake-ops\/ops\/p\/plan\.json .*Checksum mismatch/);
        return true;
      });
    });
  });

  const REFUSALS: readonly (readonly [string, number, RegExp])[] = [
    ['AccessDenied', 403, /Grant s3:GetObject on s3:\/\/lake-ops\/ops\/p\/plan\.json/],
    ['NoSuchBucket', 404, /no such bucket/],
    ['ExpiredToken', 400, /log in again/],
  ];
  for (const [name, status, message] of REFUSALS) {
    it(`${name} is InvalidInput`, async () => {
      await withFakeS3(async ({ s3, store }) => {
        s3.on(GetObjectCommand).rejects(s3Error(name, status));
        await assert.rejects(store.read(KEY), (error) => error instanceof InvalidInput && message.test(error.message));
      });
    });
  }
});

describe('head', () => {
  const LastModified = new Date('2026-01-02T03:04:05Z');

  it('describes a version of bronze; elsewhere versions are for people', async () => {
    await withFakeS3(async ({ s3, store }) => {
      s3.on(HeadObjectCommand).resolves({ ContentLength: 7, ETag: '"e"', LastModified, VersionId: 'v1' });
      const info = { size: 7, etag: 'e', modified: LastModified.getTime() };
      assert.deepEqual(await store.head('bronze/p/s/a', 'v1'), { key: 'bronze/p/s/a', ...info, version: 'v1' });
      assert.deepEqual(await store.head(KEY), { key: KEY, ...info });
      const inputs = s3.commandCalls(HeadObjectCommand).map((call) => call.args[0].input);
      assert.deepEqual(inputs, [
        { Bucket: 'lake-bronze', Key: 'bronze/p/s/a', VersionId: 'v1' },
        { Bucket: 'lake-ops', Key: KEY },
      ]);
    });
  });

  it('a version that is gone is no object, and one that is denied names the right to versions', async () => {
    await withFakeS3(async ({ s3, store }) => {
      s3.on(HeadObjectCommand).rejectsOnce(s3Error('NoSuchVersion', 404)).rejects(s3Error('Unknown', 403));
      assert.equal(await store.head('bronze/p/s/a', 'v1'), undefined);
      await assert.rejects(store.head('bronze/p/s/a', 'v1'), /Grant s3:GetObjectVersion on s3:\/\/lake-bronze\//);
    });
  });
});
