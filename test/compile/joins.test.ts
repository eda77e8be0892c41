import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { dimensionJoins } from '../../lib/compile/joins.ts';
import { tablesIn } from '../../lib/compile/references.ts';
import type { Session } from '../../lib/ports.ts';
import { openSession } from './shop.ts';

const COLUMNS: Readonly<Record<string, readonly string[]>> = {
  'silver.c': ['id', 'kind', 'name'],
  'silver.p': ['sku', 'since'],
};

/** The joins after `select 1 from batch.l l`, and the tables with keys that are found in them. */
const JOINS: readonly (readonly [sql: string, found: readonly string[]])[] = [
  ['left join silver.c on c.id = l.id', ['c: id']],
  ['left join silver.c c on l.id = c.id', ['c: id']],
  ['left join SILVER.C x on X.ID = l.id and x.kind = l.kind', ['c: id, kind']],
  ['left join silver.c using (id, kind)', ['c: id, kind']],
  ['left join silver.c on silver.c.id = l.id', ['c: id']],
  ['left join silver.c on name = l.n', ['c: name']],
  ["left join silver.c on c.id = l.id and c.kind = 'x'", ['c: id, kind']],
  ['left join silver.c on c.id = upper(l.id) and c.id = l.other', ['c: id']],
  ['left join silver.c on c.id = l.id left join silver.p on p.sku = l.sku', ['c: id', 'p: sku']],
  ['left join silver.c on c.id = l.id left join silver.p on p.sku = c.kind', ['c: id', 'p: sku']],
  // A repeated key is no mistake where the condition does not rest on equality alone.
  ['left join silver.p on p.sku = l.sku and p.since <= l.day', ['p: ']],
  ['left join silver.c on c.id = l.id or c.kind = l.kind', ['c: ']],
  ['left join silver.c on c.id is not distinct from l.id', ['c: ']],
  ['left join silver.c on c.id = c.kind', ['c: ']],
  ['asof left join silver.p on p.sku = l.sku and p.since <= l.day', ['p: ']],
  ['left join silver.c on true', ['c: ']],
  // Tables behind a subquery may multiply rows too, but have no key to name.
  ['left join (select * from silver.c) c on c.id = l.id', ['c: ']],
  ['left join (select * from silver.c) c on c.id = l.id left join silver.p on p.sku = l.sku', ['p: sku', 'c: ']],
  ['order by (select max(id) from silver.c)', []],
];

let session: Session;
before(async () => {
  session = await openSession();
});
after(() => session[Symbol.asyncDispose]());

for (const [sql, found] of JOINS) {
  test(`keys of ${sql}`, async () => {
    const tree = await session.parse(`select 1 from batch.l l ${sql}`);
    const tables = tablesIn(tree).filter((table) => table.schema.toLowerCase() === 'silver');
    const reads = [...new Set(tables.map((table) => table.table.toLowerCase()))].map(
      (name) => ({ layer: 'silver', name }) as const,
    );
    const joins = dimensionJoins(tree, reads, (id) => COLUMNS[id] ?? []);
    assert.deepEqual(
      joins.map((join) => `${join.table.name}: ${join.keys.join(', ')}`),
      found,
    );
  });
}
