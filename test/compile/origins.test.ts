import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { http, kafka, secret } from '../../lib/define/index.ts';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, problemsOf, shopWith } from './shop.ts';

const COLUMNS = { customer_id: 'bigint', name: 'string', region: 'string' } as const;
const URL_TEXT = 'https://api.example.org/customers';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

const customers = (source: unknown) => ({ definition: shopWith(['sources', 'customers'], source) });
const problems = async (source: unknown): Promise<readonly string[]> =>
  (await problemsOf(session, customers(source))).map(
    ({ place, got, expected }) =>
      // What others may be is another list with each kind of source.
      `${place.replace('sources.customers.', '')}: ${got}${got === 'an unknown property' ? '' : `; ${expected}`}`,
  );

describe('a source that is fetched', () => {
  test('has its URL, with the names of secrets and defaults, in the spec, and nothing else that files have not', async () => {
    const query = { vs_currency: 'usd', page_of: 1, flat: true, key: secret('API_KEY') };
    const source = http({
      ...{ url: URL_TEXT, query, headers: { 'X-Api-Key': secret('API_KEY'), accept: 'text/json' } },
      ...{ pages: { count: 3, rows: 250 }, columns: COLUMNS },
    });
    const spec = await compileShop(session, customers(source));
    const { format, origin } = spec.sources.find(({ name }) => name === 'customers') ?? {};
    assert.deepEqual(format, { kind: 'json', layout: 'array' });
    assert.deepEqual(origin, {
      kind: 'http',
      url: URL_TEXT,
      query: [
        { name: 'vs_currency', text: 'usd' },
        { name: 'page_of', text: '1' },
        { name: 'flat', text: 'true' },
        { name: 'key', secret: 'API_KEY' },
      ],
      headers: [
        { name: 'X-Api-Key', secret: 'API_KEY' },
        { name: 'accept', text: 'text/json' },
      ],
      pages: { count: 3, number: 'page', first: 1, size: { parameter: 'per_page', rows: 250 } },
      timeoutMs: 15_000,
      retries: 3,
    });
    const other = {
      ...source,
      pages: { count: 1, number: 'p', size: 'n', first: 0, rows: 9 },
      timeout: '2s',
      retries: 0,
    };
    const again = (await compileShop(session, customers(other))).sources.find(({ name }) => name === 'customers');
    const pages = { count: 1, number: 'p', first: 0, size: { parameter: 'n', rows: 9 } };
    assert.deepEqual(again?.origin, { ...origin, pages, timeoutMs: 2_000, retries: 0 });
    const { origin: plain } =
      (await compileShop(session, customers(http({ url: URL_TEXT, columns: COLUMNS })))).sources.find(
        ({ name }) => name === 'customers',
      ) ?? {};
    assert.deepEqual(plain, { kind: 'http', url: URL_TEXT, query: [], headers: [], timeoutMs: 15_000, retries: 3 });
  });

  const url = `a URL such as 'https://api.example.org/markets', without name, password, query or #; http:// only on this machine`;
  for (const wrong of [
    'https://u:hidden@x.org/',
    'https://x.org/?key=hidden',
    'http://x.org/',
    'hidden',
    'https://x.org/#a',
    5,
  ]) {
    test(`has a URL without secrets, which are repeated nowhere: ${String(wrong).replace('hidden', '...')}`, async () => {
      assert.deepEqual(await problems({ ...http({ url: 'https://x', columns: COLUMNS }), url: wrong }), [
        `url: something else; ${url}`,
      ]);
    });
  }

  test('says all that is wrong with it, and keeps what must be secret out of files', async () => {
    const source = {
      ...http({ url: URL_TEXT, columns: COLUMNS }),
      query: { api_key: 'hidden', list: ['hidden'] },
      headers: { Authorization: 'hidden', 'a b': 'hidden' },
      pages: { count: 0, rows: 251, size: '', start: 1 },
      timeout: '6m',
      retries: -1,
      topic: 'x',
    };
    assert.deepEqual(await problems(source), [
      'topic: an unknown property',
      "query.list: something else; parameters by name, such as { vs_currency: 'usd', api_key: secret('API_KEY') }",
      `headers["a b"]: something else; headers by name, such as { accept: 'application/json', 'x-api-key': secret('API_KEY') }`,
      `timeout: "6m"; a span of at most 5 minutes, such as '15s'`,
      'retries: -1; a whole number from 0 to 10',
      'pages.start: an unknown property',
      'pages.count: 0; a whole number from 1 to 1000',
      'pages.rows: 251; a whole number of records to a page from 1 to 250',
      'pages.size: ""; the name of a parameter',
    ]);
    const open = { query: { api_key: 'hidden', page: 'a' }, headers: { Authorization: 'hidden', accept: 'a' } };
    const secretly = "secret('NAME'): what says who asks is kept out of files";
    assert.deepEqual(await problems({ ...http({ url: URL_TEXT, columns: COLUMNS }), ...open }), [
      `query.api_key: a text; ${secretly}`,
      `headers.Authorization: a text; ${secretly}`,
    ]);
  });

  test('whose pages and query have one parameter twice is refused', async () => {
    const source = http({
      url: URL_TEXT,
      query: { page: '1', per_page: 2 },
      pages: { count: 2, rows: 2 },
      columns: COLUMNS,
    });
    assert.deepEqual(await problems(source), [
      'query.page: a parameter that pages gives; it in one of the two',
      'query.per_page: a parameter that pages gives; it in one of the two',
    ]);
    assert.deepEqual(await problems({ ...http({ url: URL_TEXT, columns: COLUMNS }), url: undefined }), [
      `url: nothing; ${url}`,
    ]);
    assert.deepEqual(await problems({ ...http({ url: URL_TEXT, columns: COLUMNS }), origin: 'ftp' }), [
      'url: an unknown property',
      'origin: an unknown property',
    ]);
  });
});

describe('a source of a topic', () => {
  const TOPIC = { brokers: secret('KAFKA'), topic: 'talk_1.a-b' };

  test('has what every record has, and the topic with the name of its secret in the spec', async () => {
    const definition = { name: 'shop', sources: { talk: kafka(TOPIC) }, silver: { talk: { from: 'talk' } } };
    const spec = await compileShop(session, { definition });
    const [source] = spec.sources;
    assert.deepEqual(source?.origin, { kind: 'kafka', brokers: 'KAFKA', topic: 'talk_1.a-b' });
    assert.deepEqual(source?.format, { kind: 'json', layout: 'lines' });
    assert.deepEqual([source?.key, source?.drift], [['topic', 'partition', 'offset'], 'ignore']);
    assert.deepEqual(
      source?.columns.map(({ name, type, required }) => [name, type.kind, required]),
      [
        ['topic', 'string', true],
        ['partition', 'int', true],
        ['offset', 'bigint', true],
        ['sent_at', 'timestamptz', true],
        ['value', 'string', true],
      ],
    );
  });

  test('has other columns where they are said, and its key by their names', async () => {
    const columns = {
      offset: { type: 'bigint', as: 'at' },
      headers: 'list<struct<key: string, value: string>>',
    } as const;
    const definition = {
      name: 'shop',
      sources: { talk: kafka({ ...TOPIC, columns, drift: 'fail' }) },
      silver: { talk: { from: 'talk' } },
    };
    const [source] = (await compileShop(session, { definition })).sources;
    assert.deepEqual([source?.key, source?.drift], [['topic', 'partition', 'at'], 'fail']);
    assert.deepEqual(
      source?.columns.map(({ name }) => name),
      ['topic', 'partition', 'at', 'sent_at', 'value', 'headers'],
    );
  });

  test('says what is wrong with it, and nothing that may be secret', async () => {
    const columns = { customer_id: 'bigint', name: 'string', region: 'string', key: 'string' };
    assert.deepEqual(await problems({ ...kafka(TOPIC), brokers: 'hidden:9092', topic: '..', columns, key: 'key' }), [
      ...['customer_id', 'name', 'region'].map(
        (name) =>
          `columns.${name}: a field that records have not; one of topic, partition, offset, timestamp_ms, key, headers, value; what a value has is a column of type struct<...>`,
      ),
      "brokers: something else; secret('NAME'), a name of letters, digits and _ and never the brokers themselves",
      'topic: ".."; the name of a topic: at most 249 letters, digits, ., _ and -',
    ]);
    assert.deepEqual(
      (await problems({ ...kafka(TOPIC), brokers: undefined, topic: undefined })).filter((one) => /nothing/.test(one)),
      [
        "brokers: nothing; secret('NAME'), a name of letters, digits and _ and never the brokers themselves",
        'topic: nothing; the name of a topic: at most 249 letters, digits, ., _ and -',
      ],
    );
  });
});
