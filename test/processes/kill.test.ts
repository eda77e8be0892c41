import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { queryRows } from '../../lib/query/select.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';

/**
 * A run that is killed at random moments (SIGKILL, so nothing is tidied up) and started again ends as an undisturbed
 * one: same tables, same books. KILLS moments, 3 by default; KILL_SEED repeats a series.
 */
const KILLS = Number(process.env['KILLS'] ?? 3);
const SEED = Number(process.env['KILL_SEED'] ?? Date.now() % 2 ** 31);
const ROOT = new URL('../..', import.meta.url).pathname;
const REAL = join(ROOT, '../shared/data/retail');
const STRATA = join(ROOT, 'bin/strata.ts');
const run = promisify(execFile);

const QUERIES = [
  'SELECT count(*) AS n, sum(quantity * unit_price) AS revenue, count(DISTINCT _row_hash) AS hashes FROM online_retail_silver.invoice_lines',
  'SELECT * FROM online_retail_gold.monthly_revenue ORDER BY ALL',
  'SELECT * FROM online_retail_gold.country_share ORDER BY ALL',
  'SELECT key, status, records, run_id FROM online_retail_ops.files ORDER BY ALL',
  'SELECT run_id, source, "read", accepted, quarantined, duplicates FROM online_retail_ops.accounting ORDER BY ALL',
  'SELECT run_id, status, rows_read, rows_added FROM online_retail_ops.runs ORDER BY ALL',
];

let folder: string;
let expected: unknown;
let duration: number;

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'strata-kill-'));
  const calm = openRoot('calm');
  const started = performance.now();
  await strata(calm, 'run', 'online_retail', '--run-id', 'r');
  duration = performance.now() - started;
  expected = await books(calm);
});

after(() => rmSync(folder, { recursive: true, force: true }));

test(`${KILLS} kills of a run (seed ${SEED})`, async () => {
  const random = mulberry32(SEED);
  let ended = 0;
  for (let n = 0; n < KILLS; n += 1) {
    const root = openRoot(`kill-${n}`);
    const at = Math.floor(random() * duration);
    if (await killAfter(root, at)) ended += 1;
    await strata(root, 'run', 'online_retail', '--run-id', 'r');
    assert.deepEqual(await books(root), expected, `killed after ${at} ms`);
    rmSync(root, { recursive: true, force: true });
  }
  assert.ok(ended < KILLS, 'some run was really killed');
});

function openRoot(name: string): string {
  const root = join(folder, name);
  const lines = join(root, 'bronze/online_retail/lines');
  mkdirSync(lines, { recursive: true });
  if (existsSync(REAL)) cpSync(REAL, lines, { recursive: true });
  else for (let day = 1; day <= 9; day += 1) writeFileSync(join(lines, `2010-12-0${day}.csv`), sampleFile(day));
  return root;
}

/** Invoice lines in the shape of the real files, for a machine that does not have them. */
function sampleFile(day: number): string {
  const header = 'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country\n';
  const line = (i: number): string =>
    `${536000 + day * 100 + (i >> 3)},S${i % 97},ITEM ${i % 97},${1 + (i % 9)},2010-12-0${day} 08:${10 + (i % 50)}:00,${(i % 500) / 100},${i % 5 === 0 ? '' : `${12000 + (i % 300)}.0`},Country ${i % 4}\n`;
  return header + Array.from({ length: 2000 }, (_, i) => line(i)).join('');
}

async function strata(root: string, ...args: readonly string[]): Promise<void> {
  await run(process.execPath, [STRATA, ...args, '--root', root], { cwd: ROOT });
}

async function books(root: string): Promise<unknown> {
  const log = { info: () => {}, warn: () => {} };
  const lake = await openLocalLake({ root, pipelines: join(ROOT, 'pipelines'), readOnly: true, log });
  const answers: unknown[] = [];
  for (const query of QUERIES) answers.push(await queryRows(lake.deps, query));
  return answers;
}

/** Whether the run had ended by itself. */
async function killAfter(root: string, ms: number): Promise<boolean> {
  const child = spawn(process.execPath, [STRATA, 'run', 'online_retail', '--run-id', 'r', '--root', root], {
    cwd: ROOT,
    stdio: 'ignore',
  });
  const exited = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  await sleep(ms);
  child.kill('SIGKILL');
  return (await exited) === 0;
}

/** A small seeded generator, so that a failing series can be repeated. */
function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
