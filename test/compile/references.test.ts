import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { tablesIn } from '../../lib/compile/references.ts';
import type { Session } from '../../lib/ports.ts';
import { openSession } from './shop.ts';

const QUERIES: readonly (readonly [sql: string, tables: readonly string[]])[] = [
  ['select 1', []],
  ['from silver.a', ['silver.a']],
  ['select * from a, b.c, d.e.f', ['a', 'b.c', 'd.e.f']],
  ['select (select max(x) from silver.b) from silver.a where exists (from gold.c)', ['silver.a', 'silver.b', 'gold.c']],
  ['with x as (from silver.a) select * from x join silver.x using (id)', ['silver.a', 'silver.x']],
  ['with a as (from silver.a), b as (from A) select * from b', ['silver.a']],
  ['with a as (from a) select * from a', ['a']],
  ['with recursive r as (select 1 as n union all select n + 1 from r where n < 3) from r', []],
  ['select * from (with x as (from silver.a) from x) join x on true', ['silver.a', 'x']],
  [
    'select * from silver.a union all (select * from silver.b except from silver.a)',
    ['silver.a', 'silver.b', 'silver.a'],
  ],
  ['select * from silver.a pivot (sum(v) for k in (1, 2))', ['silver.a']],
  ['select * from silver.a s left join lateral (select * from gold.b where b.k = s.k) on true', ['silver.a', 'gold.b']],
  ['select a in (from silver.b) from (values (1)) v(a)', ['silver.b']],
  ['select * from (summarize silver.a)', ['silver.a']],
  [`select "silver.x" from "we""ird"."na.me"`, ['we"ird.na.me']],
];

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

for (const [sql, tables] of QUERIES) {
  test(`tables of ${sql}`, async () => {
    const found = tablesIn(await session.parse(sql)).map((table) =>
      [table.catalog, table.schema, table.table].filter((part) => part !== '').join('.'),
    );
    assert.deepEqual([...found].sort(), [...tables].sort());
  });
}
