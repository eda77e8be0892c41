import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ListObjectsV2Command, type ListObjectsV2CommandInput, ListObjectVersionsCommand } from '@aws-sdk/client-s3';
import { InvalidInput } from '../../../lib/core/errors.ts';
import type { ObjectStore } from '../../../lib/ports.ts';
import { listed } from '../../ports/store-versions.ts';
import { s3Error, withFakeS3 } from './s3-fake.ts';

const LastModified = new Date(5_000);
const object = (Key: string, Size = 1): object => ({ Key, Size, ETag: `"e-${Key}"`, LastModified });

const keysOf = async (store: ObjectStore, prefix: string): Promise<readonly string[]> =>
  (await listed(store, prefix)).map((info) => info.key);

describe('listing what is current', () => {
  it('goes on page by page and decodes the keys', async () => {
    await withFakeS3(async ({ s3, store }) => {
      s3.on(ListObjectsV2Command).callsFake(({ ContinuationToken }: ListObjectsV2CommandInput) =>
        ContinuationToken === undefined
          ? { Contents: [object('ops/p/a%2Bb'), object('ops/p/c+d')], NextContinuationToken: 't', EncodingType: 'url' }
          : { Contents: [object('ops/p/e%0Af%25')], EncodingType: 'url' },
      );
      const [first] = await listed(store, 'ops/p/');
      assert.deepEqual(first, { key: 'ops/p/a+b', size: 1, etag: 'e-ops/p/a%2Bb', modified: 5_000 });
      assert.deepEqual(await keysOf(store, 'ops/p/'), ['ops/p/a+b', 'ops/p/c d', 'ops/p/e\nf%']);
      const asked = s3.commandCalls(ListObjectsV2Command).map((call) => call.args[0].input.ContinuationToken);
      assert.deepEqual(asked, [undefined, 't', undefined, 't']);
    });
  });

  it('takes keys as they are from a server that does not encode them', async () => {
    await withFakeS3(async ({ s3, store }) => {
      s3.on(ListObjectsV2Command).resolves({ Contents: [object('ops/p/50%+x')] });
      assert.deepEqual(await keysOf(store, 'ops/p/'), ['ops/p/50%+x']);
    });
  });

  it('of everything goes through the zones that have a bucket, and only through their keys', async () => {
    await withFakeS3(
      async ({ s3, store }) => {
        s3.on(ListObjectsV2Command).callsFake(({ Bucket, Prefix }: ListObjectsV2CommandInput) => {
          return { Contents: [object(`${Prefix}${Bucket}`)] };
        });
        assert.deepEqual(await keysOf(store, ''), ['exports/g', 'gold/g', 'ops/o']);
        assert.deepEqual(await keysOf(store, 'exports/p/'), ['exports/p/g']);
        assert.deepEqual(await keysOf(store, 'o'), ['ops/o']);
        assert.deepEqual(await keysOf(store, 'x/'), []);
        await assert.rejects(keysOf(store, 'silver/p/'), /STRATA_SILVER_BUCKET/);
      },
      { buckets: { gold: 'g', ops: 'o' } },
    );
  });

  it('leaves out the folders that a console makes, and names an object that no key can name', async () => {
    await withFakeS3(async ({ s3, store }) => {
      s3.on(ListObjectsV2Command).resolves({ Contents: [object('ops/p/', 0), object('ops/p/a'), object('ops/p//b')] });
      await assert.rejects(keysOf(store, 'ops/'), (error) => {
        assert.ok(error instanceof InvalidInput);
        assert.match(error.message, /s3:\/\/lake-ops cannot be read: .*"ops\/p\/\/b".*empty segment.*Rename or remove/);
        return true;
      });
      const skipped: unknown[] = [];
      const rest: string[] = [];
      for await (const { key } of store.list('ops/', { skipped: (name) => skipped.push(name) })) rest.push(key);
      assert.deepEqual(rest, ['ops/p/a']);
      assert.deepEqual(skipped, [{ name: 'ops/p//b', reason: 'no key of a lake holds an empty segment' }]);
      s3.on(ListObjectsV2Command).resolves({ Contents: [object('ops/p/', 0), object('ops/p/a')] });
      assert.deepEqual(await keysOf(store, 'ops/'), ['ops/p/a']);
    });
  });

  it('tries a page again, and names the right when it is denied', async () => {
    await withFakeS3(async ({ s3, store, waits }) => {
      s3.on(ListObjectsV2Command)
        .rejectsOnce(s3Error('SlowDown', 503))
        .resolves({ Contents: [object('ops/a')] });
      assert.deepEqual(await keysOf(store, 'ops/'), ['ops/a']);
      assert.equal(waits.length, 1);
      s3.on(ListObjectsV2Command).rejects(s3Error('AccessDenied', 403));
      s3.on(ListObjectVersionsCommand).rejects(s3Error('AccessDenied', 403));
      await assert.rejects(keysOf(store, 'ops/p/'), /Grant s3:ListBucket on s3:\/\/lake-ops\/ops\/p\/ to the caller/);
      await assert.rejects(
        keysOf(store, 'bronze/p/'),
        /Grant s3:ListBucketVersions on s3:\/\/lake-bronze\/bronze\/p\//,
      );
      await assert.rejects(store.folders('ops/p/'), /Grant s3:ListBucket on s3:\/\/lake-ops\/ops\/p\//);
    });
  });
});

it('folders come from the delimiter, page by page, in byte order', async () => {
  await withFakeS3(async ({ s3, store }) => {
    s3.on(ListObjectsV2Command, { Prefix: 'ops/p/', Delimiter: '/' }).callsFake((input: ListObjectsV2CommandInput) =>
      input.ContinuationToken === undefined
        ? {
            CommonPrefixes: [{ Prefix: 'ops/p/r+2/' }, { Prefix: 'ops/p/\u{1f600}/' }],
            NextContinuationToken: 't',
            EncodingType: 'url',
          }
        : { CommonPrefixes: [{ Prefix: 'ops/p/\ufb01/' }], Contents: [object('ops/p/file')], EncodingType: 'url' },
    );
    assert.deepEqual(await store.folders('ops/p/'), ['r 2', '\ufb01', '\u{1f600}']);
    assert.deepEqual(await store.folders(''), ['bronze', 'exports', 'gold', 'ops', 'silver']);
  });
});
