import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { createHttpLander } from '../../../lib/adapters/origins/http.ts';
import { createMemoryStore } from '../../../lib/adapters/store/memory.ts';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import type { HttpOrigin } from '../../../lib/core/origins.ts';
import type { ObjectStore } from '../../../lib/ports.ts';
import { makeScratch } from '../../support/test-engine.ts';
import { type AnsweringServer, openAnsweringServer, type Said, status } from './answering-server.ts';

const PREFIX = 'bronze/crypto/markets/';
const NOW = new Date('2026-11-30T20:15:00.123Z');

let server: AnsweringServer;
before(async () => {
  server = await openAnsweringServer();
});
after(() => server.close());

type Given = { readonly origin?: Partial<HttpOrigin>; readonly store?: ObjectStore; readonly now?: Date };

/** A landing from a server that says one thing after the other. */
async function land(said: readonly Said[], { origin, store = storeOf(), now = NOW }: Given = {}) {
  server.says(...said);
  const waits: number[] = [];
  const pages = { count: 2, number: 'page', first: 1, size: { parameter: 'per_page', rows: 250 } };
  const lander = createHttpLander(
    { kind: 'http', url: server.url, query: [], headers: [], pages, timeoutMs: 5_000, retries: 2, ...origin },
    {
      store,
      now: () => now,
      wait: async (ms) => waits.push(ms),
      secret: async (name) => ({ KEY: ' s3cret ', BAD: 'zwölf' })[name],
    },
  );
  const outcome = await lander.land(PREFIX).catch((error: unknown) => error);
  const landed: Record<string, string> = {};
  for await (const { key } of store.list('bronze/'))
    landed[key] = new TextDecoder().decode((await store.read(key)).bytes);
  return { outcome, waits, landed, asked: server.asked.map(({ path }) => path) };
}

function storeOf(): ObjectStore {
  return createMemoryStore({ scratch: makeScratch() });
}

describe('pages of a list', () => {
  test('are landed as one file, in the text that the server gave, until one has no records', async () => {
    const { outcome, landed, asked } = await land(['\ufeff [{"p": 1.2e12}]', '[ {"p":0.10},\n{"p":null} ]'], {
      origin: { query: [{ name: 'vs_currency', text: 'usd' }] },
    });
    assert.deepEqual(Object.values(landed), ['[{"p": 1.2e12},\n{"p":0.10},\n{"p":null}]\n']);
    const [name = ''] = Object.keys(landed);
    assert.match(name, /^bronze\/crypto\/markets\/2026-11-30\/20261130T201500123Z-[0-9a-f]{16}\.json$/);
    assert.deepEqual(outcome, { files: [{ key: name, bytes: 40 }], records: 3 });
    const path = '/markets?vs_currency=usd&per_page=250&page=';
    assert.deepEqual(asked, [`${path}1`, `${path}2`]);
    const { asked: fewer } = await land(['[]']);
    assert.equal(fewer.length, 1);
  });

  test('that are none, or those that were landed last, are no file; those of before are one again', async () => {
    const store = storeOf();
    const at = (minute: number) => new Date(NOW.getTime() + minute * 60_000);
    const only = { pages: undefined } as unknown as Partial<HttpOrigin>;
    const said = async (text: string, minute: number) =>
      (await land([text], { store, origin: only, now: at(minute) })).outcome;
    assert.deepEqual(await said('[]', 0), { files: [], records: 0, nothing: 'empty' });
    await said('[1]', 1);
    assert.deepEqual(await said(' [1] ', 2), { files: [], records: 1, nothing: 'unchanged' });
    await said('[2]', 3);
    const { landed, asked } = await land(['[1]'], { store, origin: only, now: at(1440) });
    assert.deepEqual(Object.values(landed), ['[1]\n', '[2]\n', '[1]\n']);
    assert.deepEqual(asked, ['/markets']);
    // Who died after he had written is started again.
    assert.deepEqual(await said('[1]', 1441), { files: [], records: 1, nothing: 'unchanged' });
  });

  test('are asked for with secrets, which are read each time and stand in no error', async () => {
    const named = {
      headers: [{ name: 'x-api-key', secret: 'KEY' }],
      query: [{ name: 'token', secret: 'KEY' }],
    };
    await land(['[]'], { origin: named });
    assert.equal(server.asked[0]?.path, '/markets?token=s3cret&per_page=250&page=1');
    assert.equal(server.asked[0]?.headers['x-api-key'], 's3cret');
    assert.equal(server.asked[0]?.headers.accept, 'application/json');
    const { outcome } = await land([status(401)], { origin: named });
    assert.equal(
      (outcome as Error).message,
      `${server.url} (page 1) answered 401, expected 200: the secret of a header or parameter may be wrong; nothing was landed`,
    );
    for (const [name, said] of [
      ['NONE', /^no secret NONE: expected what the header a has, in an environment variable/],
      ['BAD', /^the secret BAD is no text for the header a: expected printable ASCII/],
    ] as const) {
      const { outcome: wrong, asked } = await land([], { origin: { headers: [{ name: 'a', secret: name }] } });
      assert.ok(wrong instanceof InvalidInput && said.test(wrong.message), String(wrong));
      assert.deepEqual(asked, []);
    }
  });
});

/** The first page is always right: nothing of it may be landed. */
const BAD: readonly { name: string; said: readonly Said[]; error: RegExp; waits?: readonly number[] }[] = [
  {
    name: 'no JSON',
    said: ['<html>hidden</html>'],
    error: /InvalidInput: .* \(page 2\) answered text that is no JSON: expected a JSON array/,
  },
  { name: 'nothing', said: [' '], error: /InvalidInput: .* answered nothing: expected/ },
  { name: 'an object', said: ['{"error":"hidden"}'], error: /InvalidInput: .* answered a JSON object: expected/ },
  { name: 'null', said: ['null'], error: /InvalidInput: .* answered null: expected/ },
  { name: 'two lists', said: ['[1][2]'], error: /InvalidInput: .* no JSON/ },
  { name: 'no UTF-8', said: [(_, response) => response.end(Buffer.from('["\xff"]', 'latin1'))], error: /no UTF-8/ },
  {
    name: 'a redirect',
    said: [status(302, { location: 'http://127.0.0.1:1/' })],
    error: /InvalidInput: .* answered 302, expected 200: it has moved; put the URL of now/,
  },
  { name: '404', said: [status(404)], error: /InvalidInput: .* answered 404, expected 200; nothing was landed$/ },
  {
    name: '500, again and again',
    said: [status(500), status(503), status(500)],
    error: /Unavailable: .* \(page 2\) answered 500, 3 times; nothing was landed$/,
    waits: [1_000, 2_000],
  },
  {
    name: 'half a page',
    said: Array.from(
      { length: 3 },
      (): Said => (_, response) => {
        response.writeHead(200, { 'content-length': '100' });
        response.write('[{"id":1}');
        setImmediate(() => response.destroy());
      },
    ),
    error: /Unavailable: .* did not answer whole \(\w+\), 3 times/,
    waits: [1_000, 2_000],
  },
  {
    name: '429 that asks for an hour',
    said: [status(429, { 'retry-after': '3600' })],
    error: /Unavailable: .* answered 429 and asks to wait 3600 s; nothing was landed: fetch again after that/,
  },
];

describe('a page that is not given', () => {
  for (const { name, said, error, waits = [] } of BAD) {
    test(`lands nothing: ${name}`, async () => {
      const found = await land(['[1]', ...said]);
      const { name: kind, message } = found.outcome as Error;
      assert.match(`${kind}: ${message}`, error);
      assert.doesNotMatch(message, /hidden|\?/);
      assert.deepEqual([found.landed, found.waits], [{}, waits]);
    });
  }

  test('is asked for again, when the server says so, in seconds or by a date', async () => {
    const date = new Date(NOW.getTime() + 7_877).toUTCString();
    const { waits, landed, asked } = await land(
      [status(429, { 'retry-after': '12' }), status(429, { 'retry-after': date }), '[1]', status(503), '[]'],
      { origin: { retries: 2 } },
    );
    assert.deepEqual(waits, [12_000, 7_877, 1_000]);
    assert.deepEqual([Object.values(landed), asked.length], [['[1]\n'], 5]);
    // What is no time is passed over.
    assert.deepEqual((await land([status(429, { 'retry-after': 'soon' }), '[]'])).waits, [1_000]);
  });

  test('in time is asked for again, and not without end; nobody there is said so', async () => {
    const silent: Said = () => undefined;
    const { outcome } = await land([silent, silent], { origin: { timeoutMs: 50, retries: 1 } });
    assert.ok(outcome instanceof Unavailable);
    assert.match(outcome.message, /did not answer whole \(0\.05 s are over\), 2 times/);
    const closed = await openAnsweringServer();
    await closed.close();
    const { outcome: nobody } = await land([], { origin: { url: closed.url, retries: 0 } });
    assert.match(
      String(nobody),
      /^Unavailable: .* \(page 1\) did not answer whole \(ECONNREFUSED\); nothing was landed$/,
    );
  });
});
