import assert from 'node:assert/strict';
import { registerHooks } from 'node:module';
import { after, beforeEach, describe, mock, test } from 'node:test';
import { zstdDecompressSync } from 'node:zlib';
import type { Context } from 'aws-lambda';
import type { Origin } from '../../../lib/core/origins.ts';
import { openBucket } from './light-s3.ts';

// Brokers that have the topic of the examples of docs/kafka.md.
const client = new URL('../../docs/projects/kafka/client.mjs', import.meta.url).href;
// A server that has one table, whatever it is asked.
const POSTGRES = `import { Readable } from 'node:stream';
export default {
  Client: class {
    constructor({ connectionString }) { globalThis.connectedTo = connectionString; }
    on() {}
    async connect() {}
    async end() {}
    query(text) {
      if (typeof text !== 'string') return text;
      const rows = /pg_export_snapshot/.test(text) ? [{ snapshot: '00000003-1' }] : /pg_class/.test(text) ? [{ name: 'id', type: 'bigint' }] : [];
      return Promise.resolve({ rows });
    }
  },
  to: () => Readable.from(['7\\n', '8\\n']),
};`;
const MODULES: Readonly<Record<string, string>> = {
  '@platformatic/kafka': client,
  pg: `data:text/javascript,${encodeURIComponent(POSTGRES)}`,
  'pg-copy-streams': `data:text/javascript,${encodeURIComponent(POSTGRES)}`,
};
registerHooks({
  resolve: (specifier, context, next) => {
    const url = MODULES[specifier];
    return url === undefined ? next(specifier, context) : { url, format: 'module', shortCircuit: true };
  },
});

const NAMES = ['STRATA_PIPELINE', 'STRATA_BRONZE_BUCKET', 'STRATA_OPS_BUCKET', 'STRATA_ORIGIN', 'STRATA_SECRETS'];
const bucket = openBucket();
const asked: string[] = [];
/** What the server of lists answers. */
let answer = new Response('[]');
const BROKERS = 'localhost:9092';
/** What secrets are. */
let secretText = BROKERS;
mock.method(globalThis, 'fetch', async (url: URL, init: RequestInit) => {
  if (!new URL(url).hostname.startsWith('secretsmanager.')) {
    asked.push(`${url} ${new Headers(init.headers).get('x-key')}`);
    return answer;
  }
  const { SecretId } = JSON.parse(String(init.body)) as { readonly SecretId: string };
  asked.push(SecretId);
  return new Response(JSON.stringify({ SecretString: secretText }));
});

function environment(name: string, origin: Origin, secrets?: object): void {
  Object.assign(process.env, {
    ...{ STRATA_PIPELINE: 'talk', STRATA_BRONZE_BUCKET: 'bronze-1', STRATA_OPS_BUCKET: 'ops-1' },
    ...{ AWS_REGION: 'eu-west-1', AWS_ACCESS_KEY_ID: 'none', AWS_SECRET_ACCESS_KEY: 'none' },
    STRATA_ORIGIN: JSON.stringify({ name, origin }),
  });
  if (secrets === undefined) delete process.env['STRATA_SECRETS'];
  else process.env['STRATA_SECRETS'] = JSON.stringify(secrets);
}

/** A call that may take so long. */
const context = (ms: number) =>
  ({
    memoryLimitInMB: '512',
    functionName: 'f',
    awsRequestId: 'r',
    getRemainingTimeInMillis: () => ms,
  }) as unknown as Context;

beforeEach(() => {
  asked.length = 0;
  bucket.objects.clear();
  secretText = BROKERS;
});
after(() => {
  for (const name of NAMES) delete process.env[name];
});

const TOPIC: Origin = { kind: 'kafka', brokers: 'TALK_KAFKA', topic: 'orders' };
const LIST: Origin = {
  ...{
    kind: 'http',
    url: 'https://api.example.org/rates',
    query: [],
    headers: [{ name: 'x-key', secret: 'RATES_KEY' }],
  },
  ...{ timeoutMs: 1_000, retries: 0 },
};

describe('a function that fetches a source', () => {
  test('lands what it has, with the secret of the name, or of the one that was given', async () => {
    const { handler } = await import('../../../lambdas/fetch.ts');
    environment('rates', LIST);
    answer = new Response('[{"rate":1.10}]');
    assert.deepEqual(await handler({ pipeline: 'talk' }, context(900_000)), { files: 1, records: 1 });
    assert.deepEqual(asked, ['RATES_KEY', 'https://api.example.org/rates localhost:9092']);
    const [last, key = ''] = [...bucket.objects.keys()];
    const object = bucket.objects.get(key);
    assert.equal(last, 'ops/talk/_origins/rates/last.json');
    assert.match(key, /^bronze\/talk\/rates\/\d{4}-\d\d-\d\d\/\d{8}T\d{9}Z-[0-9a-f]{16}\.json$/);
    assert.equal(new TextDecoder().decode(object?.bytes), '[{"rate":1.10}]\n');
    environment('rates', LIST, { RATES_KEY: 'arn:of:another' });
    answer = new Response('<html>', { status: 404 });
    await assert.rejects(
      handler({}, context(900_000)),
      /InvalidInput: .* answered 404, expected 200; nothing was landed/,
    );
    assert.equal(asked[2], 'arn:of:another');
  });

  test('has a source that can be fetched, and an environment', async () => {
    const { handler } = await import('../../../lambdas/fetch.ts');
    environment('said', TOPIC);
    await assert.rejects(
      handler({}, context(900_000)),
      /source said of pipeline talk: got no origin that can be fetched/,
    );
    delete process.env['STRATA_ORIGIN'];
    await assert.rejects(handler({}, context(900_000)), /no STRATA_ORIGIN in the environment of this function: deploy/);
  });
});

describe('a function that extracts a table', () => {
  const TABLE: Origin = { kind: 'postgres', secret: 'TALK_URL', schema: 'sales', table: 'orders', columns: ['id'] };
  test('lands its rows as a file of Parquet, once', async () => {
    const { handler } = await import('../../../lambdas/extract.ts');
    environment('orders', TABLE);
    secretText = 'postgres://me:pw@db:5432/sales';
    assert.deepEqual(await handler({}, context(900_000)), { files: 1, records: 2 });
    assert.equal((globalThis as { connectedTo?: string }).connectedTo, 'postgres://me:pw@db:5432/sales');
    const [last, key = ''] = [...bucket.objects.keys()];
    assert.equal(last, 'ops/talk/_origins/orders/last.json');
    assert.match(key, /^bronze\/talk\/orders\/\d{4}-\d\d-\d\d\/\d{8}T\d{9}Z-[0-9a-f]{16}\.parquet$/);
    assert.equal(new TextDecoder().decode(bucket.objects.get(key)?.bytes.subarray(0, 4)), 'PAR1');
    assert.deepEqual(await handler({}, context(900_000)), { files: 0, records: 2 });
    assert.equal(bucket.objects.size, 2);
  });

  test('says what secret it misses', async () => {
    const { handler } = await import('../../../lambdas/extract.ts');
    environment('orders', TABLE);
    secretText = 'not a URL';
    await assert.rejects(handler({}, context(900_000)), /the secret TALK_URL is no URL of a PostgreSQL/);
    assert.equal(bucket.objects.size, 0);
  });
});

describe('a function that consumes a topic', () => {
  test('lands what has come until nothing more does, and goes on there in the next call', async () => {
    const { handler } = await import('../../../lambdas/consume.ts');
    environment('said', TOPIC);
    // With a minute left it reads nothing, and has nothing to land.
    assert.deepEqual(await handler({}, context(60_000)), { files: 0, records: 0, bytes: 0 });
    const began = performance.now();
    const { files, records } = (await handler({}, context(900_000))) as Record<string, number>;
    assert.deepEqual([files, records, asked], [1, 4, ['TALK_KAFKA', 'TALK_KAFKA']]);
    // Far from a minute, after which a file is landed while more comes.
    assert.ok(performance.now() - began < 30_000);
    assert.deepEqual(
      [...bucket.objects.keys()],
      ['ops/talk/_topics/said/orders/0.json', 'bronze/talk/said/orders/0/0-3.jsonl.zst'],
    );
    const { bytes = new Uint8Array() } = bucket.objects.get('bronze/talk/said/orders/0/0-3.jsonl.zst') ?? {};
    assert.equal(zstdDecompressSync(bytes).toString().split('\n').length, 5);
    const read = new Set<string>();
    bucket.refuse = (key) => {
      read.add(key);
      return undefined;
    };
    assert.deepEqual(await handler({}, context(60_100)), { files: 0, records: 0, bytes: 0 });
    // Of all files it looks at the last.
    assert.deepEqual([...read], ['ops/talk/_topics/said/orders/0.json', 'bronze/talk/said/orders/0/0-3.jsonl.zst']);
    environment('rates', LIST);
    await assert.rejects(
      handler({}, context(900_000)),
      /source rates of pipeline talk: got no topic; expected one made by kafka/,
    );
  });
});
