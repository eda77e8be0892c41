import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { createBusEvents } from '../../lib/adapters/openlineage/eventbridge.ts';
import { createHttpEvents } from '../../lib/adapters/openlineage/http.ts';
import type { AskAws, AwsQuestion } from '../../lib/core/aws-question.ts';
import { InvalidInput } from '../../lib/core/errors.ts';

/** A collector that answers so; undefined: the connection breaks. */
function collector(...answers: readonly (number | undefined)[]) {
  const got: { url: string; headers: Record<string, string>; body: unknown }[] = [];
  const waits: number[] = [];
  const redirects: unknown[] = [];
  const left = [...answers];
  const fetch: typeof globalThis.fetch = async (url, init) => {
    got.push({
      url: String(url),
      headers: init?.headers as Record<string, string>,
      body: JSON.parse(String(init?.body)),
    });
    redirects.push(init?.redirect);
    const status = left.length > 0 ? left.shift() : 201;
    if (status === undefined) throw new TypeError('fetch failed');
    return new Response('said', { status });
  };
  return { got, waits, redirects, deps: { fetch, wait: async (ms: number) => void waits.push(ms) } };
}

describe('events by HTTP', () => {
  test('go one by one to where collectors listen, with the key', async () => {
    const { got, deps } = collector();
    await createHttpEvents('https://marquez.example.com', { ...deps, key: 'k' })([{ n: 1 }, { n: 2 }]);
    assert.deepEqual(
      got.map(({ url, body }) => [url, body]),
      [
        ['https://marquez.example.com/api/v1/lineage', { n: 1 }],
        ['https://marquez.example.com/api/v1/lineage', { n: 2 }],
      ],
    );
    assert.deepEqual(got[0]?.headers, { 'content-type': 'application/json', authorization: 'Bearer k' });
    const other = collector();
    await createHttpEvents('https://x.example.com/in?a=1', { ...other.deps, key: undefined })([{ n: 1 }]);
    assert.deepEqual(
      [other.got[0]?.url, other.got[0]?.headers['authorization']],
      ['https://x.example.com/in?a=1', undefined],
    );
  });

  test('are not posted with a key that no header takes, which no error repeats', async () => {
    const { got, deps } = collector();
    for (const key of ['k1\nk2', 'k1 k2', 'k1\u20ac', ' \n']) {
      assert.throws(() => createHttpEvents('https://x.example.com/in?token=t', { ...deps, key }), {
        name: 'InvalidInput',
        message:
          'the key of https://x.example.com is no text for a header: expected printable ASCII characters, and no spaces',
      });
    }
    await createHttpEvents('https://x.example.com', { ...deps, key: ' k1\n' })([{ n: 1 }]);
    assert.equal(got[0]?.headers['authorization'], 'Bearer k1');
  });

  test('are tried three times where nobody answers', async () => {
    const once = collector(503, 429);
    await createHttpEvents('https://x.example.com', { ...once.deps, key: undefined })([{ n: 1 }]);
    assert.deepEqual([once.got.length, once.waits], [3, [1_000, 2_000]]);
    const never = collector(undefined, undefined, undefined);
    await assert.rejects(createHttpEvents('https://x.example.com', { ...never.deps, key: undefined })([{ n: 1 }]), {
      name: 'Unavailable',
      message: 'https://x.example.com did not answer (fetch failed), 3 times',
    });
    const passing = collector(503);
    await assert.rejects(
      createHttpEvents('https://x.example.com', { ...passing.deps, key: undefined, attempts: 1 })([{ n: 1 }]),
      { name: 'Unavailable', message: 'https://x.example.com answered 503' },
    );
    assert.deepEqual([passing.got.length, passing.waits], [1, []]);
    const moved = collector(302);
    await assert.rejects(createHttpEvents('https://x.example.com', { ...moved.deps, key: 'k' })([{ n: 1 }]), {
      name: 'InvalidInput',
      message: /^https:\/\/x\.example\.com answered 302: expected a collector/,
    });
    assert.deepEqual([moved.got.length, moved.redirects], [1, ['manual']]);
  });

  test('go to no address that holds a password, which is not repeated', () => {
    const { deps } = collector();
    const expected = 'expected one such as https://marquez.example.com, and a key in OPENLINEAGE_API_KEY';
    for (const [address, got] of [
      ['https://me@x.example.com', 'a URL with a name or a password'],
      ['https://:hidden@x.example.com', 'a URL with a name or a password'],
      ['https://', 'no URL'],
    ] as const) {
      assert.throws(() => createHttpEvents(address, { ...deps, key: undefined }), {
        name: 'InvalidInput',
        message: `--to: got ${got}; ${expected}`,
      });
    }
  });

  test('that are refused are not tried again', async () => {
    const { got, deps } = collector(401);
    await assert.rejects(createHttpEvents('https://x.example.com', { ...deps, key: undefined })([{ n: 1 }, { n: 2 }]), {
      name: 'InvalidInput',
      message: /^https:\/\/x\.example\.com answered 401: .*OPENLINEAGE_API_KEY/,
    });
    assert.equal(got.length, 1);
  });
});

describe('events on a bus', () => {
  type Put = { readonly Entries: readonly { readonly Detail: string }[] };

  /** A bus that answers so, or refuses. */
  function bus(answer: object | Error = { FailedEntryCount: 0, Entries: [] }) {
    const asked: AwsQuestion[] = [];
    const ask: AskAws = async (question) => {
      asked.push(question);
      if (answer instanceof Error) throw answer;
      return { text: JSON.stringify(answer), at: new Date(0) };
    };
    const puts = () => asked.map((question) => ('body' in question ? (question.body as Put).Entries : []));
    return { asked, puts, put: createBusEvents(ask, 'lineage') };
  }

  test('go ten at a time, and fewer where they are large', async () => {
    const many = bus();
    await many.put(Array.from({ length: 11 }, (_, n) => ({ n })));
    assert.deepEqual(
      many.puts().map((entries) => entries.length),
      [10, 1],
    );
    const { body, ...question } = many.asked[1] as AwsQuestion & { body: Put };
    assert.deepEqual(question, {
      service: 'events',
      action: 'events:PutEvents',
      kind: 'json',
      target: 'AWSEvents.PutEvents',
    });
    assert.deepEqual(body.Entries[0], {
      EventBusName: 'lineage',
      Source: 'strata',
      DetailType: 'OpenLineage RunEvent',
      Detail: '{"n":10}',
    });
    const large = bus();
    await large.put([{ x: 'x'.repeat(200_000) }, { x: 'y'.repeat(100_000) }, { x: 'z' }]);
    assert.deepEqual(
      large.puts().map((entries) => entries.length),
      [1, 2],
    );
    await assert.rejects(large.put([{ x: 'x'.repeat(262_144) }]), {
      name: 'InvalidInput',
      message: /^an event of 2621\d\d bytes/,
    });
  });

  test('that were not taken are told of', async () => {
    const { put } = bus({ FailedEntryCount: 1, Entries: [{}, { ErrorCode: 'InternalFailure' }] });
    await assert.rejects(put([{ n: 1 }, { n: 2 }]), {
      name: 'Unavailable',
      message: 'events:PutEvents on lineage: 1 of 2 events were not taken: InternalFailure',
    });
    await assert.rejects(bus(new InvalidInput('events:PutEvents is refused')).put([{ n: 1 }]), {
      name: 'InvalidInput',
      message: 'events:PutEvents is refused',
    });
  });
});
