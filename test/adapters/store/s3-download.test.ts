import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { readdirSync } from 'node:fs';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { GetObjectCommand, type GetObjectCommandInput } from '@aws-sdk/client-s3';
import { InvalidInput, ObjectNotFound, Unavailable } from '../../../lib/core/errors.ts';
import { objectName } from '../../../lib/core/objects.ts';
import { PART_BYTES } from '../../../lib/core/requests.ts';
import { bodyOf, brokenConnection, type FakeS3, s3Error, slice, withFakeS3 } from './s3-fake.ts';

const KEY = 'silver/p/t/data/large.parquet';
const LARGE = new Uint8Array(randomBytes(2 * PART_BYTES + 12_345));
const SUM = base64(crc32(LARGE));

function base64(sum: number): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(sum);
  return bytes.toString('base64');
}

type Answers = {
  /** What the request for the whole object answers beside size and etag. */
  readonly whole?: object;
  /** Instead of a range: an error at its n-th request, counted over all ranges from 1. */
  readonly fail?: (nth: number) => Error | undefined;
  readonly bytes?: (range: Uint8Array, nth: number) => Uint8Array;
};

/** S3 with one large object. Answers the ranges that were asked for, and how many were read at one time. */
function serveLarge({ s3 }: FakeS3, { whole = {}, fail, bytes = (range) => range }: Answers = {}) {
  const seen = { ranges: [] as string[], most: 0 };
  let nth = 0;
  let open = 0;
  s3.on(GetObjectCommand).callsFake(async ({ Range, IfMatch }: GetObjectCommandInput) => {
    if (Range === undefined) return { Body: bodyOf(LARGE), ContentLength: LARGE.length, ETag: '"e1"', ...whole };
    nth += 1;
    const call = nth;
    seen.ranges.push(Range);
    assert.equal(IfMatch, '"e1"');
    open += 1;
    seen.most = Math.max(seen.most, open);
    await new Promise(setImmediate);
    open -= 1;
    const error = fail?.(call);
    if (error !== undefined) throw error;
    return { Body: bodyOf(bytes(slice(LARGE, Range), call)) };
  });
  return seen;
}

const left = ({ scratch }: FakeS3): readonly string[] => readdirSync(join(scratch, 'borrowed'));

const small = (text: string): object => ({ Body: bodyOf(Buffer.from(text)), ContentLength: text.length });

describe('large objects', () => {
  it('are read by ranges, each only of the same object, side by side, into one file', async () => {
    await withFakeS3(async (fake) => {
      const seen = serveLarge(fake, { whole: { ChecksumCRC32: SUM, ChecksumType: 'FULL_OBJECT' } });
      const borrowed = await fake.store.borrow([KEY]);
      const path = borrowed.paths.get(KEY) ?? '';
      assert.equal(Buffer.compare(await readFile(path), LARGE), 0);
      assert.ok(path.endsWith('large.parquet'));
      assert.deepEqual(
        seen.ranges.toSorted(),
        [
          `bytes=${PART_BYTES}-${2 * PART_BYTES - 1}`,
          `bytes=${2 * PART_BYTES}-${LARGE.length - 1}`,
          `bytes=0-${PART_BYTES - 1}`,
        ].toSorted(),
      );
      assert.ok(seen.most > 1 && seen.most <= 4, `${seen.most} at one time`);
      await borrowed[Symbol.asyncDispose]();
      await borrowed[Symbol.asyncDispose]();
      assert.deepEqual(left(fake), []);
    });
  });

  it('a range that fails for a while is read again, the others not', async () => {
    await withFakeS3(async (fake) => {
      const fail = (nth: number): Error | undefined => [s3Error('SlowDown', 503), brokenConnection()][nth - 1];
      const seen = serveLarge(fake, { fail, whole: { ChecksumCRC32: SUM } });
      const borrowed = await fake.store.borrow([KEY]);
      assert.equal(Buffer.compare(await readFile(borrowed.paths.get(KEY) ?? ''), LARGE), 0);
      assert.equal(seen.ranges.length, 5);
      await borrowed[Symbol.asyncDispose]();
    });
  });

  const ENDS: readonly (readonly [string, Answers, typeof Unavailable | typeof ObjectNotFound, RegExp])[] = [
    [
      'replaced meanwhile',
      { fail: (n) => (n === 2 ? s3Error('PreconditionFailed', 412) : undefined) },
      Unavailable,
      /was replaced while it was read/,
    ],
    [
      'removed meanwhile',
      { fail: (n) => (n === 2 ? s3Error('NoSuchKey', 404) : undefined) },
      ObjectNotFound,
      /no object at s3:\/\/lake-silver/,
    ],
    [
      'changed on the way',
      {
        bytes: (range, nth) => (nth === 2 ? range.map((byte, at) => (at === 7 ? byte ^ 1 : byte)) : range),
        whole: { ChecksumCRC32: SUM },
      },
      Unavailable,
      /arrived damaged: got CRC32 .*; expected/,
    ],
    [
      'cut on the way',
      {
        bytes: (range) => (range.length < PART_BYTES ? range.subarray(0, -1) : range),
        whole: { ChecksumCRC32: `${SUM}-3` },
      },
      Unavailable,
      /arrived damaged: got \d+ bytes; expected \d+/,
    ],
  ];
  for (const [what, answers, kind, message] of ENDS) {
    it(`${what}: ${kind.name}, and no file stays`, async () => {
      await withFakeS3(async (fake) => {
        serveLarge(fake, answers);
        await assert.rejects(fake.store.borrow([KEY]), (error) => error instanceof kind && message.test(error.message));
        assert.deepEqual(left(fake), []);
      });
    });
  }

  it('with a checksum of their parts are taken by etag and length', async () => {
    for (const whole of [
      { ChecksumCRC32: 'AAAAAA==-3', ChecksumType: 'COMPOSITE' },
      { ChecksumCRC64NVME: 'x' },
      {},
    ] as const) {
      await withFakeS3(async (fake) => {
        serveLarge(fake, { whole });
        const borrowed = await fake.store.borrow([KEY]);
        assert.equal(Buffer.compare(await readFile(borrowed.paths.get(KEY) ?? ''), LARGE), 0);
        await borrowed[Symbol.asyncDispose]();
      });
    }
  });
});

describe('objects as they were planned', () => {
  const planned = { key: 'bronze/p/s/a.csv', etag: 'e' };

  it('are asked for by their etag, or by a version, which has one content for ever', async () => {
    await withFakeS3(async ({ s3, store }) => {
      s3.on(GetObjectCommand).callsFake(() => small('x'));
      const borrowed = await store.borrow([planned, { ...planned, key: 'bronze/p/s/b.csv', version: 'v1' }, 'ops/p/c']);
      const asked = s3.commandCalls(GetObjectCommand).map((call) => call.args[0].input);
      assert.deepEqual(asked.map(({ Key, IfMatch, VersionId }) => [Key, IfMatch, VersionId]).sort(), [
        ['bronze/p/s/a.csv', '"e"', undefined],
        ['bronze/p/s/b.csv', undefined, 'v1'],
        ['ops/p/c', undefined, undefined],
      ]);
      assert.equal(borrowed.paths.size, 3);
      await borrowed[Symbol.asyncDispose]();
    });
  });

  for (const [error, change] of [
    [s3Error('PreconditionFailed', 412), 'replaced'],
    [s3Error('NoSuchKey', 404), 'removed'],
    [s3Error('InvalidObjectState', 403), 'unreadable'],
  ] as const) {
    it(`answer ${error.name}: they are ${change}, and the others are lent`, async () => {
      await withFakeS3(async ({ s3, store }) => {
        s3.on(GetObjectCommand)
          .callsFake(() => small('x'))
          .on(GetObjectCommand, { Key: planned.key })
          .rejects(error);
        const borrowed = await store.borrow([planned, 'ops/p/c']);
        assert.deepEqual([...borrowed.changed], [[planned.key, change]]);
        assert.deepEqual([...borrowed.paths.keys()], ['ops/p/c']);
        await borrowed[Symbol.asyncDispose]();
      });
    });
  }

  it('are replaced when a range of theirs is no longer of the etag', async () => {
    await withFakeS3(async ({ s3, store }) => {
      s3.on(GetObjectCommand).callsFake(({ Range, IfMatch }: GetObjectCommandInput) => {
        assert.equal(IfMatch, '"e"');
        if (Range !== undefined) throw s3Error('PreconditionFailed', 412);
        return { ContentLength: PART_BYTES * 2, ETag: '"e"', Body: bodyOf(new Uint8Array(1)) };
      });
      const borrowed = await store.borrow([planned]);
      assert.deepEqual([...borrowed.changed], [[planned.key, 'replaced']]);
      await borrowed[Symbol.asyncDispose]();
    });
  });

  it('are lost with a version that is gone', async () => {
    await withFakeS3(async ({ s3, store }) => {
      s3.on(GetObjectCommand).rejects(s3Error('NoSuchVersion', 404));
      const borrowed = await store.borrow([{ ...planned, version: 'v1' }]);
      assert.deepEqual([...borrowed.changed.values()], ['removed']);
      await borrowed[Symbol.asyncDispose]();
    });
  });
});

describe('small objects', () => {
  it('come in one request each; an answer that breaks off leaves nothing of itself behind', async () => {
    await withFakeS3(async ({ s3, store, waits }) => {
      s3.on(GetObjectCommand)
        .resolvesOnce({ Body: bodyOf(Buffer.from('longer than'), brokenConnection()), ContentLength: 20 })
        .resolves(small('short'));
      const borrowed = await store.borrow(['ops/a']);
      assert.equal(await readFile(borrowed.paths.get('ops/a') ?? '', 'utf8'), 'short');
      assert.equal(waits.length, 1);
      await borrowed[Symbol.asyncDispose]();
    });
  });

  it('versions of one key come side by side, by their versions', async () => {
    await withFakeS3(async ({ s3, store }) => {
      s3.on(GetObjectCommand).callsFake(({ VersionId = 'current' }: GetObjectCommandInput) => small(`is ${VersionId}`));
      const objects = [
        { key: 'bronze/p/s/a', version: 'v1' },
        { key: 'bronze/p/s/a', version: 'v2' },
      ];
      const borrowed = await store.borrow([...objects, 'bronze/p/s/a', ...objects]);
      const texts = [...objects, { key: 'bronze/p/s/a' }].map((o) =>
        readFile(borrowed.paths.get(objectName(o)) ?? '', 'utf8'),
      );
      assert.deepEqual(await Promise.all(texts), ['is v1', 'is v2', 'is current']);
      assert.equal(s3.commandCalls(GetObjectCommand).length, 3);
      await borrowed[Symbol.asyncDispose]();
    });
  });

  it('one that is missing ends the loan: ObjectNotFound, and no file stays', async () => {
    await withFakeS3(async (fake) => {
      fake.s3.on(GetObjectCommand).callsFake(({ Key }: GetObjectCommandInput) => {
        if (Key === 'ops/none') throw s3Error('NoSuchKey', 404);
        return small('x');
      });
      await assert.rejects(fake.store.borrow(['ops/a', 'ops/none', 'ops/b']), ObjectNotFound);
      assert.deepEqual(left(fake), []);
    });
  });

  it('at most 8 are read at one time', async () => {
    await withFakeS3(async ({ s3, store }) => {
      let open = 0;
      let most = 0;
      s3.on(GetObjectCommand).callsFake(async () => {
        open += 1;
        most = Math.max(most, open);
        await new Promise(setImmediate);
        open -= 1;
        return small('x');
      });
      const keys = Array.from({ length: 30 }, (_, at) => `ops/${at}`);
      const borrowed = await store.borrow(keys);
      assert.deepEqual([...borrowed.paths.keys()], keys);
      assert.equal(most, 8);
      await borrowed[Symbol.asyncDispose]();
    });
  });

  it('keep the end of a long name, within the bytes that a name may have', async () => {
    await withFakeS3(async ({ s3, store }) => {
      s3.on(GetObjectCommand).callsFake(() => small('x'));
      const keys = ['漢', '\u{1f600}', 'a'].map((letter) => `bronze/p/s/${letter.repeat(200)}.csv.gz`);
      const borrowed = await store.borrow(keys);
      for (const path of borrowed.paths.values()) assert.ok(basename(path).endsWith('.csv.gz'));
      await borrowed[Symbol.asyncDispose]();
    });
  });

  it('a folder that cannot be written to is no fault of S3', async () => {
    await withFakeS3(async ({ s3, store, scratch, waits }) => {
      s3.on(GetObjectCommand).callsFake(async () => {
        // Where the file would be, there is nothing to put it in any more.
        await rm(join(scratch, 'borrowed'), { recursive: true });
        await writeFile(join(scratch, 'borrowed'), '');
        return small('x');
      });
      await assert.rejects(store.borrow(['ops/a']), (error) => {
        assert.ok(error instanceof InvalidInput);
        assert.match(error.message, /^cannot write to .*ENOTDIR/);
        return true;
      });
      assert.deepEqual(waits, []);
    });
  });
});
