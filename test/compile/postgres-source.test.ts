import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { renderProblem } from '../../lib/core/errors.ts';
import { postgres, secret } from '../../lib/define/index.ts';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, problemsOf, SHOP } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

const columns = {
  'Order Id': { type: 'bigint', as: 'order_id' },
  customer_id: 'bigint',
  ordered_at: 'timestamp',
  amount: 'decimal(12,2)',
  note: 'string',
  tags: 'list<string>',
} as const;
const from = (own: object): unknown => {
  const orders = { ...postgres({ url: secret('SALES'), table: 'orders', columns }), ...own };
  return { ...SHOP, sources: { ...SHOP.sources, orders } };
};

test('a table of PostgreSQL is a source of Parquet files, with what says which rows', async () => {
  const originOf = async (own: object): Promise<unknown> =>
    (await compileShop(session, { definition: from(own) })).sources.find(({ name }) => name === 'orders')?.origin;
  const plain = { kind: 'postgres', secret: 'SALES', schema: 'public', table: 'orders', columns: Object.keys(columns) };
  assert.deepEqual(await originOf({}), plain);
  const all = {
    table: 'sales.orders',
    where: 'amount > 0',
    partition: { column: 'customer_id', bounds: 'auto', parts: 4 },
    cursor: 'ordered_at',
  };
  assert.deepEqual(await originOf(all), {
    ...plain,
    schema: 'sales',
    where: 'amount > 0',
    partition: { column: 'customer_id', parts: 4 },
    cursor: { column: 'ordered_at', overlapMs: 300_000 },
  });
  assert.deepEqual(await originOf({ cursor: 'ordered_at', overlap: '1h' }), {
    ...plain,
    cursor: { column: 'ordered_at', overlapMs: 3_600_000 },
  });
});

test('reports what is wrong with one, without a URL that stands in the place of its secret', async () => {
  const own = {
    url: 'postgres://u:sesame@h/d',
    table: 'a.b.c',
    partition: { column: 'nope', parts: 0 },
    cursor: 'order_id',
    overlap: 'long',
  };
  const found = await problemsOf(session, { definition: from(own) });
  const place = 'pipelines/shop/pipeline.ts: sources.orders';
  assert.deepEqual(
    found.map((problem) => renderProblem(problem).trim()),
    [
      `${place}.url: got something else; expected secret('NAME'), a name of letters, digits and _ and never the URL itself`,
      `${place}.table: got "a.b.c"; expected the name of a table, with its schema where that is not public: 'sales.orders'`,
      `${place}.overlap: got "long"; expected a span such as '5m' or '1h'`,
      `${place}.partition.parts: got 0; expected a whole number from 1 to 32`,
      `${place}.cursor: got the column "order_id"; expected one that columns names`,
      `${place}.partition: got the column "nope"; expected one that columns names`,
    ],
  );
  const [overlap] = await problemsOf(session, { definition: from({ overlap: '1h' }) });
  assert.equal(
    overlap && renderProblem(overlap).trim(),
    `${place}.overlap: got an overlap without a cursor; expected a cursor, or no overlap`,
  );
});
