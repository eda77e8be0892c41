import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { sql } from '../../lib/sql/fragment.ts';
import pipeline from '../../pipelines/online_retail/pipeline.ts';
import { type Lake, openLake } from './lake.ts';

const HEADER = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country';

/** Builds every model over CSV lines; exact duplicates are dropped first, as the silver table's mode does. */
async function withLines(lines: readonly string[], check: (lake: Lake) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'strata-online-retail-'));
  try {
    await writeFile(join(folder, 'lines.csv'), [HEADER, ...lines, ''].join('\r\n'));
    await withFiles(join(folder, '*.csv'), check);
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function withFiles(files: string, check: (lake: Lake) => Promise<void>): Promise<void> {
  const lake = await openLake(pipeline);
  try {
    await lake.load('lines', files);
    await lake.session.run({
      name: 'dedupe',
      text: sql`CREATE OR REPLACE TABLE batch.lines AS SELECT DISTINCT * FROM batch.lines`,
    });
    await lake.build('silver', 'invoice_lines');
    for (const table of Object.keys(pipeline.gold ?? {})) await lake.build('gold', table);
    await check(lake);
  } finally {
    await lake.session[Symbol.asyncDispose]();
  }
}

const LINES = [
  // December 2010: 2 x 2.55 + 1 x 1.005 + 3 x 10 (twice the same line) and what does not count.
  '536365,A,"LANTERN, WHITE",2,2010-12-01 08:26:00,2.55,17850.0,United Kingdom',
  '536366,B,,1,2010-12-31 23:59:59,1.005,17850.0,United Kingdom',
  '536367,A,LANTERN,3,2010-12-05 10:00:00,10,,France',
  '536367,A,LANTERN,3,2010-12-05 10:00:00,10,,France',
  'C536368,A,LANTERN,-2,2010-12-06 10:00:00,2.55,17850.0,United Kingdom',
  'C536369,A,LANTERN,2,2010-12-06 10:00:00,2.55,17850.0,United Kingdom',
  '536370,A,,-5,2010-12-06 10:00:00,0.0,,United Kingdom',
  '536371,A,,5,2010-12-06 10:00:00,0.0,,United Kingdom',
  // Nothing in January or February 2011; two customers of one country with equal revenue in March.
  '536372,A,LANTERN,1,2011-03-01 00:00:00,50.01,3,France',
  '536373,A,LANTERN,1,2011-03-02 00:00:00,50.01,2,France',
  '536374,A,LANTERN,1,2011-03-02 00:00:00,0.5,1,France',
  '536375,A,LANTERN,2,2011-04-02 00:00:00,10,1,Spain',
];

test('silver marks cancellations and keeps every other line and its exact amount', async () => {
  await withLines(LINES, async (lake) => {
    assert.deepEqual(
      await lake.rows(
        `SELECT invoice_no, description, customer_id, is_cancelled, line_amount FROM silver.invoice_lines
         WHERE stock_code = 'A' AND invoice_ts < '2010-12-06' OR is_cancelled OR unit_price = 1.005 ORDER BY invoice_no`,
      ),
      [
        {
          invoice_no: '536365',
          description: 'LANTERN, WHITE',
          customer_id: 17850,
          is_cancelled: false,
          line_amount: '5.100',
        },
        { invoice_no: '536366', description: null, customer_id: 17850, is_cancelled: false, line_amount: '1.005' },
        { invoice_no: '536367', description: 'LANTERN', customer_id: null, is_cancelled: false, line_amount: '30.000' },
        {
          invoice_no: 'C536368',
          description: 'LANTERN',
          customer_id: 17850,
          is_cancelled: true,
          line_amount: '-5.100',
        },
        { invoice_no: 'C536369', description: 'LANTERN', customer_id: 17850, is_cancelled: true, line_amount: '5.100' },
      ],
    );
  });
});

test('monthly revenue counts sold lines only, and months without sales as 0', async () => {
  await withLines(LINES, async (lake) => {
    assert.deepEqual(await lake.rows('FROM gold.monthly_revenue'), [
      // 5.10 + 1.005 + 30 = 36.105, rounded once at the end.
      { yyyymm: 201012, revenue: '36.11', lines: 3, revenue_ma3: '36.11', mom_growth_pct: null },
      // 36.11 / 2 = 18.055: half a cent goes up.
      { yyyymm: 201101, revenue: '0.00', lines: 0, revenue_ma3: '18.06', mom_growth_pct: -100 },
      { yyyymm: 201102, revenue: '0.00', lines: 0, revenue_ma3: '12.04', mom_growth_pct: null },
      { yyyymm: 201103, revenue: '100.52', lines: 3, revenue_ma3: '33.51', mom_growth_pct: null },
      { yyyymm: 201104, revenue: '20.00', lines: 1, revenue_ma3: '40.17', mom_growth_pct: -80.1 },
    ]);
  });
});

test('top customers share a rank where they are equal; no id is one line without a rank', async () => {
  await withLines(LINES, async (lake) => {
    assert.deepEqual(await lake.rows('FROM gold.top_customers'), [
      { country: 'France', rank: 1, customer: '2', revenue: '50.01', lines: 1 },
      { country: 'France', rank: 1, customer: '3', revenue: '50.01', lines: 1 },
      { country: 'France', rank: 2, customer: '1', revenue: '0.50', lines: 1 },
      { country: 'France', rank: null, customer: 'unknown', revenue: '30.00', lines: 1 },
      { country: 'Spain', rank: 1, customer: '1', revenue: '20.00', lines: 1 },
      { country: 'United Kingdom', rank: 1, customer: '17850', revenue: '6.11', lines: 2 },
    ]);
  });
});

test('top customers end after the tenth rank, not the tenth customer', async () => {
  const lines = Array.from({ length: 14 }, (_, n) => `5${n},A,,1,2010-12-01 00:00:00,${Math.max(1, n - 1)},${n},Peru`);
  await withLines(lines, async (lake) => {
    const rows = await lake.rows('SELECT rank, customer, revenue FROM gold.top_customers');
    assert.deepEqual(rows.at(0), { rank: 1, customer: '13', revenue: '12.00' });
    assert.deepEqual(rows.at(-1), { rank: 10, customer: '4', revenue: '3.00' });
    assert.equal(rows.length, 10);
  });
});

test('country shares are of the exact revenue', async () => {
  await withLines(LINES, async (lake) => {
    assert.deepEqual(await lake.rows('FROM gold.country_share'), [
      { country: 'France', revenue: '130.52', lines: 4, share_pct: 83.33 },
      { country: 'Spain', revenue: '20.00', lines: 1, share_pct: 12.77 },
      { country: 'United Kingdom', revenue: '6.11', lines: 2, share_pct: 3.9 },
    ]);
  });
});

test('no sold line at all gives empty tables', async () => {
  await withLines([LINES[4] ?? ''], async (lake) => {
    for (const table of Object.keys(pipeline.gold ?? {}))
      assert.deepEqual(await lake.rows(`FROM gold.${table}`), [], table);
  });
});

test('the largest contract values do not overflow', async () => {
  const line = `1,A,,${2 ** 31 - 1},2010-12-01 00:00:00,999999999.999,1,Peru`;
  await withLines([line], async (lake) => {
    const mills = (2n ** 31n - 1n) * 999_999_999_999n;
    const cents = String((mills + 5n) / 10n);
    assert.deepEqual(await lake.rows('SELECT revenue FROM gold.monthly_revenue'), [
      { revenue: `${cents.slice(0, -2)}.${cents.slice(-2)}` },
    ]);
  });
});

const REAL = fileURLToPath(new URL('../../../shared/data/retail', import.meta.url));
const real = existsSync(REAL) ? {} : { skip: 'the real invoice files are not on this machine' };

test('the real files give the published figures', real, async () => {
  await withFiles(join(REAL, '*.csv'), async (lake) => {
    assert.deepEqual(await lake.rows('SELECT count(*) AS n FROM silver.invoice_lines'), [{ n: 41_981 }]);
    assert.deepEqual(await lake.rows('FROM gold.monthly_revenue'), [
      { yyyymm: 201012, revenue: '821452.73', lines: 40_991, revenue_ma3: '821452.73', mom_growth_pct: null },
    ]);
    assert.deepEqual(
      await lake.rows('SELECT sum(revenue) AS revenue, sum(lines)::INT AS lines FROM gold.country_share'),
      [{ revenue: '821452.73', lines: 40_991 }],
    );
    const [unknown] = await lake.rows(
      "SELECT count(*) AS n, count(DISTINCT country) AS countries FROM gold.top_customers WHERE customer = 'unknown'",
    );
    assert.equal(unknown?.['n'], unknown?.['countries']);
  });
});
