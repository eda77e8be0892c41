import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { loadFunctions, manyRowsIn } from '../../lib/compile/functions.ts';
import { type Origins, originsOf } from '../../lib/compile/origins.ts';
import { csv, definePipeline, scd2 } from '../../lib/define/index.ts';
import type { Session, Statement } from '../../lib/ports.ts';
import type { Node } from '../../lib/sql/tree.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { compileShop, openSession } from './shop.ts';

/** The tables that the queries read, with their rows. */
const TABLES = {
  people: { columns: ['id', 'email', 'town'], rows: "(1, 'a', 'x'), (2, 'b', 'y'), (3, 'c', 'x')" },
  orders: { columns: ['id', 'buyer', 'amount'], rows: '(10, 1, 5), (11, 1, 7), (12, 2, 11), (13, 9, 2)' },
} as const;

/** SQL, what each of its columns comes from, and what decides about its rows; p is people, o is orders. */
const CASES: readonly (readonly [sql: string, columns: string, rows: string])[] = [
  ['select id, email as mail from people', 'id=p.id mail=p.email', ''],
  ['select * from people', 'id=p.id email=p.email town=p.town', ''],
  ['select upper(email) || id as x, 1 as one from people', 'x=p.email,p.id one=', ''],
  ['select town, count(*) as n from people group by town', 'town=p.town n=', 'p.town'],
  ['select town, count(email) as n from people group by all', 'town=p.town n=p.email', 'p.town'],
  ['select sum(amount) as s from orders where buyer > 1', 's=o.amount', 'o.buyer'],
  [
    'select p.town, sum(o.amount) as s from orders o join people p on p.id = o.buyer group by p.town having sum(o.id) > 0',
    'town=p.town s=o.amount',
    'o.buyer,o.id,p.id,p.town',
  ],
  ['select o.id, p.email from orders o left join people p using (id)', 'id=o.id email=p.email', 'o.id,p.id'],
  ['with x as (select buyer as who, amount from orders where id > 10) select who from x', 'who=o.buyer', 'o.id'],
  ['with x(a, b) as (select id, amount from orders) select b, a from x', 'b=o.amount a=o.id', ''],
  ['select a from (select id as a from orders union all select length(email) from people)', 'a=o.id,p.email', ''],
  ['select id as a from orders except select id from people', 'a=o.id,p.id', 'o.id,p.id'],
  ['select distinct town from people', 'town=p.town', ''],
  ['select distinct on (town) id from people order by town, id', 'id=p.id', 'p.town'],
  ['select id from people order by email', 'id=p.id', ''],
  ['select id from people order by email limit 2', 'id=p.id', 'p.email'],
  ['select id, row_number() over (partition by town order by email) as n from people', 'id=p.id n=p.email,p.town', ''],
  [
    'select id from orders qualify row_number() over (partition by buyer order by amount desc) = 1',
    'id=o.id',
    'o.amount,o.buyer',
  ],
  [
    'select id, (select max(amount) from orders o where o.buyer = p.id) as most from people p',
    'id=p.id most=o.amount,o.buyer,p.id',
    '',
  ],
  ['select id from people where id in (select buyer from orders)', 'id=p.id', 'o.buyer,p.id'],
  ['select exists (from orders o where o.buyer = p.id) as any from people p', 'any=o.amount,o.buyer,o.id,p.id', ''],
  ['select case when amount > 6 then buyer end as big from orders', 'big=o.amount,o.buyer', ''],
  ['select amount as a, a + 1 as b from orders', 'a=o.amount b=o.amount', ''],
  ['select * exclude (town) replace (upper(email) as email) from people', 'id=p.id email=p.email', ''],
  [
    'from people union all by name select id, buyer from orders',
    'id=o.id,p.id email=p.email town=p.town buyer=o.buyer',
    '',
  ],
  ['select q.id_1 as i from (select o.*, p.* from orders o, people p) q', 'i=o.id,p.id', ''],
  ['select sum(amount) filter (where id > 11) as s from orders', 's=o.amount,o.id', ''],
  ['select t.k from orders, unnest([amount]) t(k)', 'k=o.amount', ''],
];

let session: Session;
before(async () => {
  session = await openSession();
  for (const name of tableNames()) await session.run(filled(name));
});
after(() => session[Symbol.asyncDispose]());

describe('where columns come from', () => {
  for (const [sql, columns, rows] of CASES) {
    test(sql, async () => {
      const found = await originsIn(sql);
      assert.equal(found.columns.map(([name, from]) => `${name}=${from.join(',')}`).join(' '), columns);
      assert.equal(found.rows.join(','), rows);
    });
  }

  test('no column changes but with what it is said to come from, or with what rows are chosen by', async () => {
    for (const [sql] of CASES) {
      const { columns, rows } = await originsIn(sql);
      const was = await valuesOf(sql);
      for (const name of tableNames()) {
        for (const changed of TABLES[name].columns) {
          const origin = `${name[0]}.${changed}`;
          if (rows.includes(origin)) continue;
          await session.run(filled(name, changed));
          const now = await valuesOf(sql);
          await session.run(filled(name));
          for (const [output, from] of columns) {
            if (!from.includes(origin)) assert.deepEqual(now[output], was[output], `${output} of ${sql} by ${origin}`);
          }
        }
      }
    }
  });

  test('the compiled models say it', async () => {
    const { models } = await compileShop(session);
    const revenue = models.find(({ id }) => id === 'gold.revenue');
    assert.deepEqual(revenue?.origins, {
      columns: { region: [['silver.orders', 'region']], revenue: [['silver.orders', 'amount']] },
      rows: [['silver.orders', 'region']],
    });
    const orders = models.find(({ id }) => id === 'silver.orders');
    assert.deepEqual(orders?.origins?.columns['order_id'], [['batch.orders', 'order_id']]);
    assert.deepEqual(orders?.origins?.columns['region'], [['silver.customers', 'region']]);
  });

  test('a log stands for its table', async () => {
    const definition = definePipeline({
      name: 'shop',
      sources: { customers: csv({ columns: { customer_id: 'bigint', region: 'string', at: 'timestamp' } }) },
      silver: { customers: { from: 'customers', mode: scd2({ key: ['customer_id'], sequence: 'at' }) } },
      gold: { moves: { sql: 'gold/moves.sql' } },
    });
    const sql = { 'gold/moves.sql': 'select customer_id, count(region) as n from silver.customers__log group by all' };
    const { models } = await compileShop(session, { definition, sql });
    assert.deepEqual(models.find(({ id }) => id === 'gold.moves')?.origins, {
      columns: {
        customer_id: [['silver.customers', 'customer_id']],
        n: [['silver.customers', 'region']],
      },
      rows: [['silver.customers', 'customer_id']],
    });
  });
});

function tableNames(): readonly (keyof typeof TABLES)[] {
  return ['people', 'orders'];
}

/** Makes a table with its rows; the values of `changed` are others, each as different from the others as before. */
function filled(name: keyof typeof TABLES, changed?: string): Statement {
  const { columns, rows } = TABLES[name];
  const list = columns.map((column) => {
    if (column !== changed) return column;
    return ['email', 'town'].includes(column) ? `${column} || '!' as ${column}` : `${column} * 3 as ${column}`;
  });
  const given = `select ${list.join(', ')} from (values ${rows}) v(${columns.join(', ')})`;
  return { name: `fill ${name}`, text: userSql(`create or replace table ${name} as ${given}`) };
}

async function originsIn(sql: string): Promise<{
  readonly columns: readonly (readonly [name: string, from: readonly string[]])[];
  readonly rows: readonly string[];
}> {
  const functions = await loadFunctions(session);
  const names = (await session.describe({ name: 'case', text: userSql(sql) })).map(({ name }) => name);
  const of = (table: string): ReadonlyMap<string, Origins> =>
    new Map(
      (TABLES[table as keyof typeof TABLES]?.columns ?? []).map((name) => [name, new Set([`${table[0]}.${name}`])]),
    );
  const aggregates = (item: Node): boolean => manyRowsIn(item, functions).length > 0;
  const found = originsOf(await session.parse(sql), names, ({ table }) => of(table), { counts: true, aggregates });
  return {
    columns: names.map((name, at) => [name, [...(found.columns[at] ?? [])].sort()]),
    rows: [...found.rows].sort(),
  };
}

/** The values of each column, in an order of their own. */
async function valuesOf(sql: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const rows = await session.rows({ name: 'case', text: userSql(sql) });
  const names = Object.keys(rows[0] ?? {});
  return Object.fromEntries(names.map((name) => [name, rows.map((row) => JSON.stringify(row[name])).sort()]));
}
