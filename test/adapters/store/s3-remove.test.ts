import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DeleteObjectCommand, DeleteObjectsCommand, type DeleteObjectsCommandInput } from '@aws-sdk/client-s3';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import { removeObjects } from '../../../lib/table/remove-objects.ts';
import { type FakeS3, s3Error, withFakeS3 } from './s3-fake.ts';

type Refusal = { readonly Key?: string; readonly Code: string; readonly Message: string };

const slow = (Key: string): Refusal => ({ Key, Code: 'SlowDown', Message: 'Please reduce your request rate.' });
const denied = (Key: string): Refusal => ({ Key, Code: 'AccessDenied', Message: 'Access Denied' });
const KEYS = ['ops/p/a', 'ops/p/b', 'ops/p/c'];

/** What S3 says of keys, one request after another; the last answer is repeated. */
function answer({ s3 }: FakeS3, answers: readonly (readonly Refusal[])[]): void {
  let at = 0;
  s3.on(DeleteObjectsCommand).callsFake(() => {
    at += 1;
    return { Errors: answers[Math.min(at, answers.length) - 1] };
  });
}

/** Bucket and keys of each request. */
function sent({ s3 }: FakeS3): readonly (readonly (string | undefined)[])[] {
  return s3.commandCalls(DeleteObjectsCommand).map((call) => {
    const { Bucket, Delete }: DeleteObjectsCommandInput = call.args[0].input;
    return [Bucket, ...(Delete?.Objects ?? []).map(({ Key }) => Key)];
  });
}

describe('objects are removed together', () => {
  it('a thousand by a request, to each bucket its own', async () => {
    await withFakeS3(async (fake) => {
      answer(fake, [[]]);
      const keys = Array.from({ length: 2_001 }, (_, n) => `${n === 2_000 ? 'ops' : 'silver'}/p/t/${n}`);
      await removeObjects(fake.store, ['gold/p/t/x', ...keys]);
      assert.deepEqual(
        sent(fake).map(([bucket, ...of]) => [bucket, of.length, of[0]]),
        [
          ['lake-gold', 1, 'gold/p/t/x'],
          ['lake-silver', 999, 'silver/p/t/0'],
          ['lake-silver', 1000, 'silver/p/t/999'],
          ['lake-silver', 1, 'silver/p/t/1999'],
          ['lake-ops', 1, 'ops/p/t/2000'],
        ],
      );
      const [call] = fake.s3.commandCalls(DeleteObjectsCommand);
      assert.deepEqual([call?.args[0].input.Delete?.Quiet, call?.args[0].input.ChecksumAlgorithm], [true, 'CRC32']);
    });
  });

  it('one by one where XML cannot hold their keys', async () => {
    await withFakeS3(async (fake) => {
      answer(fake, [[]]);
      fake.s3.on(DeleteObjectCommand).resolves({});
      await removeObjects(fake.store, ['ops/p/a', 'ops/p/\u0001', 'ops/p/new\nline', 'ops/p/end ']);
      assert.deepEqual(sent(fake), [['lake-ops', 'ops/p/a']]);
      const alone = fake.s3.commandCalls(DeleteObjectCommand).map((call) => call.args[0].input.Key);
      assert.deepEqual(alone, ['ops/p/\u0001', 'ops/p/new\nline', 'ops/p/end ']);
    });
  });

  it('those for which a fault passes are asked for again, without the others', async () => {
    await withFakeS3(async (fake) => {
      answer(fake, [KEYS.slice(1).map(slow), [slow('ops/p/c')], []]);
      await removeObjects(fake.store, KEYS);
      assert.deepEqual(sent(fake), [
        ['lake-ops', ...KEYS],
        ['lake-ops', 'ops/p/b', 'ops/p/c'],
        ['lake-ops', 'ops/p/c'],
      ]);
      assert.deepEqual(fake.waits, [200, 400]);
    });
  });

  it('all of them where a fault that passes names no key', async () => {
    await withFakeS3(async (fake) => {
      answer(fake, [[slow('ops/p/c'), { Code: 'SlowDown', Message: 'Please reduce your request rate.' }], []]);
      await removeObjects(fake.store, KEYS);
      assert.deepEqual(sent(fake), [
        ['lake-ops', ...KEYS],
        ['lake-ops', ...KEYS],
      ]);
    });
  });

  it('each key that was refused is named, when the others are gone', async () => {
    await withFakeS3(async (fake) => {
      answer(fake, [[denied('ops/p/a'), slow('ops/p/b')], []]);
      await assert.rejects(removeObjects(fake.store, KEYS), (error) => {
        assert.ok(error instanceof InvalidInput);
        assert.match(
          error.message,
          /^s3:DeleteObject on s3:\/\/lake-ops\/ops\/p\/a failed: AccessDenied: not removed \(1\): /,
        );
        assert.match(
          error.message,
          /ops\/p\/a: AccessDenied \(Access Denied\)\. Grant s3:DeleteObject on s3:\/\/lake-ops/,
        );
        return true;
      });
      assert.deepEqual(sent(fake)[1], ['lake-ops', 'ops/p/b']);
    });
  });

  it('end as Unavailable, with the keys that are left, where faults do not pass', async () => {
    await withFakeS3(async (fake) => {
      const many = Array.from({ length: 12 }, (_, n) => `ops/p/${n}`);
      answer(fake, [many.map(slow)]);
      await assert.rejects(removeObjects(fake.store, many), (error) => {
        assert.ok(error instanceof Unavailable);
        assert.match(error.message, /SlowDown: not removed \(12\): ops\/p\/0: .*ops\/p\/9: .*, and 2 more$/);
        return true;
      });
    });
  });

  it('a request that is refused as a whole names the right', async () => {
    await withFakeS3(async (fake) => {
      fake.s3.on(DeleteObjectsCommand).rejects(s3Error('AccessDenied', 403));
      await assert.rejects(removeObjects(fake.store, KEYS), /Grant s3:DeleteObject on s3:\/\/lake-ops\//);
    });
  });
});
