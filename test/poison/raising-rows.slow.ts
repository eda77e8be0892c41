import assert from 'node:assert/strict';
import { test } from 'node:test';
import { append, csv, definePipeline, hour, json, scd2, upsert } from '../../lib/define/index.ts';
import { openTestLake } from '../support/test-lake.ts';

/** Rows of which an expression raises: the second has no number in `n`, the third overflows in `a * b`. */
const ROWS = ['1,5,2,3', '2,x,2,3', '3,5,2147483647,2', '4,6,1,1'];
const COLUMNS = { id: 'int', n: 'string', a: 'int', b: 'int' } as const;
const small = 'a * b < 1000';

/** Beyond what fits the hours of a partition. */
const FAR = 'SELECT id, CASE WHEN id = 2 THEN n + INTERVAL 280000 YEAR ELSE n END AS n, a, b FROM batch.rows';

type Layout = 'csv' | 'json';

type Case = {
  readonly layouts?: readonly Layout[];
  readonly what: string;
  readonly columns?: Record<string, unknown>;
  readonly source?: Record<string, unknown>;
  readonly silver?: Record<string, unknown>;
  readonly sql?: string;
  readonly rows?: readonly string[];
  readonly settings?: Record<string, unknown>;
  /** The row of two other files. */
  readonly more?: string;
  /** Ids that are refused, with their codes. */
  readonly refused: Readonly<Record<string, string>>;
};

const CASES: readonly Case[] = [
  {
    what: 'a check',
    layouts: ['csv', 'json'],
    columns: {
      n: { type: 'string', checks: { positive: 'CAST(n AS INT) > 0' } },
      b: { type: 'int', checks: { small } },
    },
    refused: { 2: 'POSITIVE', 3: 'SMALL' },
  },
  {
    what: 'two checks that share an expression',
    columns: { a: { type: 'int', checks: { large: 'a * b > -1000' } }, b: { type: 'int', checks: { small } } },
    refused: { 3: 'LARGE,SMALL' },
  },
  {
    what: 'a check of CASE, COALESCE and OR',
    columns: {
      n: {
        type: 'string',
        checks: { odd: "CASE WHEN coalesce(CAST(n AS INT), 0) > 3 OR a = 5 THEN b > 0 ELSE n > '' END" },
      },
    },
    refused: { 2: 'ODD' },
  },
  {
    what: 'a check, beside one that is broken and a row that is malformed',
    columns: { id: { type: 'int', checks: { low: 'id < 4' } }, b: { type: 'int', checks: { small } } },
    refused: { 3: 'SMALL', 4: 'LOW' },
  },
  {
    what: "an expectation with policy 'drop'",
    silver: { expect: { fits: { condition: small, policy: 'drop' } } },
    refused: { 3: 'FITS' },
  },
  {
    what: "an expectation with policy 'warn'",
    silver: { expect: { fits: { condition: small, policy: 'warn' } } },
    refused: {},
  },
  {
    what: 'deleteWhen',
    silver: { mode: upsert({ key: 'id', sequence: 'b', deleteWhen: 'CAST(n AS INT) > 1000' }) },
    refused: { 2: 'ENGINE_ERROR' },
  },
  {
    what: 'tieBreak, which only the merge works out',
    silver: { mode: scd2({ key: 'id', sequence: 'b', tieBreak: 'n, a * b desc' }) },
    refused: { 3: 'ENGINE_ERROR' },
  },
  {
    what: 'SQL of the model',
    sql: 'SELECT id, n, a * b AS b, CAST(n AS INT) AS a FROM batch.rows',
    refused: { 2: 'ENGINE_ERROR', 3: 'ENGINE_ERROR' },
  },
  {
    what: 'SQL with a star and names that DuckDB gives',
    layouts: ['csv', 'json'],
    sql: `SELECT r.*, upper(n), a * b AS "the product", 1e3 AS x, 12345678901234567890123 AS y FROM batch.rows AS r`,
    refused: { 3: 'ENGINE_ERROR' },
  },
  {
    what: 'SQL whose expressions use each other',
    sql: 'SELECT id, n, a * b AS c, c + 1 AS d FROM batch.rows',
    refused: { 3: 'ENGINE_ERROR' },
  },
  {
    what: 'SQL with rows removed as duplicates of each other',
    silver: { mode: append({ dedupe: 'row' }) },
    rows: [...ROWS, '1,5,2,3', '3,5,2147483647,2'],
    sql: 'SELECT id, n, a * b AS b FROM batch.rows',
    refused: { 3: 'ENGINE_ERROR' },
  },
  {
    what: 'SQL of a source with a key and of a model with metadata',
    source: { key: 'id' },
    silver: { metadata: ['source_file', 'attempt', 'row_hash'] },
    sql: 'SELECT id, n, a * b AS b FROM batch.rows',
    refused: { 3: 'ENGINE_ERROR' },
  },
  {
    what: 'a partition',
    columns: { n: { type: 'timestamp' } },
    rows: ['1,2020-01-01 00:00:00,2,3', '2,2020-01-01 00:00:00,1,1', '4,2020-01-02 00:00:00,1,1'],
    more: '0,2020-01-03,1,1',
    sql: FAR,
    silver: { partitionBy: [hour('n')] },
    refused: { 2: 'ENGINE_ERROR' },
  },
  {
    what: 'a partition of rows that are merged first',
    columns: { n: { type: 'timestamp' } },
    rows: ['1,2020-01-01 00:00:00,2,3', '2,2020-01-01 00:00:00,1,1', '4,2020-01-02 00:00:00,1,1'],
    more: '0,2020-01-03,1,1',
    sql: FAR,
    silver: { partitionBy: [hour('n')], mode: append({ dedupe: 'row' }) },
    settings: { unitBytes: 1 },
    refused: { 2: 'ENGINE_ERROR' },
  },
];

for (const one of CASES) {
  for (const layout of one.layouts ?? (['csv'] as const)) {
    test(`rows at which ${one.what} raises go to quarantine, from ${layout}`, async () => {
      const rows = one.rows ?? ROWS;
      const ids = Object.keys(one.refused);
      const good = rows.filter((row) => !ids.includes(row.split(',')[0] ?? ''));
      const mixed = await runRows(one, layout, rows);
      const clean = await runRows(one, layout, good);
      assert.deepEqual(mixed.rows, clean.rows);
      assert.deepEqual(Object.fromEntries(mixed.refused.map((row) => [String(row['id']), row['codes']])), one.refused);
      for (const row of mixed.refused) {
        const lines = rows.flatMap((text, i) => (text.startsWith(`${row['id']},`) ? [i + firstLine(layout)] : []));
        assert.ok(lines.includes(Number(row['line'])), `line ${row['line']} of ${row['id']}`);
      }
      const { read, accepted, quarantined, condemned, duplicates } = mixed.counts;
      assert.equal(read, accepted + quarantined + condemned + duplicates);
      assert.equal(accepted, clean.counts.accepted);
      // A second run, with what is in quarantine remembered, ends too.
      assert.equal(mixed.again, 'SUCCEEDED');
    });
  }
}

function firstLine(layout: Layout): number {
  return layout === 'csv' ? 2 : 1;
}

async function runRows(one: Case, layout: Layout, rows: readonly string[]) {
  const options = { columns: { ...COLUMNS, ...one.columns }, ...one.source };
  const lake = await openTestLake({
    name: 'p',
    definition: definePipeline({
      name: 'p',
      ...(one.settings && { settings: one.settings }),
      sources: { rows: layout === 'csv' ? csv(options as never) : json(options as never) },
      silver: { rows: { from: 'rows', ...one.silver, ...(one.sql && { sql: 'rows.sql' }) } },
    } as never),
    sql: { 'rows.sql': one.sql ?? '' },
  });
  try {
    await lake.land('rows', `a.${layout}`, fileOf(layout, rows));
    await lake.land('rows', `b.${layout}`, fileOf(layout, [one.more ?? '0,7,1,1']));
    const result = await lake.run();
    assert.equal(result.status, 'SUCCEEDED', result.error?.message);
    assert.deepEqual(result.rejected_files, []);
    const counts = result.accounting['rows'];
    assert.ok(counts);
    const id = `coalesce(regexp_extract(raw, '"id":"?([0-9]+)', 1), '')`;
    const refused =
      counts.quarantined === 0
        ? []
        : await lake.rows(
            'p_ops.quarantine',
            `SELECT line, raw, ${id} AS id, array_to_string(codes, ',') AS codes FROM t ORDER BY ALL`,
          );
    const metadata = one.silver?.['metadata'] === undefined ? '*' : '* EXCLUDE (row_hash)';
    const table = await lake.rows('p_silver.rows', `SELECT ${metadata} FROM t ORDER BY ALL`);
    await lake.land('rows', `c.${layout}`, fileOf(layout, [one.more ?? '0,8,1,1']));
    return { rows: table, refused, counts, again: (await lake.run()).status };
  } finally {
    lake.close();
  }
}

function fileOf(layout: Layout, rows: readonly string[]): string {
  if (layout === 'csv') return `id,n,a,b\n${rows.join('\n')}\n`;
  const lines = rows.map((row) => {
    const [id, n, a, b] = row.split(',');
    return JSON.stringify({ id: Number(id), n, a: Number(a), b: Number(b) });
  });
  return `${lines.join('\n')}\n`;
}
