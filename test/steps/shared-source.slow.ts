import assert from 'node:assert/strict';
import { after, describe, test } from 'node:test';
import type { RowCounts } from '../../lib/core/row-counts.ts';
import { append, csv, definePipeline, full, month, replace, scd2, upsert } from '../../lib/define/index.ts';
import { openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

const HEADER = 'id,day,amount,note\n';

/** Tables that count their rows in ways of their own, and that one source feeds. */
const TABLES = {
  plain: { mode: append(), partitionBy: [month('day')] },
  by_row: { mode: append({ dedupe: 'row' }) },
  by_key: { mode: append({ dedupe: { key: 'id' } }) },
  condemning: { mode: append({ dedupe: { key: 'id' }, onDuplicate: 'condemn' }), metadata: ['row_hash'] },
  dropping: { mode: append(), expect: { positive: { condition: 'amount > 0', policy: 'drop' } } },
  strict: { mode: append(), expect: { noted: { condition: 'note IS NOT NULL', policy: 'drop' } } },
  parts: { mode: replace(), partitionBy: [month('day')] },
  last: { mode: full() },
  latest: { mode: upsert({ key: 'id', sequence: 'day', buckets: 2 }) },
  noted: { mode: upsert({ key: 'note', sequence: 'day', buckets: 2 }) },
  doubled: { mode: scd2({ key: 'id', sequence: 'day', buckets: 2 }), sql: 'doubled.sql' },
} as const;

function shop(names: readonly (keyof typeof TABLES)[]): TestPipeline {
  const silver = Object.fromEntries(names.map((name) => [name, { from: 'orders', ...TABLES[name] }]));
  return {
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: {
        orders: csv({
          key: ['id'],
          columns: { id: 'bigint', day: 'date', amount: 'decimal(10,2)', note: 'string' },
        }),
      },
      silver,
    } as unknown as Parameters<typeof definePipeline>[0]),
    sql: { 'doubled.sql': 'SELECT id, day, amount * 2 AS amount FROM batch.orders' },
  };
}

/** A run each: rows again, a rejected one that comes again, keys that are null, rows that some tables do not take. */
const LANDINGS = [
  { 'a.csv': '1,2026-01-05,1.00,a\n2,2026-02-06,2.00,b\n2,2026-02-06,2.00,b\n3,2026-02-07,x,c\n3,2026-02-07,x,c\n' },
  {
    'b.csv': '1,2026-01-05,1.00,a\n4,2026-03-01,-4.00,d\n3,2026-02-07,x,c\n',
    'c.csv': '5,2026-03-02,5.00,\n,2026-03-03,6.00,f\n',
  },
  {
    'd.csv': '4,2026-03-01,-4.00,d\n5,2026-03-02,5.00,\n1,2026-01-06,9.00,late\n4,2026-03-05,-5.00,\n',
    'e.csv': 'not,a,row\n',
  },
  { 'f.csv': '4,2026-03-06,4.00,g\n5,2026-03-07,5.00,h\n,2026-03-03,6.00,f\n' },
] as const;

type Accounts = Readonly<Record<string, RowCounts>>;

/** The accounts of each table, run by run. */
async function live(lake: TestLake, names: readonly string[]): Promise<readonly Accounts[]> {
  const rounds: Accounts[] = [];
  for (const [round, files] of LANDINGS.entries()) {
    for (const [name, rows] of Object.entries(files)) await lake.land('orders', name, `${HEADER}${rows}`);
    const { status, error, accounting } = await lake.run({ runId: `run-${round}` });
    assert.equal(status, 'SUCCEEDED', error?.message);
    const { tables, ...shared } = accounting['orders'] ?? assert.fail('the source has an account');
    rounds.push(Object.fromEntries(names.map((name) => [name, tables?.[`shop_silver.${name}`] ?? shared])));
  }
  return rounds;
}

const rowsOf = (lake: TestLake, name: string): Promise<unknown> =>
  lake.rows(`shop_silver.${name}`, 'SELECT * FROM t ORDER BY ALL');
const rejectedOf = (lake: TestLake, name: string): Promise<unknown> =>
  lake.rows(
    'shop_ops.quarantine',
    `SELECT run_id, source_file, line, raw, codes, details, row_hash, status FROM t WHERE table_name IS NULL OR table_name = 'shop_silver.${name}' ORDER BY ALL`,
  );

describe('one source feeds tables that count differently, each as if it were alone', { concurrency: 2 }, async () => {
  const names = Object.keys(TABLES) as (keyof typeof TABLES)[];
  const shared = await openTestLake(shop(names));
  after(() => shared.close());
  const together = await live(shared, names);

  for (const name of names) {
    test(name, async () => {
      const alone = await openTestLake(shop([name]));
      const accounts = await live(alone, [name]);
      assert.deepEqual(
        together.map((round) => round[name]),
        accounts.map((round) => round[name]),
      );
      assert.deepEqual(await rowsOf(shared, name), await rowsOf(alone, name));
      assert.deepEqual(await rejectedOf(shared, name), await rejectedOf(alone, name));
      alone.close();
    });
  }

  test('a row that the contract rejects stands in quarantine once, others once for each table that rejects them', async () => {
    const rows = await shared.rows(
      'shop_ops.quarantine',
      `SELECT run_id, line, codes[1] AS code, list(replace(table_name, 'shop_silver.', '') ORDER BY table_name) AS tables FROM t
       WHERE run_id IN ('run-0', 'run-1') GROUP BY ALL ORDER BY ALL`,
    );
    assert.deepEqual(
      rows.map(({ run_id, line, code, tables }) => [run_id, line, code, ...(tables as (string | null)[])]),
      [
        ['run-0', 5, 'TYPE_ERROR', null],
        // Two tables have left the second of two equal rows out before they looked at it.
        ['run-0', 6, 'TYPE_ERROR', ...names.filter((name) => !['by_row', 'condemning'].includes(name)).sort()],
        ['run-1', 2, 'NOTED', 'strict'],
        ['run-1', 2, 'NULL_KEY', 'noted'],
        ['run-1', 3, 'NULL_KEY', 'by_key', 'condemning', 'doubled', 'latest'],
        ['run-1', 3, 'POSITIVE', 'dropping'],
        ['run-1', 4, 'DUPLICATE_FAILURE', null],
      ],
    );
    const accounts = await shared.rows(
      'shop_ops.accounting',
      "SELECT count(*) AS n, count(table_name) AS named, bool_and(read = accepted + quarantined + condemned + duplicates) AS closed FROM t WHERE run_id = 'run-0'",
    );
    assert.deepEqual(accounts, [{ n: 11, named: 11, closed: true }]);
  });
});
