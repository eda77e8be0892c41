import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { createPostgresLander } from '../../../lib/adapters/origins/postgres.ts';
import { connectPostgres } from '../../../lib/adapters/postgres/connect.ts';
import { InvalidInput, Unavailable } from '../../../lib/core/errors.ts';
import type { PostgresOrigin } from '../../../lib/core/origins.ts';
import { postgres, secret, upsert } from '../../../lib/define/index.ts';
import type { StepDeps } from '../../../lib/lake/deps.ts';
import { fetchSources } from '../../../lib/runtime/origins/fetch-sources.ts';
import { tableLander } from '../../../lib/runtime/origins/table-lander.ts';
import { openTestLake, type TestLake } from '../../support/test-lake.ts';
import { useDatabase } from './databases.ts';

const database = useDatabase();

const COLUMNS = {
  id: { type: 'bigint', required: true },
  name: 'string',
  amount: 'decimal(10,2)',
  at: { type: 'timestamptz', required: true },
  tags: 'string',
  ok: 'boolean',
} as const;

async function lakeOf(schema: string, own: object): Promise<TestLake> {
  const lake = await openTestLake({
    name: 'shop',
    definition: {
      name: 'shop',
      sources: { orders: postgres({ url: secret('TEST_URL'), table: `${schema}.orders`, columns: COLUMNS, ...own }) },
      silver: { orders: { from: 'orders', mode: upsert({ key: 'id', sequence: 'at', tieBreak: 'name' }) } },
    },
  });
  return lake.reopen((deps) => ({ ...deps, secret: async () => database.server.url() }));
}

async function makeOrders(schema: string): Promise<void> {
  await database.query(`CREATE SCHEMA "${schema}"; CREATE TABLE "${schema}".orders (id bigint, name text, amount numeric(10,2), at timestamptz, tags text[], ok boolean, own int);
    INSERT INTO "${schema}".orders SELECT i, CASE WHEN i = 2 THEN '' WHEN i = 3 THEN NULL ELSE 'n"' || i END, i + 0.25, '2026-01-01Z'::timestamptz + i * interval '1 hour', ARRAY['a', NULL], i % 2 = 0 FROM generate_series(1, 1000) i;
    INSERT INTO "${schema}".orders (id, name, at) VALUES (NULL, 'without', '2026-01-01Z')`);
}

const fetched = (lake: TestLake): ReturnType<typeof fetchSources> =>
  lake.deps.specs('shop').then((spec) => {
    const table = tableLander({ ...lake.deps, unique: lake.deps.ids.unique });
    return fetchSources({ ...lake.deps, table }, spec);
  });
const files = (lake: TestLake): Promise<readonly string[]> => list(lake.deps);

async function list({ store }: StepDeps): Promise<readonly string[]> {
  const keys: string[] = [];
  for await (const { key } of store.list('bronze/shop/orders/')) keys.push(key);
  return keys;
}

test('a table comes whole, in ranges, as one file that a run takes', async () => {
  const schema = database.schema();
  await makeOrders(schema);
  const lake = await lakeOf(schema, {
    partition: { column: 'id', bounds: 'auto', parts: 3 },
    where: 'id IS NULL OR id <= 999 -- all but one',
  });
  try {
    const [first] = await fetched(lake);
    assert.ok(first !== undefined && 'files' in first, JSON.stringify(first));
    assert.deepEqual([first.records, first.files.length, (await files(lake)).length], [1000, 1, 1]);
    assert.match(
      first.files[0]?.key ?? '',
      /^bronze\/shop\/orders\/\d{4}-\d\d-\d\d\/\d{8}T\d{9}Z-[0-9a-f]{16}\.parquet$/,
    );
    const run = await lake.run();
    // The row without an id is set aside, not lost on the way.
    assert.deepEqual([run.accounting['orders']?.accepted, run.accounting['orders']?.quarantined], [999, 1]);
    const rows = await lake.rows(
      'shop_silver.orders',
      'SELECT id, name, amount, "at", tags, ok FROM t WHERE id IN (1, 2, 3, 999) ORDER BY id',
    );
    assert.deepEqual(
      rows.map((row) => Object.values(row)),
      [
        [1, 'n"1', '1.25', '2026-01-01 01:00:00+00', '["a",null]', false],
        [2, '', '2.25', '2026-01-01 02:00:00+00', '["a",null]', true],
        [3, null, '3.25', '2026-01-01 03:00:00+00', '["a",null]', false],
        [999, 'n"999', '999.25', '2026-02-11 15:00:00+00', '["a",null]', false],
      ],
    );
    const [second] = await fetched(lake);
    assert.deepEqual(second, { source: 'orders', files: [], records: 1000, nothing: 'unchanged' });
  } finally {
    lake.close();
  }
});

test('a cursor takes what is new, and what may have come late', async () => {
  const schema = database.schema();
  await makeOrders(schema);
  const lake = await lakeOf(schema, { cursor: 'at', overlap: '2h' });
  try {
    const records = async (): Promise<unknown> =>
      (await fetched(lake)).map((one) => ('records' in one ? [one.records, one.nothing] : one));
    assert.deepEqual(await records(), [[1001, undefined]]);
    // The last, and the two hours before it; then the same again.
    assert.deepEqual(await records(), [[3, undefined]]);
    assert.deepEqual(await records(), [[3, 'unchanged']]);
    await database.query(
      `INSERT INTO "${schema}".orders (id, name, at) VALUES (2000, 'late', '2026-02-11T15:30:00Z'), (2001, 'new', '2026-03-01Z')`,
    );
    assert.deepEqual(await records(), [[5, undefined]]);
    await lake.run();
    const [count] = await lake.rows(
      'shop_silver.orders',
      "SELECT count(*)::INT AS n, count(*) FILTER (name IN ('late', 'new'))::INT AS new FROM t",
    );
    assert.deepEqual(count, { n: 1002, new: 2 });
  } finally {
    lake.close();
  }
});

test('an extract that ends anywhere lands nothing; all its ranges see one moment', async () => {
  const schema = database.schema();
  await makeOrders(schema);
  const lake = await lakeOf(schema, {});
  const scratch = await mkdtemp(join(tmpdir(), 'strata-extract-'));
  const origin: PostgresOrigin = {
    ...{ kind: 'postgres', secret: 'TEST_URL', schema, table: 'orders', columns: ['id', 'own'] },
    partition: { column: 'id', parts: 4 },
  };
  const { store, engine, settings, ids } = lake.deps;
  const deps = {
    ...{ store, engine, settings: { ...settings, scratch, folders: [scratch] }, unique: ids.unique },
    ...{ now: () => new Date('2026-05-01T00:00:00Z'), secret: async () => database.server.url() },
  };
  try {
    let calls = 0;
    let changed: Promise<unknown> = Promise.resolve();
    // While ranges are copied the table changes.
    const change = (): Promise<unknown> => {
      changed = changed.then(() =>
        database.query(`UPDATE "${schema}".orders SET own = coalesce(own, 0) + 1 WHERE id % 100 = 0`),
      );
      return changed;
    };
    for (let at = 1; ; at += 1) {
      calls = 0;
      const step = async (work: () => Promise<unknown>): Promise<void> => {
        calls += 1;
        if (calls === at) throw new Unavailable('cut off');
        await work();
      };
      const cut: typeof connectPostgres = async (place) => {
        const connection = await connectPostgres(place);
        return {
          ...connection,
          run: async (statement) => {
            await step(async () => undefined);
            return connection.run(statement);
          },
          copyOut: async (statement, path) => {
            await change();
            await step(() => connection.copyOut(statement, path));
          },
        };
      };
      const landed = await createPostgresLander(origin, deps, cut)
        .land('bronze/shop/orders/')
        .catch((cause: unknown) => cause);
      if (calls < at) {
        assert.ok(!(landed instanceof Error), String(landed));
        break;
      }
      assert.ok(landed instanceof Unavailable);
      assert.deepEqual(await files(lake), []);
    }
    assert.ok(calls > 25, `${calls} statements`);
    const [key = ''] = await files(lake);
    await using lent = await store.borrow([key]);
    const session = await engine.open(settings);
    const text = (await import('../../../lib/sql/user-sql.ts')).userSql(
      `SELECT count(*)::INT AS n, count(DISTINCT own)::INT AS moments FROM read_parquet('${lent.paths.get(key)}')`,
    );
    assert.deepEqual(await session.rows({ name: 'look', text }), [{ n: 1001, moments: 1 }]);
    await session[Symbol.asyncDispose]();
  } finally {
    await rm(scratch, { recursive: true });
    lake.close();
  }
});

test('what is not there, or cannot be cut into ranges, is told', async () => {
  const schema = database.schema();
  await makeOrders(schema);
  const failed = async (own: object): Promise<string> => {
    const lake = await lakeOf(schema, own);
    try {
      const [one] = await fetched(lake);
      assert.deepEqual(await files(lake), []);
      assert.ok(one !== undefined && 'failed' in one);
      assert.equal(one.failed.name, InvalidInput.name);
      return one.failed.message;
    } finally {
      lake.close();
    }
  };
  assert.match(await failed({ table: `${schema}.nothing` }), /no table s\d+\.nothing that this user sees/);
  assert.match(
    await failed({ columns: { ...COLUMNS, nam: 'string' } }),
    /orders: got no column nam; expected one of .*did you mean "name"/,
  );
  assert.match(
    await failed({ partition: { column: 'name', parts: 2 } }),
    /orders\.name: got text; expected smallint, integer, bigint/,
  );
  assert.match(
    await failed({ where: 'nope' }),
    /PostgreSQL of the secret TEST_URL refuses .*: column "nope" does not exist/,
  );
});
