import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import {
  CreateBucketCommand,
  HeadObjectCommand,
  ListMultipartUploadsCommand,
  PutBucketVersioningCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { createS3Store } from '../../lib/adapters/store/s3.ts';
import { InvalidInput } from '../../lib/core/errors.ts';
import { objectName } from '../../lib/core/objects.ts';
import type { ObjectStore } from '../../lib/ports.ts';
import { bytesOf, increment, type StoreUnderTest, storeContract, textOf } from '../ports/store-contract.ts';
import { listed } from '../ports/store-versions.ts';
import { startMoto } from './moto-server.ts';

const REGION = 'eu-central-1';
const BUCKETS = { bronze: 'lake-bronze', silver: 'lake-silver', gold: 'lake-gold', ops: 'lake-ops' };

/** A store over four empty buckets, bronze with versions, on a server of its own. */
async function openS3(): Promise<StoreUnderTest & { readonly client: S3Client }> {
  const { endpoint, stop } = await startMoto();
  const credentials = { accessKeyId: 'test', secretAccessKey: 'test' };
  const client = new S3Client({ endpoint, region: REGION, credentials, forcePathStyle: true, maxAttempts: 1 });
  for (const bucket of Object.values(BUCKETS)) await createBucket(client, bucket);
  await keepVersions(client, BUCKETS.bronze);
  const scratch = await mkdtemp(join(tmpdir(), 'strata-s3-'));
  const close = async (): Promise<void> => {
    client.destroy();
    await rm(scratch, { recursive: true, force: true });
    await stop();
  };
  return { client, store: createS3Store({ client, buckets: BUCKETS, scratch, deadlineMs: 5_000 }), scratch, close };
}

async function createBucket(client: S3Client, Bucket: string): Promise<void> {
  const CreateBucketConfiguration = { LocationConstraint: REGION } as const;
  await client.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
}

async function keepVersions(client: S3Client, Bucket: string): Promise<void> {
  const VersioningConfiguration = { Status: 'Enabled' } as const;
  await client.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration }));
}

/** What is listed under a prefix, read; all of it is lent at once. */
async function textsIn(store: ObjectStore, prefix: string): Promise<readonly string[]> {
  const uploads = await listed(store, prefix);
  const borrowed = await store.borrow(uploads);
  const texts = uploads.map((upload) => readFile(borrowed.paths.get(objectName(upload)) ?? '', 'utf8'));
  return Promise.all(texts).finally(() => borrowed[Symbol.asyncDispose]());
}

storeContract('S3 (moto, made to answer one PutObject at a time)', openS3, {
  keys: { 'bronze/p/s/back\\slash\tand\nnewline.csv': 'moto 5.2.5 has no route for a key with a line break' },
  order: 'times are whole seconds: what is removed in the second in which it came counts as overwritten',
});

describe('S3 store on moto', () => {
  let subject: Awaited<ReturnType<typeof openS3>>;
  let store: ObjectStore;
  before(async () => {
    subject = await openS3();
    store = subject.store;
  });
  after(() => subject.close());

  it('uploads and reads large files in parts, and leaves no unfinished upload', async () => {
    const bytes = randomBytes(40_000_000);
    const path = join(subject.scratch, 'large');
    await writeFile(path, bytes);
    const info = await store.publish(path, 'silver/p/t/data/large.parquet');
    assert.equal(info.size, bytes.length);
    const borrowed = await store.borrow(['silver/p/t/data/large.parquet']);
    const [lent] = borrowed.paths.values();
    assert.equal(Buffer.compare(await readFile(lent ?? ''), bytes), 0);
    await borrowed[Symbol.asyncDispose]();
    const uploads = await subject.client.send(new ListMultipartUploadsCommand({ Bucket: BUCKETS.silver }));
    assert.equal(uploads.Uploads?.length ?? 0, 0);
    const whole = { Bucket: BUCKETS.silver, Key: 'silver/p/t/data/large.parquet', ChecksumMode: 'ENABLED' } as const;
    const { ChecksumCRC32, ChecksumType } = await subject.client.send(new HeadObjectCommand(whole));
    assert.equal(ChecksumType, 'FULL_OBJECT');
    assert.equal(Buffer.from(ChecksumCRC32 ?? '', 'base64').readUInt32BE(), crc32(bytes));
  });

  it('reads what was in bronze before versions were switched on, also when it is overwritten since', async () => {
    const buckets = { bronze: 'lake-older-bronze' };
    const older = createS3Store({ client: subject.client, buckets, scratch: subject.scratch, deadlineMs: 5_000 });
    await createBucket(subject.client, buckets.bronze);
    await older.write('bronze/p/s/a.csv', bytesOf('before'), { kind: 'any' });
    assert.deepEqual(await textsIn(older, 'bronze/p/s/'), ['before']);
    await keepVersions(subject.client, buckets.bronze);
    await older.write('bronze/p/s/a.csv', bytesOf('after'), { kind: 'any' });
    assert.deepEqual(await textsIn(older, 'bronze/p/s/'), ['before', 'after']);
  });

  it('never loses an increment of 8 writers that race on conditional puts', async () => {
    await store.write('ops/race/counter', bytesOf('0'), { kind: 'absent' });
    await Promise.all(Array.from({ length: 8 }, () => increment(store, 'ops/race/counter', 10)));
    assert.equal(textOf((await store.read('ops/race/counter')).bytes), '80');
  });

  it('says which bucket is missing', async () => {
    const buckets = { ...BUCKETS, gold: 'never-made' };
    const other = createS3Store({ client: subject.client, buckets, scratch: subject.scratch, deadlineMs: 0 });
    await assert.rejects(other.write('gold/p/t/x', bytesOf('x'), { kind: 'any' }), (error) => {
      assert.ok(error instanceof InvalidInput);
      assert.match(error.message, /s3:PutObject on s3:\/\/never-made\/gold\/p\/t\/x failed: NoSuchBucket.*cdk deploy/);
      return true;
    });
  });
});
