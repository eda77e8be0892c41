import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  ListObjectVersionsCommand,
  type ListObjectVersionsCommandInput,
  PutObjectCommand,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { countingStore } from '../../../lib/adapters/store/counting.ts';
import { addSpent, type Call, NOTHING_SPENT, PAGE, PART_BYTES, spentBy } from '../../../lib/core/requests.ts';
import type { ObjectStore } from '../../../lib/ports.ts';
import { removeObjects } from '../../../lib/table/remove-objects.ts';
import { bytesOf } from '../../ports/store-contract.ts';
import { bodyOf, type FakeS3, s3Error, withFakeS3 } from './s3-fake.ts';

const LastModified = new Date(1_000);

/** Both prices of S3; removing one object is free. Source: aws.amazon.com/s3/pricing */
const PUTS =
  /^(PutObject|CreateMultipartUpload|UploadPart|CompleteMultipartUpload|ListObjectsV2|ListObjectVersions|DeleteObjects)Command$/;
const GETS = /^(GetObject|HeadObject)Command$/;
const FREE = /^DeleteObjectCommand$/;

/** Sends what the adapter sends, and answers as S3 does for objects of `bytes` and lists of `names`. */
function serve({ s3 }: FakeS3, { bytes = 5, names = 0 }: { readonly bytes?: number; readonly names?: number }): void {
  const whole = Buffer.alloc(bytes);
  s3.on(GetObjectCommand).callsFake(({ Range = '' }: GetObjectCommandInput) => {
    const [, first, last] = /(\d+)-(\d+)/.exec(Range) ?? [];
    const body = first === undefined ? whole : whole.subarray(Number(first), Number(last) + 1);
    return { Body: bodyOf(body), ContentLength: body.length, ETag: '"e"' };
  });
  s3.on(HeadObjectCommand).resolves({ ContentLength: bytes, ETag: '"e"', LastModified });
  s3.on(PutObjectCommand).resolves({ ETag: '"e"' });
  s3.on(DeleteObjectCommand).resolves({});
  s3.on(DeleteObjectsCommand).resolves({});
  s3.on(CreateMultipartUploadCommand).resolves({ UploadId: 'u' });
  s3.on(UploadPartCommand).resolves({ ETag: '"p"' });
  s3.on(CompleteMultipartUploadCommand).resolves({});
  const page = (from: number): readonly number[] =>
    Array.from({ length: Math.min(PAGE, names - from) }, (_, at) => from + at);
  const key = (prefix: string, n: number): string => `${prefix}${String(n).padStart(6, '0')}`;
  s3.on(ListObjectsV2Command).callsFake(({ Prefix = '', ContinuationToken = '0' }: ListObjectsV2CommandInput) => {
    const from = Number(ContinuationToken);
    const Contents = page(from).map((n) => ({ Key: key(Prefix, n), Size: 1, ETag: '"e"', LastModified }));
    return { Contents, ...(from + PAGE < names ? { NextContinuationToken: String(from + PAGE) } : {}) };
  });
  s3.on(ListObjectVersionsCommand).callsFake(({ Prefix = '', KeyMarker = '0' }: ListObjectVersionsCommandInput) => {
    const from = Number(KeyMarker);
    const Versions = page(from).map((n) => ({ Key: key(Prefix, n), VersionId: 'v', ETag: '"e"', LastModified }));
    const next = { IsTruncated: true, NextKeyMarker: String(from + PAGE) };
    return { Versions, ...(from + PAGE < names ? next : { IsTruncated: false }) };
  });
}

type Case = {
  readonly name: string;
  readonly bytes?: number;
  readonly names?: number;
  readonly act: (store: ObjectStore, path: string) => Promise<unknown>;
};

const drain = async (store: ObjectStore, prefix: string): Promise<void> => {
  for await (const _ of store.list(prefix));
};
const lend = async (store: ObjectStore, ...keys: readonly string[]): Promise<void> => {
  await using _ = await store.borrow(keys);
};

const parts = async (store: ObjectStore, ...ranges: readonly (readonly [number, number])[]): Promise<void> => {
  const end = { start: 9 * PART_BYTES, bytes: bytesOf('end') };
  await using _ = await store.borrowParts([
    { key: 'ops/p/a', ranges: ranges.map(([from, to]) => ({ start: from, end: to })), end },
  ]);
};

const CASES: readonly Case[] = [
  { name: 'a range', bytes: 9, act: (store) => store.readRange('ops/p/a', 2, 4) },
  {
    name: 'parts of an object',
    bytes: 3 * PART_BYTES,
    act: (store) => parts(store, [0, 5], [10, 10 + PART_BYTES], [2 * PART_BYTES, 3 * PART_BYTES]),
  },
  { name: 'a part that takes two requests', bytes: 3 * PART_BYTES, act: (store) => parts(store, [0, PART_BYTES + 1]) },
  { name: 'a read', act: (store) => store.read('ops/p/a') },
  { name: 'a look', act: (store) => store.head('ops/p/a') },
  { name: 'a write', act: (store) => store.write('ops/p/a', bytesOf('a'), { kind: 'any' }) },
  { name: 'a conditional write', act: (store) => store.write('ops/p/a', bytesOf('a'), { kind: 'match', etag: 'e' }) },
  { name: 'a removal', act: (store) => store.remove('ops/p/a') },
  { name: 'a removal of many', act: (store) => removeObjects(store, ['ops/p/a', 'ops/p/b', 'silver/p/c']) },
  ...[0, 1, PAGE, PAGE + 1, 3 * PAGE].flatMap((names): readonly Case[] => [
    { name: `a list of ${names} objects`, names, act: (store) => drain(store, 'ops/p/') },
    { name: `a list of ${names} uploads`, names, act: (store) => drain(store, 'bronze/p/') },
    { name: `${names} names`, names, act: (store) => store.names('ops/p/') },
  ]),
  { name: 'a list of everything', names: 3, act: (store) => drain(store, '') },
  { name: 'the zones', act: (store) => store.names('') },
  { name: 'the folders of a zone', names: PAGE + 1, act: (store) => store.folders('ops/') },
  { name: 'two small objects, one of them twice', act: (store) => lend(store, 'ops/p/a', 'ops/p/b', 'ops/p/a') },
  ...[PART_BYTES, PART_BYTES + 1, 3 * PART_BYTES].flatMap((bytes): readonly Case[] => [
    { name: `an object of ${bytes} bytes that is lent`, bytes, act: (store) => lend(store, 'ops/p/a') },
    { name: `a file of ${bytes} bytes that is published`, bytes, act: (store, path) => store.publish(path, 'ops/p/a') },
  ]),
  { name: 'a file that is gone, as it was published', act: (store, path) => store.publish(`${path}-gone`, 'ops/p/a') },
];

describe('what a call of the store costs on S3 is what the adapter sends:', () => {
  for (const { name, act, ...served } of CASES) {
    it(name, async () => {
      await withFakeS3(async (fake) => {
        serve(fake, served);
        const path = join(fake.scratch, 'file');
        writeFileSync(path, Buffer.alloc(served.bytes ?? 5));
        await compare(fake, (store) => act(store, path));
      });
    });
  }

  it('an object that is no longer as it was', async () => {
    await withFakeS3(async (fake) => {
      fake.s3.on(GetObjectCommand).rejects(s3Error('PreconditionFailed', 412));
      await compare(fake, async (store) => {
        await using lent = await store.borrow([{ key: 'bronze/p/a', etag: 'other' }]);
        assert.deepEqual([...lent.changed.values()], ['replaced']);
      });
    });
  });

  it('a write whose condition does not hold', async () => {
    await withFakeS3(async (fake) => {
      fake.s3.on(PutObjectCommand).rejects(s3Error('PreconditionFailed', 412));
      await compare(fake, (store) => store.write('ops/p/a', bytesOf('a'), { kind: 'absent' }));
    });
  });
});

async function compare(fake: FakeS3, act: (store: ObjectStore) => Promise<unknown>): Promise<void> {
  const calls: Call[] = [];
  await act(countingStore(fake.store, (call) => calls.push(call)));
  const { get, put } = calls.map(spentBy).reduce(addSpent, NOTHING_SPENT);
  const sent = fake.s3.calls().map((call) => call.args[0].constructor.name);
  const count = (kind: RegExp): number => sent.filter((command) => kind.test(command)).length;
  assert.deepEqual([get, put], [count(GETS), count(PUTS)], sent.join(', '));
  assert.deepEqual(
    sent.filter((command) => ![PUTS, GETS, FREE].some((kind) => kind.test(command))),
    [],
  );
}
