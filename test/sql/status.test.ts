import assert from 'node:assert/strict';
import { readFile, writeFile } from 'node:fs/promises';
import { after, before, describe, test } from 'node:test';
import type { Sql } from '../../lib/core/sql-text.ts';
import { createDuckDbEngine } from '../../lib/engine/duckdb.ts';
import type { Row, Session } from '../../lib/ports.ts';
import { sql } from '../../lib/sql/fragment.ts';
import { countNulls, countRejectedByDay, figureModels, latestQuality } from '../../lib/sql/status/page.ts';
import { countCodes, selectRunFacts, sumRejected } from '../../lib/sql/status/status.ts';
import { userSql } from '../../lib/sql/user-sql.ts';

const SINCE = '2026-03-02T00:00:00.000Z';
const HIDDEN = [{ table: 'p_silver.people', column: "o'name" }];

const GOLDEN: readonly (readonly [string, Sql])[] = [
  ['status-codes.sql', countCodes('p', SINCE)],
  ['status-rejected.sql', sumRejected('p')],
  ['status-runs.sql', selectRunFacts('p', true)],
  ['page-models.sql', figureModels('p', { since: SINCE })],
  ['page-compared.sql', figureModels('p', { beginning: "o'r" })],
  ['page-rejected.sql', countRejectedByDay('p', SINCE)],
  ['page-quality.sql', latestQuality('p', HIDDEN)],
  ['page-nulls.sql', countNulls('p', [], SINCE, 5)],
];

for (const [file, text] of GOLDEN) {
  test(`${file} is what is rendered`, async () => {
    const path = new URL(`golden/${file}`, import.meta.url);
    // UPDATE_GOLDEN=1 rewrites the files; the difference is then read before it is committed.
    if (process.env['UPDATE_GOLDEN'] === '1') await writeFile(path, text);
    assert.equal(text, await readFile(path, 'utf8'));
  });
}

describe('figures of the books', () => {
  let session: Session;
  const select = (text: Sql): Promise<readonly Row[]> => session.rows({ name: 'test', text: userSql(text) });
  const books = (table: string, columns: string, rows: readonly string[], pipeline = 'p'): Promise<unknown> =>
    session.run({
      name: table,
      text: userSql(
        `CREATE OR REPLACE TABLE ${pipeline}_ops.${table} AS SELECT * FROM (VALUES ${rows.map((row) => `(${row})`).join(', ')}) t(${columns})`,
      ),
    });
  const at = (text: string): string => `TIMESTAMPTZ '${text}Z'`;
  before(async () => {
    session = await createDuckDbEngine().open({ memoryBytes: 200_000_000, threads: 2, scratch: '/tmp' });
    await session.run({ name: 'schema', text: sql`CREATE SCHEMA p_ops; CREATE SCHEMA q_ops` });
    await books('quarantine', 'codes, status, quarantined_at', [
      `['A', 'B'], 'quarantined', ${at('2026-03-01 23:59:59')}`,
      `['A'], 'condemned', ${at('2026-03-02 00:00:00')}`,
      `['B'], 'quarantined', ${at('2026-03-02 12:00:00')}`,
      `['B'], 'quarantined', ${at('2026-03-03 12:00:00')}`,
      `['C'], 'released', ${at('2026-03-03 12:00:00')}`,
    ]);
    await books('accounting', 'run_id, source, read, quarantined, condemned, table_name', [
      "'r1', 'a', 10, 1, 0, NULL",
      "'r1', 'b', 20, 2, 1, 'p_silver.x'",
      "'r1', 'b', 20, 5, 0, 'p_silver.y'",
      "'r2', 'a', 7, 0, 0, NULL",
    ]);
    await books('model_runs', 'run_id, model, level, started_at, duration_ms, rows_out, cost_usd, status', [
      `'a1', 'gold.g', 1, ${at('2026-03-02 01:00:00')}, 100, 7, 0.5, 'SUCCEEDED'`,
      `'a2', 'gold.g', 1, ${at('2026-03-02 03:00:00')}, 200, 9, 0.25, 'SUCCEEDED'`,
      `'b1', 'gold.g', 1, ${at('2026-03-02 02:00:00')}, 900, 8, NULL, 'FAILED'`,
      `'b2', 'gold.g', 1, ${at('2026-03-02 04:00:00')}, 5000, 1, 0.1, 'UNDONE'`,
      `'a0', 'gold.g', 1, ${at('2026-03-01 04:00:00')}, 300, 1, 1, 'SUCCEEDED'`,
      `'a1', 'silver.s', 0, ${at('2026-03-02 00:00:00')}, 50, NULL, NULL, 'SUCCEEDED'`,
    ]);
    await books('runs', 'run_id, finished_at', [
      `'a0', ${at('2026-03-01 04:00:00')}`,
      `'a1', ${at('2026-03-02 01:00:00')}`,
      `'a2', ${at('2026-03-02 03:00:00')}`,
      `'b1', ${at('2026-03-03 03:00:00')}`,
    ]);
    const quality = (run: string, column: string, figures: string): string =>
      `'${run}', 'p_silver.people', '${column}', ${figures}`;
    await books('quality', 'run_id, "table", "column", "rows", nulls, unique_key_ok', [
      quality('a0', 'id', '10, 0, true'),
      quality('b1', 'id', '30, 0, false'),
      quality('a1', 'id', '20, 0, true'),
      quality('a0', 'note', '10, 10, NULL::BOOLEAN'),
      quality('a1', 'note', '10, 1, NULL'),
      quality('a2', 'note', '30, 9, NULL'),
      quality('b1', 'note', '10, 5, NULL'),
      quality('a1', "o''name", '10, 10, NULL'),
      quality('a1', "o''name.first", '10, 9, NULL'),
      quality('a1', 'empty', '0, 0, NULL'),
    ]);
  });
  after(async () => {
    await session[Symbol.asyncDispose]();
  });

  test('rejected rows by code and by day, and what each run rejected of what it read', async () => {
    assert.deepEqual(await select(countCodes('p', SINCE)), [
      { code: 'B', quarantined: 3, condemned: 0, last_day: 2 },
      { code: 'A', quarantined: 1, condemned: 1, last_day: 1 },
    ]);
    assert.deepEqual(await select(sql`${sumRejected('p')} ORDER BY run_id`), [
      { run_id: 'r1', read: 30, rejected: 6 },
      { run_id: 'r2', read: 7, rejected: 0 },
    ]);
    assert.deepEqual(
      (await select(countRejectedByDay('p', SINCE))).map(({ day, code, rows }) => `${day} ${code} ${rows}`),
      ['2026-03-02 B 1', '2026-03-03 B 1', '2026-03-02 A 1', '2026-03-03 C 1'],
    );
  });

  test('runs that have ended as JSON, also where the books lack columns', async () => {
    const facts = async (counted: boolean): Promise<unknown> =>
      JSON.parse(String((await select(selectRunFacts('q', counted)))[0]?.['facts']));
    await books(
      'runs',
      'run_id, status, started_at, finished_at, duration_ms, error',
      [
        `'r1', 'SUCCEEDED', ${at('2026-03-02 01:00:00')}, ${at('2026-03-02 01:00:01.5')}, 1500, NULL`,
        `'r2', 'FAILED', ${at('2026-03-02 02:00:00')}, ${at('2026-03-02 02:00:01')}, NULL, 'E: x'`,
        `'r3', 'RUNNING', ${at('2026-03-02 03:00:00')}, NULL, NULL, NULL`,
      ],
      'q',
    );
    const started = Date.parse('2026-03-02T01:00:00Z');
    const none = { cost_usd: null, cost_rate: null };
    const [second, first] = [
      {
        run_id: 'r2',
        succeeded: false,
        started: started + 3_600_000,
        finished: started + 3_601_000,
        duration_ms: 0,
        error: 'E: x',
        ...none,
      },
      { run_id: 'r1', succeeded: true, started, finished: started + 1_500, duration_ms: 1_500, error: null, ...none },
    ];
    assert.deepEqual(await facts(false), [second, first]);
    await books('accounting', 'run_id, source, "read", quarantined, condemned', ["'r1', 'a', 9, 1, 2"], 'q');
    assert.deepEqual(await facts(true), [
      { ...second, read: null, rejected: null },
      { ...first, read: 9, rejected: 3 },
    ]);
    await books(
      'runs',
      'run_id, started_at, finished_at, duration_ms, status, error, kind, cost_usd, cost_rate',
      [
        `'c1', ${at('2026-03-02 01:00:00')}, ${at('2026-03-02 01:00:01')}, 1, 'SUCCEEDED', NULL, 'compact', 1, 'R'`,
        `'r1', ${at('2026-03-02 01:00:00')}, ${at('2026-03-02 01:00:01.5')}, 1500, 'SUCCEEDED', NULL, NULL, 0.5, 'R'`,
      ],
      'q',
    );
    assert.deepEqual(await facts(false), [{ ...first, cost_usd: 0.5, cost_rate: 'R' }]);
  });

  test('models, in the order of levels', async () => {
    assert.deepEqual(await select(figureModels('p', { since: SINCE })), [
      { model: 'silver.s', runs: 1, failed: 0, mean: 50, p50: 50, p95: 50, rows_out: null, cost_usd: null },
      { model: 'gold.g', runs: 3, failed: 1, mean: 150, p50: 150, p95: 195, rows_out: 9, cost_usd: '0.75' },
    ]);
    const [, compared] = await select(figureModels('p', { beginning: 'a' }));
    assert.deepEqual([compared?.['runs'], compared?.['mean'], compared?.['cost_usd']], [3, 200, '1.75']);
    assert.deepEqual(await select(figureModels('p', { beginning: "o'r" })), []);
  });

  test('columns, without those that are left out', async () => {
    const latest = await select(latestQuality('p', HIDDEN));
    assert.deepEqual(
      latest.map((row) => [row['column'], row['rows'], row['nulls'], row['key_ok']]),
      [
        ['empty', 0, 0, null],
        ['id', 30, 0, false],
        ['note', 10, 5, null],
      ],
    );
    const nulls = await select(countNulls('p', HIDDEN, SINCE, 5));
    assert.deepEqual(
      nulls.map(({ day, column, percent }) => `${day} ${column} ${percent}`),
      ['2026-03-02 p_silver.people.note 25', '2026-03-03 p_silver.people.note 50'],
    );
    const [worst] = await select(countNulls('p', [], SINCE, 1));
    assert.equal(worst?.['column'], "p_silver.people.o'name");
  });
});
