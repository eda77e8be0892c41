import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { generateCrypto, parseCryptoOptions } from '../../lib/generate/crypto.ts';
import { generateHr, parseHrOptions } from '../../lib/generate/hr.ts';
import { generateSales, parseSalesOptions } from '../../lib/generate/sales.ts';
import type { Session } from '../../lib/ports.ts';
import { assertOwnRows, type Lake, land, openFolder, run, withTexts } from './lakes.ts';
import { startTrino, type Trino } from './trino-server.ts';

const TRANSACTIONS = [
  'TransactionID,CustomerID,TransactionAmount,Currency,TransactionTimestamp',
  'a,1,10.00,GBP,2025-12-31T23:30:00-01:00',
  'b,1,-2.50,GBP,2026-01-01T08:00:00Z',
  'c,2,-0.10,EUR,2026-01-31T23:59:59Z',
  'd,1,0.00,USD,2026-02-01T00:00:00Z',
];
/** Two movements of a day, a month without any, and an account that comes later. */
const LEDGER = [
  'id,account_id,amount,new_balance,tx_date',
  '1,x,10.00,10.00,2025-11-03',
  '2,x,-1.00,9.00,2025-11-30',
  '3,x,2.00,11.00,2025-11-30',
  '4,x,1.00,12.00,2026-02-01',
  '5,y,-5.25,-5.25,2025-12-24',
];
const LINES = [
  'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country',
  '1,a,x,3,2010-12-01 08:26:00,2.555,17850.0,United Kingdom',
  '1,b,x,2,2010-12-01 08:26:00,0.333,17850.0,United Kingdom',
  '2,a,x,1,2010-12-31 23:59:00,7.665,1.0,United Kingdom',
  '3,a,x,7,2011-03-05 10:00:00,1.005,,France',
  '4,a,x,1,2011-03-05 10:00:00,9.000,2.0,France',
  'C5,a,x,-1,2011-03-06 10:00:00,9.000,2.0,France',
];

type Sample = (lake: Lake, out: string, session: Session) => Promise<unknown>;

const text = (lines: readonly string[]): string => `${lines.join('\n')}\n`;

const SAMPLES: Readonly<Record<string, Sample>> = {
  async transactions(lake) {
    await land(lake, 'transactions', 'a.csv', text(TRANSACTIONS));
    await land(lake, 'ledger', 'a.csv', text(LEDGER));
  },
  online_retail: (lake) => land(lake, 'lines', 'a.csv', text(LINES)),
  sales: (_, out, session) =>
    generateSales(parseSalesOptions({ out, transactions: 500, customers: 20, days: 3 }), session),
  crypto: (_, out, session) => generateCrypto(parseCryptoOptions({ out, coins: 15, days: 3, interval: '8h' }), session),
  hr: (_, out, session) => generateHr(parseHrOptions({ out, employees: 40, years: '2024', messages: 300 }), session),
};

/** Nobody of the sample writes who is no employee. */
const OF_A_STRANGER = [/\\"sender\\":\\"\d+/g, '\\"sender\\":\\"nobody'] as const;

/** Where not all is of one run: those that are, in November of 2024. */
const BRANCHES: Readonly<Record<string, readonly string[]>> = { hr: ['strikes', 'daily'] };

let home: string;
let trino: Trino;
before(async () => {
  home = await mkdtemp(join(tmpdir(), 'strata-samples-'));
  trino = await startTrino(join(home, 'trino'));
  process.env['STRATA_TRINO'] = trino.url;
});
after(async () => {
  await trino?.[Symbol.asyncDispose]();
  await rm(home, { recursive: true, force: true });
});

/** All that do not hang on the run date, which no text for an engine knows. Those of retail are computed in S3 and Glue. */
describe('gold models of the samples by Trino', { concurrency: false }, () => {
  for (const [pipeline, make] of Object.entries(SAMPLES)) {
    test(`those of the sample ${pipeline} have the rows of their own texts`, async () => {
      const lake = await openFolder(join(home, `lake-${pipeline}`), pipeline, withTexts(home, pipeline));
      const out = join(home, 'generated', pipeline);
      {
        await using session = await lake.deps.engine.open({ ...lake.deps.settings, folders: undefined });
        await make(lake, out, session);
      }
      for (const path of globSync('*/**/*.*', { cwd: out })) {
        const [source = '', ...file] = path.split('/');
        const content = path.endsWith('employee_messages-3-0-74.jsonl')
          ? readFileSync(join(out, path), 'utf8').replaceAll(...OF_A_STRANGER)
          : readFileSync(join(out, path));
        await land(lake, source, file.join('/'), content);
      }
      const clock = { now: () => new Date('2024-11-01T08:30Z') };
      for (const branch of BRANCHES[pipeline] ?? []) {
        const { status, error } = await run(lake, { branch }, { clock });
        assert.equal(status, 'SUCCEEDED', error?.message);
      }
      if (BRANCHES[pipeline] === undefined) {
        const { status, error } = await run(lake);
        assert.equal(status, 'SUCCEEDED', error?.message);
      }
      await assertOwnRows(lake);
    });
  }
});
