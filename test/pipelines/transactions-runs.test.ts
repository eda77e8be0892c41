import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { addCounts, NO_ROWS, type RowCounts } from '../../lib/core/row-counts.ts';
import pipeline from '../../pipelines/transactions/pipeline.ts';
import { openPipelineLake, runBatches } from './runs.ts';

type Landed = { readonly source: string; readonly file: string; readonly content: string };

const HEADER = 'TransactionID,CustomerID,TransactionAmount,Currency,TransactionTimestamp\n';

function file(name: string, rows: readonly string[]): Landed {
  return { source: 'transactions', file: name, content: `${HEADER}${rows.join('\n')}\n` };
}

const GENERATED: readonly Landed[] = [
  file('day-1.csv', [
    'a,1,10.00,GBP,2010-12-01T08:00:00Z',
    'a,1,10.00,GBP,2010-12-01T08:00:00Z',
    // The same key on the same day, with another amount.
    'a,1,12.00,GBP,2010-12-01T09:00:00Z',
    'b,,3.00,GBP,2010-12-01T08:00:00Z',
    'b,,3.00,GBP,2010-12-01T08:00:00Z',
    'c,2,3.00,LTL,2010-12-01T08:00:00Z',
    'd,2,-3.00,EUR,2010-12-01T23:59:59Z',
  ]),
  file('day-2.csv', [
    // The same number on another day is another transaction.
    'a,1,10.00,GBP,2010-12-02T08:00:00Z',
    'e,,1.00,XYZ,2010-12-02T08:00:00Z',
    'f,3,1.00,DKK,2010-12-02T08:00:00Z',
  ]),
];

const GENERATED_COUNTS: RowCounts = { read: 10, duplicates: 2, quarantined: 3, condemned: 1, accepted: 4 };

async function checkRuns(files: readonly Landed[], expected: RowCounts): Promise<void> {
  const rows: unknown[] = [];
  for (const batches of [[files], files.map((one) => [one])]) {
    const lake = await openPipelineLake(pipeline);
    try {
      const results = await runBatches(lake, batches);
      const counts = results.map((result) => result.accounting['transactions'] ?? NO_ROWS).reduce(addCounts, NO_ROWS);
      assert.deepEqual(counts, expected, `${batches.length} runs`);
      const silver =
        'SELECT transaction_id, customer_id, amount, currency, transaction_ts, event_date, row_hash, attempt FROM t ORDER BY ALL';
      const tables = [await lake.rows('transactions_silver.transactions', silver)];
      for (const table of Object.keys(pipeline.gold ?? {})) tables.push(await lake.rows(`transactions_gold.${table}`));
      rows.push(tables);
    } finally {
      lake.close();
    }
  }
  assert.deepEqual(rows[1], rows[0], 'one file a run, or all of them in one');
}

test('every row has one fate, however the files arrive', () => checkRuns(GENERATED, GENERATED_COUNTS));

test('quarantine says why, and keeps what was condemned', async () => {
  const lake = await openPipelineLake(pipeline);
  try {
    await runBatches(lake, [GENERATED]);
    assert.deepEqual(
      await lake.rows(
        'transactions_ops.quarantine',
        "SELECT split_part(source_file, '/', -1) AS file, line, codes, status FROM t ORDER BY file, line",
      ),
      [
        { file: 'day-1.csv', line: 4, codes: ['DUPLICATE_FAILURE'], status: 'condemned' },
        { file: 'day-1.csv', line: 5, codes: ['NULL_VALUE_ERROR'], status: 'quarantined' },
        { file: 'day-1.csv', line: 7, codes: ['DOMAIN_ERROR'], status: 'quarantined' },
        { file: 'day-2.csv', line: 3, codes: ['NULL_VALUE_ERROR', 'DOMAIN_ERROR'], status: 'quarantined' },
      ],
    );
  } finally {
    lake.close();
  }
});

test('rows keep their places when a file ends in a part of a vector', async () => {
  const lake = await openPipelineLake(pipeline);
  const good = (day: number, rows: number): string[] =>
    Array.from({ length: rows }, (_, n) => `${n},1,1.00,GBP,2010-12-0${day}T08:00:00Z`);
  const bad = 'x,1,1.00,XYZ,2010-12-01T08:00:00Z';
  try {
    await runBatches(lake, [
      [file('1.csv', good(1, 2100)), file('2.csv', [bad, ...good(2, 2100)]), file('3.csv', [bad.replace('x', 'y')])],
    ]);
    assert.deepEqual(
      await lake.rows(
        'transactions_ops.quarantine',
        "SELECT split_part(source_file, '/', -1) AS file, line FROM t ORDER BY file",
      ),
      [
        { file: '2.csv', line: 2 },
        { file: '3.csv', line: 2 },
      ],
    );
  } finally {
    lake.close();
  }
});

test('a file without a required column is rejected, and the others are not', async () => {
  const lake = await openPipelineLake(pipeline);
  try {
    const short = { source: 'transactions', file: 'short.csv', content: 'TransactionID,CustomerID\na,1\n' };
    const [result] = await runBatches(lake, [[short, ...GENERATED]]);
    assert.deepEqual(result?.accounting['transactions'], GENERATED_COUNTS);
    assert.equal(result?.rejected_files.length, 1);
    assert.match(result?.rejected_files[0]?.file ?? '', /short\.csv$/);
  } finally {
    lake.close();
  }
});

const REAL = fileURLToPath(new URL('../../../shared/data/transactions', import.meta.url));
const real = existsSync(REAL) ? {} : { skip: 'the real transaction files are not on this machine' };

test('the real files give the published figures, together and one by one', real, async () => {
  const files = readdirSync(REAL).map((name) => ({
    source: 'transactions',
    file: name,
    content: readFileSync(join(REAL, name), 'utf8'),
  }));
  await checkRuns(files, { read: 22_523, duplicates: 322, quarantined: 7_753, condemned: 248, accepted: 14_200 });
});
