import assert from 'node:assert/strict';
import { tmpdir } from 'node:os';
import { after, before, describe, test } from 'node:test';
import type { ColumnType } from '../../lib/core/types.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Session } from '../../lib/ports.ts';
import { type AthenaMask, maskedQuery, tablesIn } from '../../lib/sql/athena/masked.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

const column = (name: string, kind: 'string' | 'date', sources?: readonly string[]) => ({
  name,
  type: { kind } satisfies ColumnType,
  ...(sources === undefined ? {} : { sources }),
});

/** The masks of a table of people, of another of that name, and of records that were rejected. */
const MASKS: readonly AthenaMask[] = [
  {
    ...{ database: 'club_silver', table: 'people', columns: ['id', 'email', 'born', 'town'] },
    masked: [column('email', 'string'), column('born', 'date')],
  },
  { database: 'club_gold', table: 'people', columns: ['town', 'email'], masked: [column('email', 'string')] },
  {
    ...{ database: 'club_ops', table: 'quarantine', columns: ['source', 'raw'] },
    masked: [column('raw', 'string', ['people', 'staff'])],
  },
];

let session: Session;
before(async () => {
  session = await createDuckDbEngine().open({ memoryBytes: 200_000_000, threads: 1, scratch: tmpdir() });
  const made = [
    'CREATE SCHEMA club_silver',
    'CREATE SCHEMA club_gold',
    'CREATE SCHEMA club_ops',
    "CREATE TABLE club_silver.people AS SELECT 1 AS id, 'a@x' AS email, DATE '2000-01-02' AS born, 'Bonn' AS town UNION ALL SELECT 2, NULL, NULL, 'Ulm'",
    "CREATE TABLE club_gold.people AS SELECT 'Bonn' AS town, 'b@x' AS email",
    "CREATE TABLE club_gold.towns AS SELECT 'Bonn' AS town, 7 AS n",
    "CREATE TABLE club_ops.quarantine AS SELECT 'people' AS source, 'x,y' AS raw UNION ALL SELECT 'rooms', '1,2'",
  ];
  for (const text of made) await session.run({ name: 'given', text: userSql(text) });
});
after(() => session[Symbol.asyncDispose]());

async function rowsOf(text: string): Promise<readonly unknown[][]> {
  const rows = await session.rows({ name: 'query', text: maskedQuery(text, MASKS) });
  return rows.map((row) => Object.values(row));
}

const SHOWN: readonly (readonly [name: string, text: string, rows: readonly unknown[][]])[] = [
  [
    'all columns',
    'SELECT * FROM club_silver.people ORDER BY id',
    [
      [1, '***', null, 'Bonn'],
      [2, null, null, 'Ulm'],
    ],
  ],
  [
    'a column by the table',
    'SELECT people.email, people.id FROM Club_Silver.People ORDER BY 2',
    [
      ['***', 1],
      [null, 2],
    ],
  ],
  [
    'a column by its full name',
    'SELECT club_silver.people.email FROM club_silver.people ORDER BY id',
    [['***'], [null]],
  ],
  ['quoted names', 'SELECT p."email" FROM "club_silver"."people" p WHERE p.id = 1', [['***']]],
  ['what is made of it', 'SELECT max(lower(email) || town) FROM club_silver . /* here */ people', [['***Bonn']]],
  ['a condition', "SELECT count(*) FROM club_silver.people WHERE email = 'a@x'", [[0]]],
  ['the type', 'SELECT typeof(born) FROM club_silver.people LIMIT 1', [['DATE']]],
  ['no name in a text', "SELECT 'club_silver.people' AS a", [['club_silver.people']]],
  [
    'a join with a table that has none',
    'SELECT n, email FROM club_gold.towns t JOIN club_silver.people p USING (town)',
    [[7, '***']],
  ],
  [
    'two of one name',
    'SELECT s.email, g.email FROM club_silver.people s JOIN club_gold.people g USING (town)',
    [['***', '***']],
  ],
  ['the same twice', 'SELECT count(*) FROM club_silver.people a, club_silver.people b', [[4]]],
  ['WITH', 'WITH x AS (SELECT email FROM club_silver.people WHERE id = 1) SELECT * FROM x', [['***']]],
  [
    'WITH RECURSIVE',
    'with recursive x(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM x WHERE n < 2) SELECT n, email FROM x JOIN club_silver.people ON id = n ORDER BY n',
    [
      [1, '***'],
      [2, null],
    ],
  ],
  [
    'WITH of the same name',
    'WITH people AS (SELECT email FROM club_silver.people WHERE id = 1) SELECT * FROM people',
    [['***']],
  ],
  [
    'WITH of the same name and columns',
    'WITH People (e) AS (SELECT email FROM club_silver.people WHERE id = 1) SELECT e FROM people',
    [['***']],
  ],
  ['parentheses', '(SELECT email FROM club_silver.people WHERE id = 1)', [['***']]],
  [
    'records of sources that have it',
    'SELECT * FROM club_ops.quarantine ORDER BY source',
    [
      ['people', '***'],
      ['rooms', '1,2'],
    ],
  ],
];

describe('a query on Athena sees masks', () => {
  for (const [name, text, rows] of SHOWN) {
    test(name, async () => assert.deepEqual(await rowsOf(text), rows));
  }
});

const RELATION = (moment = '') =>
  `"people" AS (SELECT "id", CASE WHEN "email" IS NOT NULL THEN '***' END AS "email", CASE WHEN false THEN "born" END AS "born", "town" FROM "club_silver"."people"${moment})`;

const WRITTEN: readonly (readonly [name: string, text: string, expected: string])[] = [
  [
    'behind the catalog',
    'SELECT 1 FROM AwsDataCatalog.club_silver.people',
    `WITH ${RELATION()} SELECT 1 FROM "people"`,
  ],
  [
    'EXPLAIN',
    'EXPLAIN (TYPE IO) SELECT 1 FROM club_silver.people',
    `EXPLAIN (TYPE IO) WITH ${RELATION()} SELECT 1 FROM "people"`,
  ],
  [
    'EXPLAIN of parentheses',
    'EXPLAIN ANALYZE (SELECT 1 FROM club_silver.people)',
    `EXPLAIN ANALYZE WITH ${RELATION()} (SELECT 1 FROM "people")`,
  ],
  [
    'a moment',
    "SELECT 1 FROM club_silver.people FOR TIMESTAMP AS OF TIMESTAMP '2026-01-31 12:00:00 UTC' AS p WHERE id = 1",
    `WITH ${RELATION(" FOR TIMESTAMP AS OF TIMESTAMP '2026-01-31 12:00:00 UTC'")} SELECT 1 FROM "people" AS p WHERE id = 1`,
  ],
  [
    'a snapshot',
    'SELECT 1 FROM club_silver.people FOR VERSION AS OF 17 p',
    `WITH ${RELATION(' FOR VERSION AS OF 17')} SELECT 1 FROM "people" p`,
  ],
  ['its history', 'SELECT * FROM club_silver."people$history"', 'SELECT * FROM club_silver."people$history"'],
  ['DESCRIBE', 'DESCRIBE club_silver.people', 'DESCRIBE club_silver.people'],
  ['SHOW COLUMNS', 'SHOW COLUMNS IN club_silver.people', 'SHOW COLUMNS IN club_silver.people'],
  ['tables that have none', 'SELECT * FROM club_gold.towns', 'SELECT * FROM club_gold.towns'],
];

describe('a query on Athena is written', () => {
  for (const [name, text, expected] of WRITTEN) {
    test(name, () => assert.equal(maskedQuery(text, MASKS).replaceAll(/\s+/g, ' ').trim(), expected));
  }

  test('now and then, each as a relation of its own', () => {
    const text = 'SELECT 1 FROM club_silver.people a, club_silver.people FOR VERSION AS OF 17 b';
    assert.match(maskedQuery(text, MASKS), /FROM "people" a, "masked_2_people" b$/);
  });
});

const REFUSED: readonly (readonly [text: string, message: RegExp])[] = [
  ['SELECT * FROM club_silver."people$files"', /personal columns \(email, born\), and people\$files shows values/],
  ['SELECT * FROM club_silver."people$partitions"', /people\$partitions shows values of its columns/],
  [
    "SELECT * FROM club_silver.people FOR TIMESTAMP AS OF current_timestamp - INTERVAL '1' DAY",
    /a moment is expected as TIMESTAMP/,
  ],
  [
    "SELECT * FROM club_silver.people FOR TIMESTAMP AS OF TIMESTAMP '2026-01-31 12:00:00' - INTERVAL '1' DAY",
    /a moment is expected/,
  ],
  [
    "SELECT * FROM club_silver.people FOR TIMESTAMP AS OF TIMESTAMP '2026-01-31' AT TIME ZONE 'UTC'",
    /a moment is expected/,
  ],
  ['SELECT * FROM club_silver.people FOR VERSION AS OF 12 + 3', /a moment is expected/],
  [
    'SHOW STATS FOR club_silver.people',
    /SHOW STATS shows values; expected a SELECT of the table by its full name, or --show-personal/,
  ],
  ['SELECT * FROM other.club_silver.people', /it is named by way of something else/],
];

describe('a query on Athena is refused', () => {
  for (const [text, message] of REFUSED) {
    test(text, () => assert.throws(() => maskedQuery(text, MASKS), { name: 'InvalidInput', message }));
  }
});

test('tables are found by their names in lower case', () => {
  const found = tablesIn('SELECT a.b FROM "Club_Silver"."People", x.y, club_gold."people$files" -- club_gold.z');
  assert.deepEqual(
    found.map(({ database, table }) => [database, table]),
    [
      ['club_silver', 'people'],
      ['club_gold', 'people$files'],
    ],
  );
});
