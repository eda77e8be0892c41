import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { test } from 'node:test';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import { sql } from '../../lib/sql/fragment.ts';
import {
  countQuarantined,
  selectArrivals,
  selectHashes,
  selectQuarantined,
  selectSameKey,
  summarizeQuarantine,
} from '../../lib/sql/quarantine-report.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

const FILTER = { source: "o'source", code: 'NULL_KEY', status: 'condemned', runId: 'r1', files: ['f'], hashes: ['h1'] };

const GOLDEN: readonly (readonly [string, string])[] = [
  ['quarantine-summary.sql', summarizeQuarantine('p', FILTER)],
  ['quarantine-list.sql', selectQuarantined('p', {}, 20)],
  ['quarantine-all.sql', selectQuarantined('p', FILTER)],
  ['quarantine-count.sql', countQuarantined('p', {})],
  ['quarantine-hashes.sql', selectHashes('p', 'ab', 6)],
  ['quarantine-arrivals.sql', selectArrivals('p', 'ab')],
  ['quarantine-same-key.sql', selectSameKey('p', 'ab')],
];

for (const [file, text] of GOLDEN) {
  test(`${file} is what is rendered`, async () => {
    const path = new URL(`golden/${file}`, import.meta.url);
    // UPDATE_GOLDEN=1 rewrites the files; the difference is then read before it is committed.
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(path, text);
    assert.equal(text, await readFile(path, 'utf8'));
  });
}

test('every filter at once, and a row counts under each of its codes', async () => {
  const session = await createDuckDbEngine().open({ memoryBytes: 200_000_000, threads: 2, scratch: '/tmp' });
  try {
    await session.run({ name: 'schema', text: sql`CREATE SCHEMA p_ops` });
    const columns = 'source, source_file, line, codes, status, run_id, row_hash, business_key, quarantined_at';
    const row = (codes: string, hash: string): string =>
      `('o''source', 'f', 1, ${codes}, 'condemned', 'r1', '${hash}', 'k', 1)`;
    const rows = [row("['NULL_KEY', 'X']", 'h1'), row("['NULL_KEY']", 'h2'), row("['Y']", 'h1')].join(', ');
    await session.run({
      name: 'rows',
      text: userSql(`CREATE TABLE p_ops.quarantine AS SELECT * FROM (VALUES ${rows}) t(${columns})`),
    });
    const select = (text: string) => session.rows({ name: 'test', text: userSql(text) });
    assert.deepEqual(await select(countQuarantined('p', FILTER)), [{ rows: 1, released: 0 }]);
    const summary = await select(summarizeQuarantine('p', FILTER));
    assert.deepEqual(
      summary.map((one) => `${one['code']} ${one['rows']}`),
      ['NULL_KEY 1', 'X 1'],
    );
    assert.equal((await select(selectQuarantined('p', {}, 2))).length, 2);
    assert.deepEqual(await select(selectHashes('p', 'h', 9)), [{ row_hash: 'h1' }, { row_hash: 'h2' }]);
    assert.equal((await select(selectArrivals('p', 'h1'))).length, 2);
    assert.deepEqual(
      (await select(selectSameKey('p', 'h1'))).map((one) => one['row_hash']),
      ['h2'],
    );
  } finally {
    await session[Symbol.asyncDispose]();
  }
});
