import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readUploads } from '../../../lib/runtime/lambda/uploads.ts';

type Line = { readonly level: 'info' | 'warn'; readonly event: string; readonly fields: unknown };

function read(...bodies: readonly unknown[]) {
  const lines: Line[] = [];
  const Records = bodies.map((body, at) => ({
    messageId: `m${at}`,
    body: typeof body === 'string' ? body : JSON.stringify(body),
    receiptHandle: 'h',
  }));
  const outcome = readUploads(
    'shop',
    { Records },
    {
      info: (event, fields) => void lines.push({ level: 'info', event, fields }),
      warn: (event, fields) => void lines.push({ level: 'warn', event, fields }),
    },
  );
  return { ...outcome, lines };
}

const KEY = 'bronze/shop/orders/day-1.csv';

function created(object: object = {}, type = 'Object Created') {
  return {
    version: '0',
    id: 'e',
    source: 'aws.s3',
    'detail-type': type,
    detail: { bucket: { name: 'b' }, object: { key: KEY, etag: 'e1', size: 3, 'version-id': 'v1', ...object } },
  };
}

test('an upload is read with its key, content and version', () => {
  assert.deepEqual(read(created()), {
    uploads: [{ message: 'm0', upload: { key: KEY, etag: 'e1', version: 'v1' } }],
    ends: [],
    malformed: [],
    lines: [],
  });
});

test('a bucket without versions has uploads without them', () => {
  assert.deepEqual(read(created({ 'version-id': undefined })).uploads[0]?.upload, { key: KEY, etag: 'e1' });
});

test('a key is taken as it is: EventBridge does not encode it', () => {
  for (const name of ['a b.csv', 'a+b.csv', 'a%20b.csv', 'ä€.csv', "it's.csv", 'x/y=1/z.csv']) {
    assert.equal(
      read(created({ key: `bronze/shop/orders/${name}` })).uploads[0]?.upload.key,
      `bronze/shop/orders/${name}`,
    );
  }
});

const ARN = 'arn:aws:states:eu-central-1:123456789012:execution:strata-retail:upload-1';

function ended(detail: object = {}) {
  return {
    version: '0',
    id: 'e',
    source: 'aws.states',
    'detail-type': 'Step Functions Execution Status Change',
    detail: { executionArn: ARN, name: 'upload-1', status: 'SUCCEEDED', input: '{"pipeline":"retail"}', ...detail },
  };
}

test('the end of a run that is followed starts a run like an upload, once however often it is told', () => {
  const { uploads, malformed } = read(ended(), ended({ input: null }), created());
  assert.deepEqual(malformed, []);
  assert.deepEqual(
    uploads.map(({ message, upload }) => [message, upload.key]),
    [
      ['m0', ARN],
      ['m1', ARN],
      ['m2', KEY],
    ],
  );
  assert.deepEqual(uploads[0]?.upload, uploads[1]?.upload);
});

test('a dry run is not followed; one that failed is told of', () => {
  const failed = ended({ status: 'FAILED' });
  const { uploads, ends, malformed, lines } = read(
    ended({ input: '{"dry_run":true}' }),
    failed,
    ended({ status: 'x' }),
  );
  assert.deepEqual([uploads, ends, malformed], [[], [{ message: 'm1', event: failed }], ['m2']]);
  assert.deepEqual(lines[0], {
    level: 'info',
    event: 'a run is not followed',
    fields: { execution: ARN, why: 'a dry run' },
  });
});

test('an execution that ended as coalesced is not followed: the one that did its work is', () => {
  const { uploads, malformed, lines } = read(
    ended({ output: '{"status":"coalesced","behind":{"run_id":"r"}}' }),
    ended({ output: '{"status":"planned"}' }),
    ended({ output: 'x{' }),
  );
  assert.deepEqual([uploads.length, malformed], [2, []]);
  const fields = { execution: ARN, why: 'another execution does what it was started for' };
  assert.deepEqual(lines[0]?.fields, fields);
});

const MALFORMED: readonly (readonly [string, unknown])[] = [
  ['no JSON', 'hello'],
  ['an empty body', ''],
  ['another event', created({}, 'Object Deleted')],
  ['an object without a key', created({ key: undefined })],
  ['an object without an etag', created({ etag: '' })],
  ["S3's own notification", { Records: [{ eventName: 'ObjectCreated:Put', s3: { object: { key: KEY } } }] }],
  ['a list', []],
];

for (const [what, body] of MALFORMED) {
  test(`${what} goes back to the queue, and the others of the batch are taken`, () => {
    const { uploads, malformed, lines } = read(body, created());
    assert.deepEqual(malformed, ['m0']);
    assert.deepEqual(
      uploads.map(({ message }) => message),
      ['m1'],
    );
    assert.deepEqual(
      lines.map(({ level, fields }) => [level, (fields as { message: string }).message]),
      [['warn', 'm0']],
    );
  });
}

test('what is no file of a source is left out, and said to be', () => {
  const { uploads, malformed, lines } = read(
    created({ key: 'bronze/other/orders/a.csv' }),
    created({ key: 'bronze/shop/orders/2026/', size: 0 }),
  );
  assert.deepEqual([uploads, malformed], [[], []]);
  assert.deepEqual(
    lines.map(({ level, event }) => `${level} ${event}`),
    Array(2).fill('info an object is no upload'),
  );
});

test('the same file in two messages is reported by both', () => {
  assert.deepEqual(
    read(created(), created()).uploads.map(({ message }) => message),
    ['m0', 'm1'],
  );
});

test('an event that is no batch is refused', () => {
  const log = { info: () => {}, warn: () => {} };
  for (const event of [null, {}, created(), { Records: [{ body: '{}' }] }]) {
    assert.throws(() => readUploads('shop', event, log), { name: 'InvalidInput', message: /not the input of Starter/ });
  }
});
