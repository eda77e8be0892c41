import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandOutput,
} from '@aws-sdk/client-s3';
import { InvalidInput } from '../../../lib/core/errors.ts';
import type { ObjectInfo, ObjectStore } from '../../../lib/ports.ts';
import { s3Error, withFakeS3 } from './s3-fake.ts';

const LastModified = new Date(5_000);
const object = (Key: string, Size = 1): object => ({ Key, Size, ETag: `"e-${Key}"`, LastModified });

async function listed(store: ObjectStore, prefix: string): Promise<readonly ObjectInfo[]> {
  const found: ObjectInfo[] = [];
  for await (const info of store.list(prefix)) found.push(info);
  return found;
}

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
        assert.deepEqual(await keysOf(store, ''), ['gold/g', 'ops/o']);
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
    assert.deepEqual(await store.folders(''), ['bronze', 'gold', 'ops', 'silver']);
  });
});

/** One entry of a bucket with versions: key, version, second, content; without content it is a delete marker. */
type Entry = readonly [key: string, version: string, second: number, content?: string];

/** The answer with these entries, which come in S3's order: by key, the newest of each first. */
function page(entries: readonly Entry[], rest: object = {}, newest = true): Partial<ListObjectVersionsCommandOutput> {
  const seen = new Set<string>();
  const described = entries.map(([key, VersionId, second, content]) => {
    const Key = `bronze/p/s/${key}`;
    const IsLatest = newest && !seen.has(key);
    seen.add(key);
    const common = { Key, VersionId, LastModified: new Date(second * 1000), IsLatest };
    return content === undefined ? common : { ...common, Size: content.length, ETag: `"${content}"` };
  });
  const Versions = described.filter((entry) => 'ETag' in entry);
  return { Versions, DeleteMarkers: described.filter((entry) => !('ETag' in entry)), ...rest };
}

const HISTORIES: readonly (readonly [string, readonly Entry[], readonly string[]])[] = [
  ['one upload', [['a', 'v1', 1, 'x']], ['a v1 x']],
  [
    'overwritten: both, the oldest first',
    [
      ['a', 'v2', 2, 'y'],
      ['a', 'v1', 1, 'x'],
    ],
    ['a v1 x', 'a v2 y'],
  ],
  [
    'within one second: in the order of S3',
    [
      ['a', 'v3', 1, 'z'],
      ['a', 'v2', 1, 'y'],
      ['a', 'v1', 1, 'x'],
    ],
    ['a v1 x', 'a v2 y', 'a v3 z'],
  ],
  [
    'equal contents: once, the newest',
    [
      ['a', 'v3', 3, 'x'],
      ['a', 'v2', 2, 'y'],
      ['a', 'v1', 1, 'x'],
    ],
    ['a v2 y', 'a v3 x'],
  ],
  [
    'removed: nothing',
    [
      ['a', 'v3', 3],
      ['a', 'v2', 2, 'y'],
      ['a', 'v1', 1, 'x'],
    ],
    [],
  ],
  [
    'removed in the second in which it came: nothing',
    [
      ['a', 'v2', 1],
      ['a', 'v1', 1, 'x'],
    ],
    [],
  ],
  [
    'uploaded again: what came since',
    [
      ['a', 'v4', 4, 'z'],
      ['a', 'v3', 3, 'y'],
      ['a', 'v2', 2],
      ['a', 'v1', 1, 'x'],
    ],
    ['a v3 y', 'a v4 z'],
  ],
  [
    'uploaded again as it was',
    [
      ['a', 'v3', 3, 'x'],
      ['a', 'v2', 2],
      ['a', 'v1', 1, 'x'],
    ],
    ['a v3 x'],
  ],
  [
    'from before versioning',
    [
      ['a', 'v2', 2, 'y'],
      ['a', 'null', 1, 'x'],
    ],
    ['a null x', 'a v2 y'],
  ],
  [
    'keys beside each other',
    [
      ['a', 'v2', 2],
      ['a', 'v1', 1, 'x'],
      ['b', 'v1', 1, 'x'],
      ['c', 'v1', 3],
      ['d', 'v2', 2, 'y'],
      ['d', 'v1', 1, 'x'],
    ],
    ['b v1 x', 'd v1 x', 'd v2 y'],
  ],
  [
    'a part upload begun before what it overwrote',
    [
      ['a', 'v3', 9, 'z'],
      ['a', 'v2', 1, 'y'],
      ['a', 'v1', 3, 'x'],
    ],
    ['a v1 x', 'a v2 y', 'a v3 z'],
  ],
];

const told = (infos: readonly ObjectInfo[]): readonly string[] =>
  infos.map(({ key, version, etag }) => `${key.slice('bronze/p/s/'.length)} ${version} ${etag}`);

describe('listing what has landed in bronze', () => {
  for (const [what, entries, expected] of HISTORIES) {
    it(what, async () => {
      await withFakeS3(async ({ s3, store }) => {
        s3.on(ListObjectVersionsCommand).resolves(page(entries));
        assert.deepEqual(told(await listed(store, 'bronze/p/s/')), expected);
      });
    });

    it(`${what}, an entry on each page`, async () => {
      await withFakeS3(async ({ s3, store }) => {
        s3.on(ListObjectVersionsCommand).callsFake(({ KeyMarker, VersionIdMarker }) => {
          const at = KeyMarker === undefined ? 0 : Number(VersionIdMarker);
          const entry = entries[at];
          assert.ok(entry !== undefined);
          const first = entries.findIndex(([key]) => key === entry[0]) === at;
          const more = { IsTruncated: true, NextKeyMarker: entry[0], NextVersionIdMarker: String(at + 1) };
          return page([entry], at + 1 < entries.length ? more : { IsTruncated: false }, first);
        });
        assert.deepEqual(told(await listed(store, 'bronze/p/s/')), expected);
        assert.equal(s3.commandCalls(ListObjectVersionsCommand).length, entries.length);
      });
    });
  }

  it('in one second with a removal, a file counts as overwritten rather than lost', async () => {
    await withFakeS3(async ({ s3, store }) => {
      s3.on(ListObjectVersionsCommand).resolves(
        page([
          ['a', 'v3', 1, 'y'],
          ['a', 'v2', 1],
          ['a', 'v1', 1, 'x'],
        ]),
      );
      assert.ok(told(await listed(store, 'bronze/p/s/')).includes('a v3 y'));
    });
  });

  it('describes each, decodes keys and markers', async () => {
    await withFakeS3(async ({ s3, store }) => {
      const Versions = [
        { Key: 'bronze/p/s/a%2Bb+c', VersionId: 'v1', Size: 7, ETag: '"e"', LastModified, IsLatest: true },
      ];
      s3.on(ListObjectVersionsCommand)
        .resolvesOnce({
          Versions,
          EncodingType: 'url',
          IsTruncated: true,
          NextKeyMarker: 'bronze/p/s/a%2Bb+c',
          NextVersionIdMarker: 'v1',
        })
        .resolves({});
      assert.deepEqual(await listed(store, 'bronze/p/s/'), [
        { key: 'bronze/p/s/a+b c', size: 7, etag: 'e', modified: 5_000, version: 'v1' },
      ]);
      const second = s3.commandCalls(ListObjectVersionsCommand)[1]?.args[0].input;
      assert.deepEqual([second?.KeyMarker, second?.VersionIdMarker], ['bronze/p/s/a+b c', 'v1']);
    });
  });
});
