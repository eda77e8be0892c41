import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { EngineError } from '../../lib/core/errors.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

const folder = mkdtempSync(join(tmpdir(), 'strata-lock-'));
const [inside, outside, scratch] = ['inside', 'outside', 'scratch'].map((name) => join(folder, name)) as [
  string,
  string,
  string,
];
for (const one of [inside, outside]) {
  mkdirSync(one);
  writeFileSync(join(one, 'a.csv'), 'a\n1\n');
}
after(() => rmSync(folder, { recursive: true }));

const file = (...path: readonly string[]): string => quoteText(join(...path));
const ALLOWED: readonly string[] = [
  `FROM read_csv(${file(inside, 'a.csv')})`,
  `COPY (SELECT 1 AS a) TO ${file(inside, 'b.parquet')}`,
  `FROM read_parquet([${file(inside, 'b.parquet')}])`,
];
const DENIED: readonly string[] = [
  `FROM read_csv(${file(outside, 'a.csv')})`,
  `FROM read_text(${file(inside, '..', 'outside', 'a.csv')})`,
  `FROM glob(${file(outside, '*')})`,
  `COPY (SELECT 1) TO ${file(outside, 'b.parquet')}`,
  `ATTACH ${file(outside, 'x.db')}`,
  'LOAD httpfs',
  'SET enable_external_access = true',
  `SET allowed_directories = [${file(outside)}]`,
  'SET threads = 1',
  'RESET lock_configuration',
];

describe('a closed session', () => {
  const open = (memoryBytes = 1e9) =>
    createDuckDbEngine().open({ memoryBytes, threads: 1, scratch, folders: [inside] });
  for (const text of ALLOWED) {
    test(`may ${text.slice(0, 24)}`, async () => {
      const session = await open();
      await session.run({ name: 'allowed', text: userSql(text) });
      await session[Symbol.asyncDispose]();
    });
  }
  for (const text of DENIED) {
    test(`may not ${text.slice(0, 30)}`, async () => {
      const session = await open();
      await assert.rejects(session.run({ name: 'denied', text: userSql(text) }), EngineError);
      await session[Symbol.asyncDispose]();
    });
  }

  test('spills all the same', async () => {
    const session = await open(300e6);
    const text = "CREATE TABLE t AS SELECT i, repeat('x', 100) || i AS t FROM range(4000000) r(i)";
    await session.run({ name: 'large', text: userSql(text) });
    assert.deepEqual(await session.rows({ name: 'count', text: sql`SELECT count(*)::INT AS n FROM t` }), [
      { n: 4_000_000 },
    ]);
    const used = 'SELECT sum(temporary_storage_bytes)::BIGINT > 0 AS spilled FROM duckdb_memory()';
    assert.deepEqual(await session.rows({ name: 'spilled', text: userSql(used) }), [{ spilled: true }]);
    await session[Symbol.asyncDispose]();
  });
});
