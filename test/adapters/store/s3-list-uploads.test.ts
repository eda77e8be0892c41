import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ListObjectVersionsCommand, type ListObjectVersionsCommandOutput } from '@aws-sdk/client-s3';
import type { ObjectInfo } from '../../../lib/ports.ts';
import { listed } from '../../ports/store-versions.ts';
import { withFakeS3 } from './s3-fake.ts';

const LastModified = new Date(5_000);

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
    'a removed key before one that came again',
    [
      ['c', 'v2', 9],
      ['d', 'v3', 3, 'z'],
      ['d', 'v2', 2],
      ['d', 'v1', 1, 'x'],
    ],
    ['d v3 z'],
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
      const entries: readonly Entry[] = [
        ['a', 'v4', 1, 'z'],
        ['a', 'v3', 1, 'y'],
        ['a', 'v2', 1],
        ['a', 'v1', 1, 'x'],
      ];
      s3.on(ListObjectVersionsCommand).resolves(page(entries));
      assert.deepEqual(told(await listed(store, 'bronze/p/s/')), ['a v1 x', 'a v3 y', 'a v4 z']);
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
