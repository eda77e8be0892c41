import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { InvalidInput } from '../../../lib/core/errors.ts';
import type { Dialect } from '../../../lib/core/sql-engine.ts';
import { type PinnedTable, pinReads } from '../../../lib/sql/engines/pinned-text.ts';

const TABLES: readonly PinnedTable[] = [
  { id: 'silver.orders', place: ['db', 'in_0'], snapshot: 7n },
  { id: 'gold.Days', place: ['db', 'in_1'], snapshot: null },
  { id: 'retail.gold.sales', place: ['db', 'in_2'], snapshot: 9n },
];
const O = '"db"."in_0" FOR VERSION AS OF 7';

describe('the text of an engine', () => {
  const cases: readonly (readonly [string, string, string, Dialect?])[] = [
    ['a table alone', 'SELECT * FROM silver.orders', `SELECT * FROM ${O} AS "orders"`],
    ['a table of another name', 'select o.id from Silver.ORDERS o', `select o.id from ${O} o`],
    ['the same with AS', 'select o.id from silver.orders as o', `select o.id from ${O} as o`],
    ['and in quotes', 'select 1 from "silver"."orders" "o"', `select 1 from ${O} "o"`],
    [
      'its columns',
      'SELECT silver.orders.id FROM silver.orders WHERE true',
      `SELECT "orders".id FROM ${O} AS "orders" WHERE true`,
    ],
    [
      'a list and a join',
      'select 1 from silver.orders, gold.days join retail.gold.sales using (x)',
      `select 1 from ${O} AS "orders", "db"."in_1" AS "Days" join "db"."in_2" FOR VERSION AS OF 9 AS "sales" using (x)`,
    ],
    [
      'texts and comments',
      "select 'silver.orders' -- silver.orders\nfrom silver.orders/* gold.days */;",
      `select 'silver.orders' -- silver.orders\nfrom ${O} AS "orders"/* gold.days */`,
    ],
    ['a part of another name', 'select x.silver.orders from silver.orders x', `select x.silver.orders from ${O} x`],
    ['a subquery', '(select 1 from silver.orders)', `(select 1 from ${O} AS "orders")`],
    [
      'a common table',
      'with orders as (select * from silver.orders) select * from orders',
      `with orders as (select * from ${O} AS "orders") select * from orders`,
    ],
    [
      'in the words of Spark',
      'select 1 from silver.orders semi join gold.days d',
      'select 1 from `db`.`in_0` VERSION AS OF 7 AS `orders` semi join `db`.`in_1` d',
      'spark',
    ],
  ];
  for (const [what, text, expected, dialect = 'trino'] of cases)
    test(`reads tables at their snapshots: ${what}`, () => assert.equal(pinReads(text, TABLES, dialect), expected));

  const refused: readonly (readonly [string, string, RegExp])[] = [
    ['a statement that writes', 'DELETE FROM silver.orders', /begins with DELETE; expected one SELECT/],
    [
      'a version of its own',
      'SELECT * FROM silver.orders FOR VERSION AS OF 3',
      /names silver.orders FOR \.\.\.: expected the name alone/,
    ],
    ['a table past the run', 'SELECT * FROM shop_silver.orders', /names shop_silver.orders: expected silver.orders/],
  ];
  for (const [what, text, message] of refused)
    test(`is refused: ${what}`, () =>
      assert.throws(
        () => pinReads(text, TABLES, 'trino'),
        (thrown) => thrown instanceof InvalidInput && message.test(thrown.message),
      ));
});
