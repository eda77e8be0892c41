import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { MOST_ROWS_OF_A_PAGE } from '../../lib/core/origins.ts';
import crypto from '../../pipelines/crypto/pipeline.ts';
import { type AnsweringServer, openAnsweringServer, status } from '../adapters/origins/answering-server.ts';
import { fakeAws } from './aws-account.ts';
import { type CliLake, openCliLake } from './lake.ts';

type Fetched = { readonly sources: readonly Record<string, unknown>[] };

describe('strata fetch', () => {
  let server: AnsweringServer;
  let lake: CliLake;
  before(async () => {
    server = await openAnsweringServer();
    const coins = `define.http({ url: '${server.url}', pages: { count: 2, rows: 2 }, retries: 0, columns: { id: 'string', price: 'decimal(18,8)' } })`;
    const rates = `define.http({ url: '${server.url}', query: { what: 'rates' }, retries: 0, columns: { rate: 'double' } })`;
    lake = openCliLake(
      'p',
      `{ name: 'p', sources: { coins: ${coins}, rates: ${rates}, files: csv({ columns: { a: 'int' } }) },
        silver: { coins: { from: 'coins' }, rates: { from: 'rates' }, files: { from: 'files' } } }`,
    );
  });
  after(async () => {
    lake.close();
    await server.close();
  });

  test('is refused for what cannot be fetched, before anything is made', async () => {
    for (const [args, said] of [
      [['p', 'files'], /source "files" of pipeline p: got no origin that can be fetched; expected one of coins, rates/],
      [
        ['p', 'coin'],
        /source "coin" of pipeline p: got no such source; expected one of coins, rates; did you mean "coins"/,
      ],
    ] as const) {
      const { code, stderr } = await lake.run('fetch', ...args);
      assert.equal(code, 1);
      assert.match(stderr, said);
    }
    assert.equal(existsSync(lake.root), false);
  });

  test('lands what the other sources have where one fails, and ends with 2; the next goes on', async () => {
    server.says('[{"id":"b","price":1.5}]', '[]', status(404));
    const { sources } = await lake.json<Fetched>(2, 'fetch', 'p');
    const [coins, rates] = sources;
    assert.deepEqual([coins?.['source'], coins?.['records']], ['coins', 1]);
    assert.deepEqual(rates, {
      source: 'rates',
      failed: { name: 'InvalidInput', message: `${server.url} answered 404, expected 200; nothing was landed` },
    });
    server.says('[{"id":"b","price":1.5}]', '[]', '[{"rate":0.1}]');
    const { code, stdout } = await lake.run('fetch', 'p');
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^coins: 1 record, those that were landed last; nothing was landed\nrates: 1 record, 15 B\n {2}bronze\/p\/rates\/\d{4}-\d\d-\d\d\/\S+\.json\n\nnext:\n.*strata.* run p/,
    );
    server.says('[]');
    assert.equal((await lake.run('fetch', 'p', 'rates')).stdout, 'rates: no records; nothing was landed\n');
    assert.ok(existsSync(join(lake.root, 'bronze/p/rates')));
  });

  test('starts the deployed functions on AWS, and says which source has none', async () => {
    const asked: unknown[] = [];
    const aws = fakeAws({ origins: ['strata-dev-p_origin_coins', 'strata-dev-p_origin_rates'] });
    const answer = globalThis.fetch;
    globalThis.fetch = async (url, init) => {
      asked.push([
        new URL(String(url)).pathname,
        new Headers(init?.headers).get('x-amz-invocation-type'),
        String(init?.body),
      ]);
      return answer(url, init);
    };
    try {
      const { stdout, code } = await lake.run('fetch', 'p', '--aws', '--stage', 'dev');
      assert.match(
        stdout,
        /^coins: strata-dev-p_origin_coins is started; .*\nrates: strata-dev-p_origin_rates is started/,
      );
      assert.equal(code, 0);
      assert.deepEqual(asked[0], [
        '/2015-03-31/functions/strata-dev-p_origin_coins/invocations',
        'Event',
        '{"pipeline":"p"}',
      ]);
      assert.equal(asked.length, 2);
      const missing = await lake.run('fetch', 'p', 'rates', '--aws');
      assert.equal(missing.code, 1);
      assert.match(
        missing.stderr,
        /no function strata-p_origin_rates, which would land the source rates of pipeline p: give its construct origins: \{ rates: \{ schedule \} \}/,
      );
      for (const [args, said] of [
        [['fetch', 'p', 'files', '--aws'], /got no origin that can be fetched/],
        [['consume', 'p', 'rates', '--aws'], /source "rates" of pipeline p: got no topic/],
        [
          ['consume', 'p', 'rates', '--aws', '--until-idle', '1s'],
          /--until-idle or --skip-lost with --aws: the function ends by itself/,
        ],
        [['fetch', 'p', '--stage', 'dev'], /--stage without --aws/],
      ] as const) {
        const { stderr } = await lake.run(...args);
        assert.match(stderr, said);
      }
    } finally {
      aws.reset();
    }
  });

  test('leaves files that a run takes as any others', async () => {
    await lake.json(0, 'run', 'p');
    const sql = 'SELECT c.id, c.price, r.rate FROM p_silver.coins c, p_silver.rates r';
    assert.deepEqual(await lake.json(0, 'query', sql), [{ id: 'b', price: '1.50000000', rate: 0.1 }]);
  });

  test('of crypto asks the markets for their coins, 250 to a page at most', () => {
    const { markets } = crypto.sources ?? {};
    assert.ok(markets !== undefined && 'origin' in markets && markets.origin === 'http');
    assert.deepEqual(
      [markets.url, markets.query, markets.pages, markets.timeout, markets.retries],
      [
        'https://api.coingecko.com/api/v3/coins/markets',
        { vs_currency: 'usd', order: 'market_cap_desc' },
        { count: 4, rows: MOST_ROWS_OF_A_PAGE },
        undefined,
        undefined,
      ],
    );
  });
});
