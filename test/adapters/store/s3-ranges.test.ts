import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { GetObjectCommand, type GetObjectCommandInput, HeadObjectCommand } from '@aws-sdk/client-s3';
import { ObjectNotFound, Unavailable } from '../../../lib/core/errors.ts';
import { bytesOf, textOf } from '../../ports/store-contract.ts';
import { bodyOf, brokenConnection, type FakeS3, s3Error, slice, withFakeS3 } from './s3-fake.ts';

const WHOLE = bytesOf('0123456789');
const KEY = 'silver/p/t/data/a.parquet';

function serve({ s3 }: FakeS3): void {
  s3.on(GetObjectCommand).callsFake(({ Range }: GetObjectCommandInput) => {
    const body = slice(WHOLE, Range);
    if (body.length === 0) throw s3Error('InvalidRange', 416);
    return { Body: bodyOf(body), ContentLength: body.length, ETag: '"e"' };
  });
  s3.on(HeadObjectCommand).resolves({ ContentLength: WHOLE.length, ETag: '"e"' });
}

const asked = ({ s3 }: FakeS3): readonly unknown[] =>
  s3.commandCalls(GetObjectCommand).map(({ args }) => [args[0].input.Range, args[0].input.IfMatch]);

describe('ranges of objects in S3', () => {
  it('are asked for with the etag of the object', async () => {
    await withFakeS3(async (fake) => {
      serve(fake);
      assert.deepEqual(await fake.store.readRange(KEY, 2, 5), { bytes: bytesOf('234'), etag: 'e' });
      await fake.store.readRange(KEY, 5, 99, 'e');
      assert.deepEqual(asked(fake), [
        ['bytes=2-4', undefined],
        ['bytes=5-98', '"e"'],
      ]);
    });
  });

  it('of a version are of that version, whatever stands under the name now', async () => {
    await withFakeS3(async (fake) => {
      serve(fake);
      await fake.store.readRange({ key: KEY, version: 'v1' }, 2, 5, 'e');
      const [call] = fake.s3.commandCalls(GetObjectCommand);
      assert.deepEqual([call?.args[0].input.VersionId, call?.args[0].input.IfMatch], ['v1', undefined]);
    });
  });

  it('are empty past the end, and where nothing is asked for', async () => {
    await withFakeS3(async (fake) => {
      serve(fake);
      assert.deepEqual(await fake.store.readRange(KEY, 10, 12), { bytes: new Uint8Array(), etag: 'e' });
      assert.deepEqual(await fake.store.readRange(KEY, 3, 3, 'e'), { bytes: new Uint8Array(), etag: 'e' });
      assert.equal(fake.s3.commandCalls(HeadObjectCommand)[1]?.args[0].input.IfMatch, '"e"');
    });
  });

  it('that do not arrive whole are asked for again', async () => {
    await withFakeS3(async (fake) => {
      fake.s3
        .on(GetObjectCommand)
        .resolvesOnce({ Body: bodyOf(bytesOf('23'), brokenConnection()), ContentLength: 3, ETag: '"e"' })
        .resolvesOnce({ Body: bodyOf(bytesOf('23')), ContentLength: 3, ETag: '"e"' })
        .resolves({ Body: bodyOf(bytesOf('234')), ContentLength: 3, ETag: '"e"' });
      assert.equal(textOf((await fake.store.readRange(KEY, 2, 5)).bytes), '234');
      assert.equal(fake.waits.length, 2);
    });
  });

  it('are of one object or none', async () => {
    await withFakeS3(async (fake) => {
      fake.s3.on(GetObjectCommand).rejects(s3Error('PreconditionFailed', 412));
      await assert.rejects(fake.store.readRange(KEY, 0, 2, 'e'), Unavailable);
      fake.s3.on(GetObjectCommand).rejects(s3Error('NoSuchKey', 404));
      await assert.rejects(fake.store.readRange(KEY, 0, 2, 'e'), ObjectNotFound);
    });
  });

  it('lie in files with holes, whose end is given', async () => {
    await withFakeS3(async (fake) => {
      serve(fake);
      const ranges = [
        { start: 1, end: 3 },
        { start: 5, end: 6 },
      ];
      const end = { start: 8, bytes: bytesOf('other') };
      const borrowed = await fake.store.borrowParts([{ key: KEY, etag: 'e', ranges, end }]);
      const path = borrowed.paths.get(KEY) ?? '';
      assert.equal(await readFile(path, 'latin1'), '\0' + '12\0\0' + '5\0\0other');
      assert.deepEqual(asked(fake), [
        ['bytes=1-2', '"e"'],
        ['bytes=5-5', '"e"'],
      ]);
      await borrowed[Symbol.asyncDispose]();
      await assert.rejects(readFile(path));
    });
  });

  it('leave nothing behind when one does not come', async () => {
    await withFakeS3(async (fake) => {
      serve(fake);
      const end = { start: 30, bytes: bytesOf('x') };
      const parts = { key: KEY, etag: 'e', ranges: [{ start: 4, end: 20 }], end };
      await assert.rejects(fake.store.borrowParts([parts]), (error: Error) => {
        assert.ok(error instanceof Unavailable);
        assert.match(error.message, /has only 6 of 16 bytes from 4/);
        return true;
      });
    });
  });
});
