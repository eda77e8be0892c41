import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { personalColumns } from '../../lib/compile/personal.ts';
import type { Session } from '../../lib/ports.ts';
import { compileShop, openSession, problemsOf, SHOP, shopWith } from './shop.ts';

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

/** Of people and of orders; the first has two columns that are personal. */
const TABLES: Readonly<Record<string, ReadonlySet<string>>> = {
  'silver.people': new Set(['email', 'born']),
  'other.gold.vips': new Set(['email']),
};

const CASES: readonly (readonly [sql: string, columns: string, personal: string])[] = [
  ['select id, email from silver.people', 'id email', 'email'],
  ['select email as mail, upper(born::text) || id as b, id from silver.people', 'mail b id', 'mail b'],
  ['select EMAIL as Mail from silver.people', 'Mail', 'Mail'],
  ['select * from silver.people', 'id email born', 'email born'],
  ['from silver.people', 'id email born', 'email born'],
  ['select * exclude (email) from silver.people', 'id born', 'born'],
  ['select * replace (email as id) from silver.people', 'id email born', 'id email born'],
  ['select * rename (email as mail) from silver.people', 'id mail born', 'mail born'],
  ['select o.*, p.email from silver.orders o join silver.people p using (id)', 'id amount email', 'email'],
  ['select o.email, o.id from silver.orders o join silver.people p using (id)', 'email id', ''],
  ['select silver.people.email as e from silver.people', 'e', 'e'],
  [
    'select count(email) as n, count(distinct born) as m, count(*) over (partition by email) as k from silver.people',
    'n m k',
    '',
  ],
  ['select max(born) as oldest, count(*) as n from silver.people', 'oldest n', 'oldest'],
  ['select id, email is null as unknown from silver.people', 'id unknown', 'unknown'],
  ['select email as e, e || 1 as f, id from silver.people', 'e f id', 'e f'],
  ['with p as (select email as m, id from silver.people) select m as x, id from p', 'x id', 'x'],
  ['with p(a, b) as (select id, email from silver.people) select a, b from p', 'a b', 'b'],
  ['with p as (select upper(email), id from silver.people) select id from p', 'id', 'id'],
  ['select a, b from (select id, email from silver.people) t(a, b)', 'a b', 'b'],
  ['select x from silver.people t(x, y, z)', 'x', 'x'],
  ['select id from silver.orders union all select email from silver.people', 'id', 'id'],
  ['select id, email from silver.people union all select id, amount from silver.orders', 'id email', 'email'],
  ['from silver.people union all by name from silver.orders', 'id email born amount', 'email born'],
  ['from silver.orders union all from silver.people', 'id amount', 'id amount'],
  [
    'with recursive r(n, e) as (select 1, id from silver.orders union all select n + 1, email from r, silver.people) select n, e from r',
    'n e',
    'n e',
  ],
  [
    'select (select max(email) from silver.people) as m, exists (from silver.people) as any from silver.orders',
    'm any',
    'm',
  ],
  ['select id in (select email from silver.people) as among, id from silver.orders', 'among id', 'among'],
  ['select p as whole, id from silver.people p', 'whole id', 'whole'],
  ['select unnest([email]) as e, id from silver.people', 'e id', 'e'],
  ['select k.v from silver.people p, unnest([p.email]) k(v)', 'v', 'v'],
  ["select columns('e.*') from silver.people", 'email', 'email'],
  ['select * from (from silver.people pivot (count(*) for email in (1)))', 'id 1', 'id 1'],
  ['select email, amount from other.gold.vips', 'email amount', 'email'],
  ['select email from silver.orders where id in (select id from silver.people)', 'email', ''],
  ['select struct_pack(e := email) as s, 1 as one from silver.people', 's one', 's'],
  ['select case when id > 1 then email end as c, id + 1 as d from silver.people', 'c d', 'c'],
  [
    "select email.upper() as loud, coalesce(email.trim(), '') as t, id.abs() as a from silver.people",
    'loud t a',
    'loud t',
  ],
  [
    'select p.email.upper() as loud, p.email.count() over () as n, o.email.upper() as o from silver.people p, silver.orders o',
    'loud n o',
    'loud',
  ],
  ['select email.first() over () as f, id from silver.people', 'f id', 'f'],
  [
    'select q.email_1 as who, q.id_1 as i from (select * from silver.people x join silver.people y using (id)) q',
    'who i',
    'who',
  ],
  ['select email_1 as e, id from (select o.email, p.email, p.id from silver.orders o, silver.people p)', 'e id', 'e'],
  ['with q as (select *, email from silver.people) select email_1 as e, amount_1 as a from q', 'e a', 'e'],
  ['select email_1 as e, email as f from (select * from silver.people)', 'e f', 'f'],
  ['select b, c from (select id, email, born from silver.people) t(a, b)', 'b c', 'b c'],
  ['select id, email.* from silver.people', 'id host name', 'id host name'],
  ['select columns(email.*) from silver.people', 'host', 'host'],
  ['select town.* from silver.people', 'street zip', ''],
  ["select id, unnest({'a': email, 'b': town}) from silver.people", 'id a b', 'id a b'],
  ['select unnest(email) as e from silver.people', 'host name', 'host name'],
  ['select unnest(town) as t, id from silver.people', 'street zip id', ''],
  ['select host as h from (select unnest(email) as e, id from silver.people)', 'h', 'h'],
  ['select c from (select unnest(town), email from silver.people) t(a, b, c)', 'c', 'c'],
  ['select unnest(town), email from silver.people union all select 1, 2, 3', 'street zip email', 'street zip email'],
  ['select upper(columns(*)), 1 as one from silver.people', 'id email born one', 'id email born one'],
  ['select #2 as who, 1 as one from silver.people', 'who one', 'who'],
  ['select #2 as who from silver.orders', 'who', ''],
  // What the nearest relation of a name does not have, DuckDB finds in one that it hides, or in a column of that name.
  ['select p.id, (select p.email from silver.orders p limit 1) as x from silver.people p', 'id x', 'x'],
  ['select p.id, x from silver.people p, lateral (select p.email as x from silver.orders p) l', 'id x', 'x'],
  ['select email.host as x, p.id from silver.people p join silver.orders email using (id)', 'x id', 'x'],
  [
    'select silver.people.email as x, silver.id as y from silver.people join silver.orders silver using (id)',
    'x y',
    'x',
  ],
];

describe('what follows from personal columns', () => {
  for (const [sql, columns, personal] of CASES) {
    test(sql, async () => {
      const tree = await session.parse(sql);
      const found = personalColumns(
        tree,
        columns.split(' '),
        ({ catalog, schema, table }) =>
          TABLES[[catalog, schema, table].filter((part) => part !== '').join('.')] ?? new Set(),
      );
      assert.equal(found.join(' '), personal);
    });
  }
});

const CUSTOMERS = ['sources', 'customers', 'columns'];
const PERSONAL = { customer_id: 'bigint', name: { type: 'string', personal: true }, region: 'string' };
const ORDERS =
  'select o.*, c.name as buyer, c.region from batch.orders o left join silver.customers c using (customer_id)';

/** The personal columns of each model that has some. */
async function personalIn(definition: unknown, revenue: string): Promise<Readonly<Record<string, readonly string[]>>> {
  const sql = { 'silver/orders.sql': ORDERS, 'gold/revenue.sql': revenue };
  const { models } = await compileShop(session, { definition, sql });
  return Object.fromEntries(models.flatMap(({ id, personal }) => (personal === undefined ? [] : [[id, personal]])));
}

describe('a pipeline', () => {
  const definition = shopWith(CUSTOMERS, PERSONAL);
  const silver = { 'silver.customers': ['name'], 'silver.orders': ['buyer'] };

  test('knows what is personal in each of its tables', async () => {
    assert.deepEqual(
      await personalIn(definition, 'select buyer as who, sum(amount) as paid from silver.orders group by all'),
      {
        ...silver,
        'gold.revenue': ['who'],
      },
    );
    const counted = 'select region, count(distinct buyer) as buyers from silver.orders group by all';
    assert.deepEqual(await personalIn(definition, counted), silver);
    assert.deepEqual(await personalIn(SHOP, counted), {});
  });

  test('says it otherwise for gold, and adds to it for silver', async () => {
    const gold = shopWith(CUSTOMERS, PERSONAL) as { gold: { revenue: object }; silver: { customers: object } };
    gold.gold.revenue = { sql: 'gold/revenue.sql', personal: [] };
    gold.silver.customers = { from: 'customers', personal: ['region'] };
    assert.deepEqual(await personalIn(gold, 'select buyer as who, region from silver.orders'), {
      'silver.customers': ['name', 'region'],
      'silver.orders': ['buyer', 'region'],
    });
  });

  test('names only columns that it has', async () => {
    const [problem] = await problemsOf(session, {
      definition: shopWith(['gold', 'revenue', 'personal'], ['nam']),
    });
    assert.deepEqual([problem?.place, problem?.got], ['gold.revenue.personal[0]', 'the column "nam"']);
  });
});
