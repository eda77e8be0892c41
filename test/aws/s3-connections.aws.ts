import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { crc32 } from 'node:zlib';
import { S3Client } from '@aws-sdk/client-s3';
import { CONNECTIONS } from '../../lib/adapters/aws/connections.ts';
import { createS3Store } from '../../lib/adapters/store/s3.ts';
import { Unavailable } from '../../lib/core/errors.ts';
import { PART_BYTES } from '../../lib/core/requests.ts';
import type { ObjectStore } from '../../lib/ports.ts';

/** What a server of this machine answers to the n-th request (from 1) with a range, or none, of `BYTES`. */
type Answer = (response: ServerResponse, bytes: Buffer, nth: number) => void;

const BYTES = randomBytes(PART_BYTES + 3 * 2 ** 20);
const KEY = 'silver/p/t/data/x.parquet';

function headers(bytes: Buffer): Record<string, string | number> {
  const sum = Buffer.alloc(4);
  sum.writeUInt32BE(crc32(BYTES));
  const whole = bytes.length === BYTES.length ? { 'x-amz-checksum-crc32': sum.toString('base64') } : {};
  return { etag: '"e"', 'content-length': bytes.length, ...whole };
}

const whole: Answer = (response, bytes) => {
  response.writeHead(200, headers(bytes)).end(bytes);
};

const cut: Answer = (response, bytes) => {
  response.writeHead(200, headers(bytes)).write(bytes.subarray(0, 1_000), () => response.socket?.destroy());
};

const silent: Answer = () => {};

const silentHalfway: Answer = (response, bytes) => {
  response.writeHead(200, headers(bytes)).write(bytes.subarray(0, 1_000));
};

async function withServer(
  answer: Answer,
  use: (store: ObjectStore, scratch: string, sockets: ReadonlySet<Socket>) => Promise<void>,
  deadlineMs = 1_000,
): Promise<void> {
  let requests = 0;
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    requests += 1;
    // A server that does not read does not see that the client has gone either.
    request.resume();
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(request.headers.range ?? '') ?? [];
    answer(response, first === undefined ? BYTES : BYTES.subarray(Number(first), Number(last) + 1), requests);
  });
  server.on('connection', (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const client = new S3Client({
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    region: 'eu-central-1',
    credentials: { accessKeyId: 'a', secretAccessKey: 'b' },
    forcePathStyle: true,
    maxAttempts: 1,
    // As in the functions, except that silence is noticed sooner.
    requestHandler: { ...CONNECTIONS, socketTimeout: CONNECTIONS.socketTimeout / 100 },
  });
  const scratch = mkdtempSync(join(tmpdir(), 'strata-s3-'));
  try {
    const buckets = { silver: 'lake-silver' };
    await use(createS3Store({ client, buckets, scratch, deadlineMs }), scratch, sockets);
  } finally {
    client.destroy();
    server.closeAllConnections();
    server.close();
    rmSync(scratch, { recursive: true, force: true });
  }
}

const BAD: readonly (readonly [string, Answer])[] = [
  ['is cut', cut],
  ['never begins', silent],
  ['stops halfway', silentHalfway],
];

describe('an answer of S3 over a real connection', () => {
  for (const [what, bad] of BAD) {
    it(`that ${what} is asked for again`, async () => {
      const sometimes: Answer = (response, bytes, nth) => (nth % 2 === 1 ? bad : whole)(response, bytes, nth);
      await withServer(
        sometimes,
        async (store) => {
          const borrowed = await store.borrow([KEY]);
          assert.equal(Buffer.compare(await readFile(borrowed.paths.get(KEY) ?? ''), BYTES), 0);
          await borrowed[Symbol.asyncDispose]();
          assert.equal(Buffer.compare((await store.read(KEY)).bytes, BYTES), 0);
          // On a busy machine silence may be noticed where there is none.
        },
        10_000,
      );
    });

    it(`that ${what} every time ends as Unavailable, and leaves no file and no connection`, async () => {
      await withServer(bad, async (store, scratch, sockets) => {
        await assert.rejects(store.read(KEY), Unavailable);
        await assert.rejects(store.write(KEY, BYTES, { kind: 'any' }), Unavailable);
        await assert.rejects(store.borrow([KEY]), Unavailable);
        assert.deepEqual(readdirSync(scratch), []);
        await Promise.all([...sockets].map((socket) => once(socket, 'close')));
      });
    });
  }

  it('of a large object gives its connection up before the ranges are read', async () => {
    await withServer(whole, async (store, _scratch, sockets) => {
      const borrowed = await store.borrow([KEY]);
      await borrowed[Symbol.asyncDispose]();
      // Two ranges, two connections that are kept for what comes next.
      assert.ok(sockets.size <= 2, `${sockets.size} connections`);
    });
  });
});
