import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { BRONZE_FILE } from '../../lib/core/bronze-file.ts';
import { append, csv, definePipeline, full, identity, json, replace, scd2, upsert } from '../../lib/define/index.ts';
import { type Trace, traceRows } from '../../lib/query/trace.ts';
import { openTestLake, type TestLake } from '../support/test-lake.ts';

const COLUMNS = {
  id: { type: 'bigint', required: true },
  kind: 'string',
  amount: 'decimal(10,2)',
  at: 'date',
} as const;
const CSV = { source: csv({ columns: COLUMNS }) };
const FIRST = 'id,kind,amount,at\n1,a,1.50,2026-01-01\nx,a,1,2026-01-01\n2,"a\nb",2.00,2026-01-02\n3,c,,2026-01-03\n';
const SECOND = 'id,kind,amount,at\n4,d,4.00,2026-01-04\n2,c,9.25,2026-02-02\n';

type Given = { readonly model: object; readonly source?: unknown; readonly sql?: string; readonly unitBytes?: number };

async function openShop({ model, source = CSV.source, sql, unitBytes }: Given): Promise<TestLake> {
  return openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { orders: source },
      silver: { orders: { from: 'orders', ...model, ...(sql === undefined ? {} : { sql: 'orders.sql' }) } },
      gold: { totals: { sql: 'totals.sql' } },
      ...(unitBytes === undefined ? {} : { settings: { unitBytes } }),
    } as Parameters<typeof definePipeline>[0]),
    sql: {
      'totals.sql': 'SELECT kind, count(*) AS orders FROM silver.orders GROUP BY kind',
      ...(sql === undefined ? {} : { 'orders.sql': sql }),
    },
  });
}

async function tracing<T>(given: Given, use: (lake: TestLake) => Promise<T>): Promise<T> {
  const lake = await openShop(given);
  try {
    await lake.land('orders', 'first.csv', FIRST);
    assert.equal((await lake.run({ runId: 'run-1' })).status, 'SUCCEEDED');
    await lake.land('orders', 'sub/second.csv', SECOND);
    assert.equal((await lake.run({ runId: 'run-2' })).status, 'SUCCEEDED');
    return await use(lake);
  } finally {
    lake.close();
  }
}

const trace = (lake: TestLake, where: string, limit = 10): Promise<Trace> =>
  traceRows(lake.deps, { table: 'shop_silver.orders', where, limit });

/** Each origin as `run file:lines`, or as why it is not known. */
function told({ rows }: Trace): readonly (readonly string[])[] {
  return rows.map(({ origins }) =>
    origins.map(({ file, lines, run_id, op, unknown }) =>
      [run_id, `${file?.slice('bronze/shop/orders/'.length)}:${lines}`, op, unknown].filter(Boolean).join(' '),
    ),
  );
}

const ONE = [['run-1 first.csv:2']];
const TWO = [['run-1 first.csv:4'], ['run-2 sub/second.csv:3']];

/** What is known of the row with id 1, and of the two with id 2. */
const CASES: readonly (Given & { readonly what: string; readonly one?: typeof ONE; readonly two?: typeof TWO })[] = [
  { what: 'append', model: { mode: append() } },
  { what: 'append, in partitions', model: { mode: append(), partitionBy: [identity('kind')] } },
  {
    what: 'append, by SQL',
    model: { mode: append() },
    sql: 'SELECT id, upper(kind) AS kind, amount * 2 AS amount, "at" FROM batch.orders',
  },
  {
    what: 'append, hashes kept',
    model: { mode: append(), metadata: ['row_hash'] },
    sql: 'SELECT id, 1 AS kind FROM batch.orders',
  },
  { what: 'rows told apart', model: { mode: append({ dedupe: 'row' }) } },
  { what: 'replace', model: { mode: replace(), partitionBy: [identity('kind')] } },
  { what: 'full', model: { mode: full() }, one: [], two: TWO.slice(1) },
  {
    what: 'upsert',
    model: { mode: upsert({ key: 'id', sequence: 'at' }) },
    one: [['run-1 first.csv:2 upsert']],
    two: [['run-2 sub/second.csv:3 upsert']],
  },
  {
    what: 'scd2',
    model: { mode: scd2({ key: 'id', sequence: 'at', track: ['kind'] }) },
    one: [['run-1 first.csv:2 upsert']],
    two: [['run-1 first.csv:4 upsert'], ['run-2 sub/second.csv:3 upsert']],
  },
];

describe('a row is traced to its line', () => {
  for (const { what, one = ONE, two = TWO, ...given } of CASES) {
    test(what, async () => {
      await tracing(given, async (lake) => {
        assert.deepEqual(told(await trace(lake, 'id = 1')), one);
        const both = await trace(lake, 'id = 2');
        assert.deepEqual(told(both).toSorted(), two);
        assert.equal(both.matched, two.length);
      });
    });
  }

  test('with the record, the values of the row, and the first rows of many', async () => {
    await tracing({ model: { mode: append() } }, async (lake) => {
      const { rows, ...rest } = await trace(lake, "kind LIKE 'a%'", 1);
      assert.deepEqual(rest, { table: 'shop_silver.orders', mode: 'append', matched: 2 });
      assert.deepEqual(rows, [
        {
          row: { id: 1, kind: 'a', amount: '1.50', at: '2026-01-01' },
          origins: [
            {
              ...{ file: 'bronze/shop/orders/first.csv', lines: [2], run_id: 'run-1', op: null, unknown: null },
              raw: '{"id":"1","kind":"a","amount":"1.50","at":"2026-01-01"}',
            },
          ],
        },
      ]);
    });
  });

  test('where several lines are equal, to all of them', async () => {
    const lake = await openShop({ model: { mode: append() }, source: json({ layout: 'lines', columns: COLUMNS }) });
    try {
      await lake.land('orders', 'a.json', '{"id":1}\n\n{"id":2}\n{"id":1}\n');
      await lake.run({ runId: 'run-1' });
      assert.deepEqual(told(await trace(lake, 'id = 1')), [['run-1 a.json:1,4'], ['run-1 a.json:1,4']]);
      assert.deepEqual(told(await trace(lake, 'id = 9')), []);
    } finally {
      lake.close();
    }
  });

  test('the events behind a version are those up to its end', async () => {
    await tracing({ model: { mode: scd2({ key: 'id', sequence: 'at', track: ['kind'] }) } }, async (lake) => {
      await lake.land('orders', 'third.csv', 'id,kind,amount,at\n1,a,7.00,2026-01-05\n1,z,7.00,2026-01-06\n');
      await lake.run({ runId: 'run-3' });
      assert.deepEqual(told(await trace(lake, "id = 1 AND kind = 'a'")), [
        ['run-1 first.csv:2 upsert', 'run-3 third.csv:2 upsert'],
      ]);
    });
  });

  test('of a file that was replaced, to the content that brought it', async () => {
    const lake = await openTestLake(
      {
        name: 'shop',
        definition: definePipeline({
          name: 'shop',
          sources: { orders: CSV.source },
          silver: { orders: { from: 'orders', mode: append() } },
        }),
      },
      { versions: true },
    );
    try {
      await lake.land('orders', 'a.csv', 'id,kind,amount,at\n1,a,1,2026-01-01\n');
      await lake.run({ runId: 'run-1' });
      await lake.land('orders', 'a.csv', 'id,kind,amount,at\n5,a,1,2026-01-01\n1,a,1,2026-01-01\n');
      await lake.run({ runId: 'run-2' });
      assert.deepEqual(told(await trace(lake, 'id = 1')).toSorted(), [['run-1 a.csv:2'], ['run-2 a.csv:3']]);
    } finally {
      lake.close();
    }
  });
});

test('of events of one name each is traced to its own content and run', async () => {
  const mode = scd2({ key: 'id', sequence: 'at', track: ['kind'] });
  const definition = definePipeline({
    name: 'shop',
    sources: { orders: CSV.source },
    silver: { orders: { from: 'orders', mode } },
  });
  const lake = await openTestLake({ name: 'shop', definition }, { versions: true });
  try {
    await lake.land('orders', 'a.csv', 'id,kind,amount,at\n1,a,1,2026-01-01\n');
    await lake.run({ runId: 'run-1' });
    await lake.land('orders', 'a.csv', 'id,kind,amount,at\n5,a,1,2026-01-01\n1,b,1,2026-01-02\n');
    await lake.run({ runId: 'run-2' });
    assert.deepEqual(told(await trace(lake, 'id = 1')).toSorted(), [
      ['run-1 a.csv:2 upsert'],
      ['run-2 a.csv:3 upsert'],
    ]);
  } finally {
    lake.close();
  }
});

describe('what is not known is said', () => {
  test('a file that is gone, or another now', async () => {
    await tracing({ model: { mode: append() } }, async (lake) => {
      await lake.store.remove('bronze/shop/orders/first.csv');
      await lake.land('orders', 'sub/second.csv', 'id,kind,amount,at\n');
      assert.deepEqual(told(await trace(lake, 'id = 2')), [
        ['run-1 first.csv: it is not in bronze any more'],
        ['run-2 sub/second.csv: it has another content in bronze now'],
      ]);
    });
  });

  test('a row that the pipeline makes no more', async () => {
    const sql = 'SELECT id, kind, amount + 1 AS amount, "at" FROM batch.orders';
    await tracing({ model: { mode: append() }, sql }, async (lake) => {
      const spec = await lake.deps.specs('shop');
      const models = spec.models.map((one) => ({ ...one, sql: one.sql.replace('+', '-') }) as typeof one);
      const changed = lake.reopen((deps) => ({ ...deps, specs: async () => ({ ...spec, models }) }));
      assert.deepEqual(told(await trace(changed, 'id = 1')), [
        ['run-1 first.csv: no record of it makes this row by the pipeline of now'],
      ]);
    });
  });

  test('a data file that says nothing of its bronze file', async () => {
    await tracing({ model: { mode: append() } }, async (lake) => {
      // As an earlier release wrote it: the column has a name that no id belongs to.
      const open = lake.deps.engine.open;
      const engine: typeof lake.deps.engine = {
        open: async (options) => {
          const session = await open(options);
          return {
            ...session,
            copy: (statement) => {
              const without = (text: string): string => text.replace(`"${BRONZE_FILE.name}": 2147000000`, '');
              return session.copy({ ...statement, text: without(statement.text) as typeof statement.text });
            },
            [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
          };
        },
      };
      const earlier = lake.reopen((deps) => ({ ...deps, engine }));
      await earlier.land('orders', 'old.csv', 'id,kind,amount,at\n7,a,1,2026-01-01\n');
      await earlier.run({ runId: 'run-3' });
      assert.deepEqual(told(await trace(lake, 'id = 7')), [
        ['run-3 undefined: its data file does not say: an earlier release wrote it, or another engine'],
      ]);
    });
  });
});

describe('what cannot be traced is refused', () => {
  const REFUSED: readonly (readonly [table: string, where: string, message: RegExp])[] = [
    ['shop_silver.orders', 'EXISTS (FROM duckdb_settings)', /got the table duckdb_settings; expected a condition/],
    ['shop_gold.totals', 'true', /is computed from shop_silver.orders; .* strata trace shop_silver.orders --where/s],
    ['shop_silver.orders__log', 'true', /is the log of a keyed table: expected shop_silver.orders itself/],
    ['shop_ops.files', 'true', /is no table of a silver model; expected one of shop_silver.orders/],
    ['shop_silver.order', 'true', /did you mean shop_silver.orders/],
    ['shop_silver.orders', 'nothing = 1', /nothing/],
    ['shop_silver.orders', '1 = ', /syntax error/],
    ['shop_silver.orders', "id IN (SELECT 1 FROM read_csv('/etc/passwd'))", /read_csv/],
    ['shop_silver.orders', 'true) UNION ALL (SELECT 1', /UNION|column|SELECT/i],
  ];
  test('by what was wrong', async () => {
    await tracing({ model: { mode: upsert({ key: 'id', sequence: 'at' }) } }, async (lake) => {
      for (const [table, where, message] of REFUSED) {
        await assert.rejects(traceRows(lake.deps, { table, where, limit: 10 }), (error: Error) => {
          assert.equal(error.name, 'InvalidInput', `${table} ${where}: ${error.message}`);
          const { problems = [] } = error as Error & { problems?: readonly unknown[] };
          assert.match(`${error.message} ${JSON.stringify(problems)}`, message);
          return true;
        });
      }
    });
  });
});
