import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { csv, definePipeline, month, scd2, upsert } from '../../lib/define/index.ts';
import { currentSchema } from '../../lib/iceberg/schema.ts';
import { planRun } from '../../lib/query/plan-run.ts';
import { compileTest, openTestLake, type TestLake, type TestPipeline } from '../support/test-lake.ts';

type Shop = {
  readonly columns: object;
  readonly silver?: object;
  readonly sql?: string;
  readonly gold?: string;
};

function shop({ columns, silver = {}, sql, gold }: Shop): TestPipeline {
  return {
    name: 'p',
    definition: definePipeline({
      name: 'p',
      sources: { s: csv({ columns: columns as never }) },
      silver: { s: { from: 's', ...silver, ...(sql === undefined ? {} : { sql: 's.sql' }) } },
      ...(gold === undefined ? {} : { gold: { g: { sql: 'g.sql' } } }),
    } as Parameters<typeof definePipeline>[0]),
    sql: { 's.sql': sql ?? '', 'g.sql': gold ?? '' },
  };
}

async function become(lake: TestLake, pipeline: TestPipeline): Promise<TestLake> {
  const spec = await compileTest(pipeline, lake.scratch);
  return lake.reopen((deps) => ({ ...deps, specs: async () => spec }));
}

async function take(lake: TestLake, name: string, text: string): Promise<void> {
  await lake.land('s', name, text);
  const { status, error, warnings } = await lake.run({ runId: `run-${name.replaceAll('.', '-')}` });
  assert.equal(status, 'SUCCEEDED', error?.message);
  assert.deepEqual(warnings, []);
}

async function idsOf(lake: TestLake, table = 'p_silver.s'): Promise<Readonly<Record<string, number>>> {
  const metadata = await lake.metadata(table);
  assert.ok(metadata);
  return Object.fromEntries(currentSchema(metadata).fields.map(({ name, id }) => [name, id]));
}

const OLD = { id: 'int', day: 'date', amount: 'int' };
const NEW = { id: 'int', day: 'date', value: { type: 'int', renamedFrom: 'amount' } };
const FIRST = 'id,day,amount\n1,2026-01-01,10\n2,2026-02-01,20\n';
const SECOND = 'id,day,value\n3,2026-03-01,30\n';

describe('a column with another name', () => {
  test('is renamed in a table that its own SQL makes, where the SQL differs by the name alone', async () => {
    const sql = (name: string) => `SELECT id, day, ${name} * 2 AS "${name}", 'amount' AS kind FROM batch.s`;
    const silver = { partitionBy: [month('day')], expect: { positive: 'amount > 0' } };
    const lake = await openTestLake(shop({ columns: OLD, sql: sql('amount'), silver }));
    try {
      await take(lake, '1.csv', FIRST);
      const before = await idsOf(lake);
      const now = { ...silver, expect: { positive: 'value > 0' } };
      const next = await become(lake, shop({ columns: NEW, sql: sql('value'), silver: now }));
      await next.land('s', '2.csv', SECOND);
      const { changes } = await planRun(next.deps, 'p');
      assert.deepEqual(
        changes.map(({ table, kind, what, refused }) => ({ table, kind, what, refused })),
        [{ table: 'p_silver.s', kind: 'metadata', what: ['column value, amount before'], refused: false }],
      );
      await take(next, '2.csv', SECOND);
      const rows = await lake.rows('p_silver.s', 'SELECT id, value, kind FROM t ORDER BY id');
      assert.deepEqual(
        rows.map((row) => Object.values(row).join()),
        ['1,20,amount', '2,40,amount', '3,60,amount'],
      );
      const { amount, ...same } = before;
      assert.deepEqual(await idsOf(lake), { ...same, value: amount });
      // Said once and for all, or forgotten: neither is a change any more.
      for (const columns of [NEW, { id: 'int', day: 'date', value: 'int' }]) {
        const later = await become(lake, shop({ columns, sql: sql('value'), silver: now }));
        assert.deepEqual((await planRun(later.deps, 'p')).changes, []);
      }
    } finally {
      lake.close();
    }
  });

  test('is renamed by the model where the contract does not know it', async () => {
    const sql = (name: string) => `SELECT id, amount * 2 AS ${name} FROM batch.s`;
    const lake = await openTestLake(shop({ columns: OLD, sql: sql('twice') }));
    try {
      await take(lake, '1.csv', FIRST);
      const { twice } = await idsOf(lake);
      const next = await become(
        lake,
        shop({ columns: OLD, sql: sql('doubled'), silver: { renamed: { doubled: 'twice' } } }),
      );
      await take(next, '2.csv', 'id,day,amount\n3,2026-03-01,30\n');
      assert.equal((await idsOf(lake))['doubled'], twice);
      const rows = await lake.rows('p_silver.s', 'SELECT doubled FROM t ORDER BY id');
      assert.deepEqual(
        rows.map((row) => row['doubled']),
        [20, 40, 60],
      );
    } finally {
      lake.close();
    }
  });

  test('is read by models before a file has come, and its new type is said where it has one', async () => {
    const gold = (name: string) => `SELECT CAST(sum(${name}) AS BIGINT) AS total FROM silver.s`;
    const lake = await openTestLake(shop({ columns: OLD, gold: gold('amount') }));
    try {
      await take(lake, '1.csv', FIRST);
      const next = await become(lake, shop({ columns: NEW, gold: `${gold('value')} WHERE value > 10` }));
      assert.equal((await next.run({ runId: 'gold' })).status, 'SUCCEEDED');
      assert.deepEqual(await lake.rows('p_gold.g'), [{ total: 20 }]);
      const retyped = { ...NEW, value: { type: 'string', renamedFrom: 'amount' } };
      const other = await become(lake, shop({ columns: retyped }));
      await other.land('s', '2.csv', SECOND);
      const { error } = await other.run({ runId: 'stopped' });
      assert.match(error?.message ?? '', /value is int in the table, as amount, and string in the pipeline/);
    } finally {
      lake.close();
    }
  });

  test('may be a key, a sequence and one that decides, in history, log and a rebuild', async () => {
    const mode = (id: string, q: string, v: string) => ({
      ...{ key: id, sequence: q, track: [v], deleteWhen: `${v} < 0`, tieBreak: `${v} DESC`, buckets: 2 },
    });
    const lake = await openTestLake(
      shop({ columns: { id: 'int', q: 'int', v: 'int' }, silver: { mode: scd2(mode('id', 'q', 'v')) } }),
    );
    try {
      await take(lake, '1.csv', 'id,q,v\n1,1,5\n2,1,7\n');
      const [table, log] = [await idsOf(lake), await idsOf(lake, 'p_silver.s__log')];
      const columns = {
        pk: { type: 'int', renamedFrom: 'id' },
        seq: { type: 'int', renamedFrom: 'q' },
        price: { type: 'int', renamedFrom: 'v' },
      };
      const next = await become(lake, shop({ columns, silver: { mode: scd2(mode('pk', 'seq', 'price')) } }));
      assert.deepEqual(
        (await planRun(next.deps, 'p')).changes.map(({ kind, what }) => [kind, what]),
        [['metadata', ['column pk, id before', 'column seq, q before', 'column price, v before']]],
      );
      await take(next, '2.csv', 'pk,seq,price\n1,3,6\n2,2,-1\n');
      await take(next, '3.csv', 'id,q,v\n1,2,4\n1,2,9\n');
      const expected = ['1,1,5,1,2', '1,2,9,2,3', '1,3,6,3,', '2,1,7,1,2'];
      const rows = async () =>
        (await lake.rows('p_silver.s', 'SELECT pk, seq, price, valid_from, valid_to FROM t ORDER BY ALL')).map((row) =>
          Object.values(row)
            .map((value) => value ?? '')
            .join(),
        );
      assert.deepEqual(await rows(), expected);
      assert.deepEqual(await idsOf(lake), renamed(table));
      assert.deepEqual(await idsOf(lake, 'p_silver.s__log'), renamed(log));
      assert.equal((await next.run({ runId: 'rebuilt', rebuild: 'p_silver.s' })).status, 'SUCCEEDED');
      assert.deepEqual(await rows(), expected);
      assert.deepEqual(await idsOf(lake), renamed(table));
    } finally {
      lake.close();
    }
  });

  test('is refused as the name of another key', async () => {
    const lake = await openTestLake(
      shop({ columns: OLD, silver: { mode: upsert({ key: 'id', sequence: 'day', buckets: 2 }) } }),
    );
    try {
      await take(lake, '1.csv', FIRST);
      const silver = { mode: upsert({ key: 'value', sequence: 'day', buckets: 2 }) };
      const next = await become(lake, shop({ columns: NEW, silver }));
      await next.land('s', '2.csv', SECOND);
      const { error } = await next.run({ runId: 'stopped' });
      assert.match(error?.message ?? '', /p_silver\.s: the key, column value, amount before/);
    } finally {
      lake.close();
    }
  });
});

test('a lake that gets a name, a wider column and a default, as the page on changes has it', async () => {
  const lake = await openTestLake(shop({ columns: { order_id: 'bigint', amount: 'int' } }));
  try {
    await take(lake, '1.csv', 'order_id,amount\n1,10\n2,20\n');
    const { amount } = await idsOf(lake);
    const columns = {
      order_id: 'bigint',
      amount_eur: { type: 'bigint', renamedFrom: 'amount' },
      channel: { type: 'string', default: 'shop' },
    };
    const next = await become(lake, shop({ columns }));
    assert.deepEqual(
      (await planRun(next.deps, 'p')).changes.map(({ kind, what }) => [kind, what]),
      [
        [
          'backfill',
          [
            'the columns',
            'column channel, new in the contract with a default',
            'amount_eur is int in the table, as amount, and bigint in the pipeline',
            'column amount_eur, amount before',
          ],
        ],
      ],
    );
    assert.equal((await next.run({ runId: 'stopped' })).status, 'FAILED');
    assert.equal((await next.run({ runId: 'backfill', backfill: {} })).status, 'SUCCEEDED');
    await take(next, '2.csv', 'order_id,amount_eur,channel\n3,30,web\n4,40,\n');
    const rows = await lake.rows('p_silver.s', 'SELECT order_id, amount_eur, channel FROM t ORDER BY ALL');
    assert.deepEqual(
      rows.map((row) => Object.values(row).join()),
      ['1,10,shop', '2,20,shop', '3,30,web', '4,40,'],
    );
    assert.equal((await idsOf(lake))['amount_eur'], amount);
  } finally {
    lake.close();
  }
});

function renamed({
  id,
  q,
  v,
  ...rest
}: Readonly<Record<string, number>>): Readonly<Record<string, number | undefined>> {
  return { ...rest, pk: id, seq: q, price: v };
}
