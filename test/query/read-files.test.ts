import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { append, csv, definePipeline, identity } from '../../lib/define/index.ts';
import type { Row } from '../../lib/ports.ts';
import { withQuery } from '../../lib/query/select.ts';
import { keyOf, openTestLake, type TestLake } from '../support/test-lake.ts';

/** Twenty-four files of four rows: in the n-th are the ids 4 n to 4 n + 3, and one day. */
const FILES = 24;

let lake: TestLake;
before(async () => {
  const columns = { id: 'bigint', day: 'date', price: 'decimal(8,2)', note: 'string', moment: 'timestamp' } as const;
  lake = await openTestLake({
    name: 'shop',
    definition: definePipeline({
      name: 'shop',
      sources: { rows: csv({ columns }), few: csv({ columns: { id: 'bigint', name: 'string' } }) },
      silver: {
        items: { from: 'rows', mode: append(), partitionBy: [identity('day')] },
        names: { from: 'few', mode: append() },
      },
    } as Parameters<typeof definePipeline>[0]),
  });
  const lines = Array.from({ length: FILES * 4 }, (_, id) => {
    const day = String(Math.floor(id / 4) + 1).padStart(2, '0');
    return `${id},2026-03-${day},${id}.50,${id % 7 === 0 ? '' : `note ${String(id).padStart(3, '0')}`},2026-03-${day} 12:00:00`;
  });
  await lake.land('rows', 'a.csv', `id,day,price,note,moment\n${lines.join('\n')}\n`);
  await lake.land('few', 'a.csv', 'id,name\n9,nine\n50,fifty\n');
  await lake.run({ runId: 'first' });
  await lake.land('rows', 'b.csv', 'id,day,price,note,moment\n1000,2026-03-01,1.00,late,2026-03-01 12:00:00\n');
  await lake.run({ runId: 'second' });
});
after(() => lake.close());

async function ask(sql: string, asOf?: string): Promise<{ readonly rows: readonly Row[]; readonly files: number }> {
  const lent = new Set<string>();
  const store: TestLake['store'] = {
    ...lake.store,
    borrow: (objects) => {
      for (const object of objects) lent.add(keyOf(object));
      return lake.store.borrow(objects);
    },
  };
  const rows = await withQuery(
    { ...lake.deps, store },
    { sql, ...(asOf === undefined ? {} : { asOf }) },
    async (result) => {
      const all: Row[] = [];
      for await (const page of result.pages()) all.push(...page);
      return all;
    },
  );
  return { rows, files: [...lent].filter((key) => key.includes('/items/')).length };
}

const T = 'shop_silver.items';

/** Query, first value of each of its rows, files of the table that it reads. */
const CASES: readonly (readonly [sql: string, values: readonly unknown[], files: number])[] = [
  [`SELECT id FROM ${T} WHERE id = 9`, [9], 1],
  [`SELECT id FROM ${T} WHERE id BETWEEN 7 AND 9 ORDER BY id`, [7, 8, 9], 2],
  [`SELECT id FROM ${T} WHERE id IN (1, 90, 5000) ORDER BY 1`, [1, 90], 2],
  [`SELECT count(*) FROM ${T} WHERE day = DATE '2026-03-03'`, [4], 1],
  [`SELECT count(*) FROM ${T} WHERE day >= '2026-03-20' AND price < 80`, [4], 1],
  [`SELECT count(*) FROM ${T} WHERE moment < TIMESTAMP '2026-03-02'`, [5], 2],
  [`SELECT id FROM ${T} WHERE note = 'note 033'`, [33], 1],
  [`SELECT count(*) FROM ${T} WHERE note = 'late' OR id = 4`, [2], 25],
  [`SELECT count(*) FROM ${T} WHERE id + 1 = 10`, [1], 1],
  [`SELECT i.id FROM ${T} i JOIN shop_silver.names n USING (id) WHERE i.day = '2026-03-03'`, [9], 1],
  [`SELECT id FROM ${T} i WHERE EXISTS (SELECT 1 FROM shop_silver.names n WHERE n.id = i.id) ORDER BY id`, [9, 50], 25],
  [`WITH x AS (SELECT * FROM ${T} WHERE id < 4) SELECT count(*) FROM x`, [4], 1],
  [`SELECT id FROM ${T} WHERE id = 1 UNION ALL SELECT id FROM ${T} WHERE id = 50 ORDER BY 1`, [1, 50], 2],
  [`SELECT n.id FROM shop_silver.names n LEFT JOIN ${T} i ON i.id = n.id AND i.id = 9 ORDER BY 1`, [9, 50], 1],
  [`SELECT max(id) FROM ${T}`, [1000], 25],
  [`SELECT count(*) FROM ${T} WHERE id = 5 AND id = 90`, [0], 25],
  [`SELECT count(*) FROM ${T} WHERE id IS NULL`, [0], 0],
  [`SELECT count(*) FROM ${T} WHERE note IS NULL AND day < '2026-03-03'`, [2], 2],
];

test('a query reads the files that may hold a row which counts', async (t) => {
  for (const [sql, values, files] of CASES) {
    await t.test(sql, async () => {
      const found = await ask(sql);
      assert.deepEqual(
        found.rows.map((row) => Number(Object.values(row)[0])),
        values,
      );
      assert.equal(found.files, files);
    });
  }
});

test('also of a table as it was', async () => {
  assert.deepEqual(await ask(`SELECT id FROM ${T} WHERE day = '2026-03-01' AND id > 2`, 'first'), {
    rows: [{ id: 3 }],
    files: 1,
  });
  assert.deepEqual((await ask(`SELECT id FROM ${T} WHERE day = '2026-03-01' AND id > 2 ORDER BY id`)).rows, [
    { id: 3 },
    { id: 1000 },
  ]);
});
