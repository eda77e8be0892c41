import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Session } from '../../lib/ports.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { createCuts, createSample, findCells, renderCell, renderZordered, ZORDER } from '../../lib/sql/zorder.ts';

const ROWS = 20_000;
/** Values of every kind of column, each of them apart from the others; texts that differ late. */
const GIVEN = userSql(`SELECT range AS n,
  CAST(hash(range) % 1000 AS INTEGER) AS whole,
  CAST((hash(range + 7) % 1000) / 10 AS DECIMAL(10, 1)) AS price,
  CAST(hash(range + 8) % 1000 AS DOUBLE) / 7 AS number,
  DATE '2020-01-01' + CAST(hash(range + 9) % 1000 AS INTEGER) AS day,
  TIMESTAMP '2020-01-01' + INTERVAL (hash(range + 10) % 1000) HOUR AS at,
  'customer-' || lpad(CAST(hash(range + 11) % 1000 AS VARCHAR), 6, '0') AS name,
  CASE WHEN range % 10 = 0 THEN NULL ELSE hash(range + 12) % 1000 END AS maybe,
  CAST(NULL AS INTEGER) AS nothing,
  'same' AS same,
  range // 3 AS near,
  CASE WHEN range % 5 < 3 THEN 0 ELSE hash(range + 13) % 1000 END AS skewed
FROM range(${ROWS})`);
const REST = sql`given`;

let session: Session;
before(async () => {
  session = await createDuckDbEngine().open({ memoryBytes: 5e8, threads: 2, scratch: tmpdir() });
  await session.run({ name: 'given', text: sql`CREATE TABLE given AS ${GIVEN}` });
});
after(() => session[Symbol.asyncDispose]());

/** By column: which part of all its values a sixteenth of the rows along the order holds, on average. */
async function spread(columns: readonly string[], looked: readonly string[]): Promise<Record<string, number>> {
  await session.run(createSample(REST, columns));
  await session.run(createCuts(columns));
  const ordered = sql`(SELECT *, ntile(16) OVER (ORDER BY ${ZORDER}) AS part FROM ${renderZordered(REST, { columns })})`;
  const [counted] = await session.rows({
    name: 'rows',
    text: sql`SELECT count(*) AS rows, sum(n) AS sum FROM ${ordered}`,
  });
  assert.deepEqual([Number(counted?.['rows']), Number(counted?.['sum'])], [ROWS, (ROWS * (ROWS - 1)) / 2]);
  const spreads: Record<string, number> = {};
  for (const column of looked) {
    const [row] = await session.rows({
      name: 'spread',
      text: userSql(`SELECT avg(parts) / (SELECT count(DISTINCT "${column}") FROM given) AS spread FROM (
        SELECT part, (SELECT count(DISTINCT g."${column}") FROM given g WHERE g."${column}" BETWEEN low AND high) AS parts FROM (
          SELECT part, min("${column}") AS low, max("${column}") AS high FROM ${ordered} GROUP BY part))`),
    });
    spreads[column] = Number(row?.['spread']);
  }
  return spreads;
}

describe('a Z-order', () => {
  const PAIRS = [
    ['whole', 'price'],
    ['number', 'day'],
    ['at', 'name'],
    ['maybe', 'name'],
  ] as const;
  for (const [first, second] of PAIRS) {
    test(`of ${first} and ${second} narrows both to less than half in each sixteenth of the rows`, async () => {
      const found = await spread([first, second], [first, second]);
      for (const part of Object.values(found)) assert.ok(part > 0.2 && part < 0.5, JSON.stringify(found));
    });
  }

  test('of rows that are near each other in one column brings them together in the other', async () => {
    await session.run(createSample(REST, ['whole', 'price']));
    await session.run(createCuts(['whole', 'price']));
    const rows = renderZordered(REST, { columns: ['whole', 'price'], widths: [0.25, 1] });
    // The highest two bits are those of the second column, and the third that of the first.
    const eighth = sql`(SELECT *, ${ZORDER} >> 17 AS eighth FROM ${rows})`;
    const found = await session.rows({
      name: 'eighths',
      text: sql`SELECT eighth, max(price) - min(price) AS price, max(whole) - min(whole) AS whole FROM ${eighth} GROUP BY ALL`,
    });
    assert.equal(found.length, 8);
    for (const { price, whole } of found) {
      assert.ok(Number(price) < 26 && Number(whole) > 400 && Number(whole) < 600, JSON.stringify(found));
    }
  });

  test('of one column is its order', async () => {
    const { whole = 1 } = await spread(['whole'], ['whole']);
    assert.ok(whole < 0.08, String(whole));
  });

  test('of columns without values, or with one, leaves the others their part', async () => {
    const { day = 1 } = await spread(['nothing', 'same', 'day'], ['day']);
    assert.ok(day < 0.08, String(day));
  });

  test('keeps all columns and adds none but its own', async () => {
    await session.run(createSample(REST, ['whole', 'name']));
    await session.run(createCuts(['whole', 'name']));
    const described = async (relation: typeof REST) =>
      (await session.describe({ name: 'columns', text: sql`SELECT * FROM ${relation}` })).map(({ name }) => name);
    assert.deepEqual(await described(renderZordered(REST, { columns: ['whole', 'name'] })), [
      ...(await described(REST)),
      '__zorder',
    ]);
  });
});

describe('cells of a Z-order', () => {
  const PARTS = 16;
  type Case = { readonly columns: readonly string[]; readonly cells: number; readonly most: number };
  const CASES: readonly Case[] = [
    { columns: ['whole', 'price'], cells: PARTS, most: 1 / PARTS },
    { columns: ['name', 'at', 'number', 'day'], cells: PARTS, most: 1 / PARTS },
    // Most boxes of the grid are empty.
    { columns: ['n', 'near'], cells: PARTS, most: 1 / PARTS },
    { columns: ['nothing', 'whole', 'same', 'maybe'], cells: PARTS, most: 1 / PARTS },
    // Three rows of five have one value, and are divided by the other column.
    { columns: ['skewed', 'day'], cells: PARTS, most: 1 / PARTS },
    { columns: ['same', 'nothing'], cells: 1, most: 1 },
  ];
  for (const { columns, cells, most } of CASES) {
    test(`of ${columns.join(', ')} are boxes apart from each other, with like numbers of rows`, async () => {
      await session.run(createSample(REST, columns));
      await session.run(createCuts(columns));
      const found = await session.rows(findCells({ columns }, PARTS / Math.SQRT2));
      const cell = renderCell(found.map(({ place }) => BigInt(String(place))));
      const ranks = columns.map((c) => `dense_rank() OVER (ORDER BY "${c}" NULLS FIRST) AS "r_${c}"`).join(', ');
      const ranges = columns.map((c) => `min("r_${c}") AS "low_${c}", max("r_${c}") AS "high_${c}"`).join(', ');
      const ranked = sql`(SELECT *, ${userSql(ranks)} FROM ${REST})`;
      const boxes = await session.rows({
        name: 'boxes',
        text: sql`SELECT ${cell} AS cell, count(*) AS rows, ${userSql(ranges)} FROM ${renderZordered(ranked, { columns })} GROUP BY ALL ORDER BY cell`,
      });
      const rows = boxes.map((box) => Number(box['rows']));
      assert.equal(
        rows.reduce((sum, one) => sum + one, 0),
        ROWS,
      );
      assert.ok(boxes.length >= cells / Math.SQRT2 && boxes.length <= 2 * cells, `${boxes.length} cells`);
      assert.ok(Math.max(...rows) <= ROWS * most * 1.5, `${rows}`);
      assert.deepEqual(
        found.map(({ part }) => Math.round(Number(part) * ROWS)),
        rows,
      );
      const range = (box: (typeof boxes)[number] | undefined, column: string): readonly [number, number] => [
        Number(box?.[`low_${column}`]),
        Number(box?.[`high_${column}`]),
      ];
      for (let a = 0; a < boxes.length; a += 1) {
        for (let b = 0; b < a; b += 1) {
          const apart = columns.some((column) => {
            const [[low, high], [from, to]] = [range(boxes[a], column), range(boxes[b], column)];
            return high < from || to < low;
          });
          assert.ok(apart, JSON.stringify([boxes[a], boxes[b]]));
        }
      }
    });
  }
});
