import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { S3Client } from '@aws-sdk/client-s3';
import { Unavailable } from '../../../lib/core/errors.ts';
import { type FakeS3, withFakeS3 } from './s3-fake.ts';

/** What the SDK sends, and what a server answers: below the SDK's own checksums, which these tests are about. */
type Request = {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
};
type Answer = {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
};

async function withServer(
  answer: (request: Request) => Answer,
  use: (fake: FakeS3, requests: readonly Request[]) => Promise<void>,
): Promise<void> {
  const requests: Request[] = [];
  const requestHandler = {
    handle: async (request: unknown) => {
      requests.push(request as Request);
      const { statusCode, headers = {}, body = '' } = answer(request as Request);
      return { response: { statusCode, headers, body: Readable.from(body === '' ? [] : [Buffer.from(body)]) } };
    },
  };
  const credentials = { accessKeyId: 'a', secretAccessKey: 'b' };
  const settings = { region: 'eu-central-1', credentials, maxAttempts: 1, endpoint: 'http://s3.test' };
  const client = new S3Client({ ...settings, requestHandler: requestHandler as never });
  await withFakeS3((fake) => use(fake, requests), { client });
}

const TEXT = 'id,amount\n1,2.50\n';

function crcOf(text: string): string {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(crc32(text));
  return bytes.toString('base64');
}

/** Bodies that the server changes on the way, until the n-th answer. */
function serving(damaged: number): (request: Request) => Answer {
  let answers = 0;
  return () => {
    answers += 1;
    const body = answers <= damaged ? TEXT.replace('2', '3') : TEXT;
    return {
      statusCode: 200,
      headers: { 'content-length': String(TEXT.length), 'x-amz-checksum-crc32': crcOf(TEXT), etag: '"e"' },
      body,
    };
  };
}

describe('checksums of the SDK', () => {
  it('go with what is written and published', async () => {
    const answer = (): Answer => ({ statusCode: 200, headers: { etag: '"e"', 'content-length': '0' } });
    await withServer(answer, async ({ store, scratch }, requests) => {
      await store.write('ops/p/a', Buffer.from(TEXT), { kind: 'absent' });
      await writeFile(join(scratch, 'file'), TEXT);
      await store.publish(join(scratch, 'file'), 'silver/p/t/data/file');
      const puts = requests.filter((request) => request.method === 'PUT');
      assert.deepEqual(
        puts.map(({ headers }) => headers['x-amz-checksum-crc32']),
        [crcOf(TEXT), crcOf(TEXT)],
      );
      assert.equal(puts[0]?.headers['if-none-match'], '*');
    });
  });

  it('are asked for, and what differs is read again', async () => {
    await withServer(serving(2), async ({ store, waits }, requests) => {
      assert.equal(new TextDecoder().decode((await store.read('ops/p/a')).bytes), TEXT);
      assert.equal(waits.length, 2);
      assert.ok(requests.every(({ headers }) => headers['x-amz-checksum-mode'] === 'ENABLED'));
    });
    await withServer(serving(2), async ({ store, waits }) => {
      const borrowed = await store.borrow(['ops/p/a']);
      assert.equal(await readFile(borrowed.paths.get('ops/p/a') ?? '', 'utf8'), TEXT);
      assert.equal(waits.length, 2);
      await borrowed[Symbol.asyncDispose]();
    });
  });

  it('that differ every time end as Unavailable', async () => {
    await withServer(serving(Number.POSITIVE_INFINITY), async ({ store }) => {
      for (const act of [() => store.read('ops/p/a'), () => store.borrow(['ops/p/a'])]) {
        await assert.rejects(act, (error) => {
          assert.ok(error instanceof Unavailable);
          assert.match(error.message, /^s3:GetObject on s3:\/\/lake-ops\/ops\/p\/a .*Checksum mismatch/);
          return true;
        });
      }
    });
  });
});

describe('errors as S3 writes them', () => {
  const error = (statusCode: number, code: string): Answer => ({
    statusCode,
    headers: { 'content-type': 'application/xml' },
    body: `<Error><Code>${code}</Code><Message>m</Message></Error>`,
  });

  it('are known by their code', async () => {
    await withServer(
      () => error(412, 'PreconditionFailed'),
      async ({ store }) => {
        assert.deepEqual(await store.write('ops/p/a', Buffer.from(TEXT), { kind: 'absent' }), { kind: 'conflict' });
      },
    );
    await withServer(
      () => error(400, 'ExpiredToken'),
      async ({ store }) => assert.rejects(store.read('ops/p/a'), /ExpiredToken: m\. .*log in again/),
    );
  });

  it('of a request whose answer has no body are known by their status', async () => {
    for (const [statusCode, message] of [
      [403, /Grant s3:GetObject/],
      [400, /log in again/],
      [301, /set AWS_REGION/],
    ] as const) {
      await withServer(
        () => ({ statusCode }),
        async ({ store }) => assert.rejects(store.head('ops/p/a'), message),
      );
    }
    await withServer(
      () => ({ statusCode: 404 }),
      async ({ store }) => assert.equal(await store.head('ops/p/a'), undefined),
    );
  });
});
