import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Session } from '../../lib/ports.ts';
import { sql } from '../../lib/sql/fragment.ts';
import {
  countResult,
  freeRowNumbers,
  fromQuery,
  keepResult,
  pageOfResult,
  selectFinishTimes,
  selectFirst,
  selectResult,
  selectRuns,
} from '../../lib/sql/query.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

const GOLDEN: readonly (readonly [string, string])[] = [
  ['query-keep.sql', keepResult(sql`SELECT 1 AS a`).text],
  ['query-from.sql', fromQuery(sql`SUMMARIZE p_gold.t -- all of it`)],
  ['query-count.sql', countResult().text],
  ['query-all.sql', selectResult().text],
  ['query-page.sql', pageOfResult(['a "b"', 'RowID'], 20_000, 40_000).text],
  [
    'query-free.sql',
    freeRowNumbers(['a', 'RowID', '__rowid'])
      .map(({ text }) => text)
      .join('\n'),
  ],
  ['query-runs.sql', selectRuns(['p', 'q'])],
  ['query-finish-times.sql', selectFinishTimes('p').text],
  ['query-first.sql', selectFirst('p_gold', 'a "b"', 10)],
];

for (const [file, text] of GOLDEN) {
  test(`${file} is what is rendered`, async () => {
    const path = new URL(`golden/${file}`, import.meta.url);
    // UPDATE_GOLDEN=1 rewrites the files; the difference is then read before it is committed.
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(path, text);
    assert.equal(text, await readFile(path, 'utf8'));
  });
}

let session: Session;
const rows = (text: string) => session.rows({ name: 'test', text: userSql(text) });

before(async () => {
  session = await createDuckDbEngine().open({ memoryBytes: 200_000_000, threads: 2, scratch: '/tmp' });
});
after(() => session[Symbol.asyncDispose]());

test('a kept result has its order, its count, its pages and every column', async () => {
  await session.run(keepResult(sql`SELECT i, -i AS i, i % 7 AS i_1 FROM range(1000) t(i) ORDER BY hash(i);`));
  const ordered = await rows('SELECT i FROM range(1000) t(i) ORDER BY hash(i)');
  assert.deepEqual(await session.rows(countResult()), [{ rows: 1000 }]);
  const described = await session.describe(selectResult());
  assert.equal(new Set(described.map((column) => column.name.toLowerCase())).size, 3);
  const names = described.map((column) => column.name);
  const pages = [
    ...(await session.rows(pageOfResult(names, 0, 600))),
    ...(await session.rows(pageOfResult(names, 600, 1200))),
  ];
  assert.deepEqual(
    pages.map((row) => Object.values(row).slice(0, 2)),
    ordered.map(({ i }) => [i, Number(i) === 0 ? 0 : -Number(i)]),
  );
});

test('SUMMARIZE can be selected from, whatever comment ends it', async () => {
  await session.run({ name: 'test', text: sql`CREATE OR REPLACE TABLE t AS SELECT 1 AS a` });
  const summary = await rows(fromQuery(sql`SUMMARIZE t -- all of it`));
  assert.deepEqual(
    summary.map((row) => row['column_name']),
    ['a'],
  );
});

test('runs of pipelines whose tables differ in columns come together, newest first', async () => {
  for (const [pipeline, columns] of [
    ['p', "'r1' AS run_id, 1 AS started_at"],
    ['q', "'r2' AS run_id, 2 AS started_at, 'x' AS later"],
  ]) {
    await session.run({ name: 'test', text: userSql(`CREATE SCHEMA ${pipeline}_ops`) });
    await session.run({ name: 'test', text: userSql(`CREATE TABLE ${pipeline}_ops.runs AS SELECT ${columns}`) });
  }
  assert.deepEqual(await rows(selectRuns(['p', 'q'])), [
    { pipeline: 'q', run_id: 'r2', started_at: 2, later: 'x' },
    { pipeline: 'p', run_id: 'r1', started_at: 1, later: null },
  ]);
  assert.equal((await rows(selectFirst('q_ops', 'runs', 0))).length, 0);
});
