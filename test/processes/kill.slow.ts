import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { queryRows } from '../../lib/query/select.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { firstFiles, type LifeFile, laterFiles, waitingFiles } from './life-files.ts';

/**
 * Runs that are killed and interrupted at random moments while files land, then left in peace, end as one undisturbed
 * run over all files would: same tables in every mode, same quarantine, same ledger, same accounts, a breaker that
 * counted each row once. The same for backfills. KILLS signals, 8 by default; KILL_SEED repeats a series.
 */
const KILLS = Number(process.env['KILLS'] ?? 8);
const SEED = Number(process.env['KILL_SEED'] ?? Date.now() % 2 ** 31);
const SIGNALS = ['SIGKILL', 'SIGINT', 'SIGTERM'] as const;
/** Signals that one lake has to bear. */
const PER_LAKE = 4;
const ROOT = new URL('../..', import.meta.url).pathname;
const STRATA = join(ROOT, 'bin/strata.ts');
const PIPELINES = import.meta.dirname;
const execute = promisify(execFile);

/** What must not depend on who was disturbed when. Which run took a file may. */
const BOOKS = [
  'SELECT * FROM life_silver.sales ORDER BY ALL',
  'SELECT * FROM life_silver.feed ORDER BY ALL',
  'SELECT * FROM life_silver.days ORDER BY ALL',
  'SELECT * FROM life_silver.extract ORDER BY ALL',
  'SELECT * FROM life_silver.stock ORDER BY ALL',
  'SELECT * FROM life_silver.prices ORDER BY ALL',
  'SELECT count(*), count(DISTINCT l) FROM life_silver.stock__log l',
  'SELECT count(*), count(DISTINCT l) FROM life_silver.prices__log l',
  'SELECT * FROM life_gold.months ORDER BY ALL',
  'SELECT * FROM life_gold.everything ORDER BY ALL',
  'SELECT source_file, line, raw, codes, details, status, attempt FROM life_ops.quarantine ORDER BY ALL',
  'SELECT source, key, status, records, code FROM life_ops.files ORDER BY ALL',
  'SELECT source, sum("read"), sum(accepted), sum(quarantined), sum(condemned), sum(duplicates) FROM life_ops.accounting GROUP BY source ORDER BY ALL',
  'SELECT run_id, count(*) FROM life_ops.runs GROUP BY run_id HAVING count(*) > 1',
  "SELECT target, count(*) FROM life_ops.exports WHERE kind = 'files' AND state = 'WRITTEN' GROUP BY ALL ORDER BY ALL",
];

/** Of these, what a backfill makes the same whatever was there; which rows it released, and its own accounts, tell that it ran. */
const REMADE = BOOKS.filter((query) => !/_ops/.test(query)).concat(
  "SELECT source_file, line, raw, codes, details FROM life_ops.quarantine WHERE status <> 'released' ORDER BY ALL",
  'SELECT DISTINCT source, key, status, records, code FROM life_ops.files ORDER BY ALL',
  'SELECT source, "read", accepted, quarantined, condemned, duplicates FROM life_ops.accounting WHERE run_id = (SELECT max_by(run_id, finished_at) FROM life_ops.runs) ORDER BY ALL',
);

let folder: string;
let expected: readonly unknown[];
let remade: readonly unknown[];
/** Milliseconds of an undisturbed run, of a backfill, and of maintenance. */
const durations = { run: 0, backfill: 0, compact: 0, expire: 0, vacuum: 0 };

/** Commands of maintenance, as they find something to do in a lake of minutes. */
const NOW = ['--older-than', '0s', '--force-retention'];
const MAINTENANCE = [
  ['compact', ['--min-files', '2', '--all']],
  ['expire', [...NOW, '--keep', '1']],
  ['vacuum', NOW],
] as const;
const OPTIONS: Readonly<Record<string, readonly string[]>> = Object.fromEntries(MAINTENANCE);

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'strata-kill-'));
  const calm = await openRoot('calm');
  for (const file of laterFiles()) land(calm, file);
  durations.run = await strata(calm, 'run', 'life');
  expected = await books(calm, BOOKS);
  durations.backfill = await strata(calm, 'backfill', 'life');
  remade = await books(calm, REMADE);
  for (const [command, options] of MAINTENANCE) durations[command] = await strata(calm, command, 'life', ...options);
});

after(() => rmSync(folder, { recursive: true, force: true }));

test(`${KILLS} signals to runs while files land (seed ${SEED})`, async () => {
  const random = mulberry32(SEED);
  let ended = 0;
  for (let sent = 0; sent < KILLS; sent += PER_LAKE) {
    const root = await openRoot(`kill-${sent}`);
    const files = [...laterFiles()];
    // Every other lake is hit at one moment again and again, which is how a unit dies three times.
    const moment = (sent / PER_LAKE) % 2 === 1 ? random() * durations.run : undefined;
    const story: string[] = [];
    for (let n = 0; n < PER_LAKE; n += 1) {
      const signal = SIGNALS[Math.floor(random() * SIGNALS.length)] ?? 'SIGKILL';
      const at = Math.floor(moment === undefined ? random() * durations.run : moment * (0.95 + random() * 0.1));
      story.push(`${signal} after ${at} ms`);
      const landing = files.splice(0, 1 + Math.floor(random() * 2));
      const outcome = await disturb(root, { command: 'run', signal, at, files: landing, random });
      if (outcome === 'ended') ended += 1;
    }
    for (const file of files) land(root, file);
    await strata(root, 'run', 'life');
    await strata(root, 'run', 'life');
    const found = await books(root, BOOKS);
    for (const [i, rows] of found.entries())
      assert.deepEqual(rows, expected[i], `${BOOKS[i] ?? 'exports'}: ${story.join(', ')}`);
    rmSync(root, { recursive: true, force: true });
  }
  assert.ok(ended < KILLS, 'some run was really stopped');
});

test(`signals to backfills while files land (seed ${SEED})`, async () => {
  const random = mulberry32(SEED);
  const root = await openRoot('backfill');
  await strata(root, 'run', 'life');
  const files = [...laterFiles()];
  const story: string[] = [];
  let ended = 0;
  const signals = Math.max(PER_LAKE, Math.floor(KILLS / PER_LAKE));
  for (let n = 0; n < signals; n += 1) {
    const signal = SIGNALS[Math.floor(random() * SIGNALS.length)] ?? 'SIGKILL';
    const at = Math.floor(random() * durations.backfill);
    story.push(`${signal} after ${at} ms`);
    const outcome = await disturb(root, { command: 'backfill', signal, at, files: files.splice(0, 2), random });
    if (outcome === 'ended') ended += 1;
  }
  for (const file of files) land(root, file);
  await strata(root, 'run', 'life');
  await strata(root, 'backfill', 'life');
  const found = await books(root, REMADE);
  for (const [i, rows] of found.entries()) assert.deepEqual(rows, remade[i], `${REMADE[i]}: ${story.join(', ')}`);
  assert.ok(ended < signals, 'some backfill was really stopped');
});

test(`signals to maintenance between runs (seed ${SEED})`, async () => {
  const random = mulberry32(SEED);
  const root = await openRoot('maintenance');
  const files = [...laterFiles()];
  const story: string[] = [];
  let ended = 0;
  const signals = Math.max(2 * MAINTENANCE.length, Math.floor(KILLS / PER_LAKE));
  for (let n = 0; n < signals; n += 1) {
    const [command] = MAINTENANCE[n % MAINTENANCE.length] ?? MAINTENANCE[0];
    const signal = SIGNALS[Math.floor(random() * SIGNALS.length)] ?? 'SIGKILL';
    const at = Math.floor(random() * durations[command]);
    story.push(`${command}: ${signal} after ${at} ms`);
    for (const file of files.splice(0, 1)) land(root, file);
    await strata(root, 'run', 'life', '--no-maintain');
    const outcome = await disturb(root, { command, signal, at, files: files.splice(0, 1), random });
    if (outcome === 'ended') ended += 1;
  }
  for (const file of files) land(root, file);
  await strata(root, 'run', 'life', '--no-maintain');
  for (const [command, options] of MAINTENANCE) await strata(root, command, 'life', ...options);
  await strata(root, 'run', 'life');
  const found = await books(root, BOOKS);
  for (const [i, rows] of found.entries()) assert.deepEqual(rows, expected[i], `${BOOKS[i]}: ${story.join(', ')}`);
  assert.ok(ended < signals, 'some was really stopped');
});

async function openRoot(name: string): Promise<string> {
  const root = join(folder, name);
  for (const file of firstFiles()) land(root, file);
  await strata(root, 'run', 'life');
  for (const file of waitingFiles()) land(root, file);
  return root;
}

/** As a careful uploader does: written elsewhere, then renamed. */
function land(root: string, { source, name, text }: LifeFile): void {
  const target = join(root, 'bronze/life', source);
  mkdirSync(target, { recursive: true });
  const written = join(root, `${source}-${name}.tmp`);
  writeFileSync(written, text);
  renameSync(written, join(target, name));
}

/** Answers how many milliseconds it took. */
async function strata(root: string, ...args: readonly string[]): Promise<number> {
  const started = performance.now();
  await execute(process.execPath, [STRATA, ...args, '--root', root, '--pipelines', PIPELINES], { cwd: ROOT });
  return performance.now() - started;
}

async function books(root: string, queries: readonly string[]): Promise<readonly unknown[]> {
  const log = { info: () => {}, warn: () => {} };
  const lake = await openLocalLake({ root, pipelines: PIPELINES, readOnly: true, log });
  const answers: unknown[] = [];
  for (const query of queries) answers.push(await queryRows(lake.deps, query));
  return [...answers, exported(root)];
}

/** What is exported, by its path: a folder's own bytes. */
function exported(root: string): Readonly<Record<string, string>> {
  const folder = join(root, 'exports/life');
  const files = globSync('**/*.{csv,txt}', { cwd: folder }).sort();
  assert.equal(files.length, 7, 'a file for each row, and one of all');
  return Object.fromEntries(files.map((file) => [file, readFileSync(join(folder, file), 'utf8')]));
}

type Disturbance = {
  readonly command: keyof typeof durations;
  readonly signal: (typeof SIGNALS)[number];
  readonly at: number;
  readonly files: readonly LifeFile[];
  readonly random: () => number;
};

/** Starts a command, lands files while it works and sends it a signal; whether it had ended by itself before that. */
async function disturb(
  root: string,
  { command, signal, at, files, random }: Disturbance,
): Promise<'ended' | 'stopped'> {
  const args = [STRATA, command, 'life', ...(OPTIONS[command] ?? []), '--root', root, '--pipelines', PIPELINES];
  const child = spawn(process.execPath, args, { cwd: ROOT, stdio: 'ignore' });
  const exited = new Promise<{ code: number | null; signal: string | null }>((resolve) =>
    child.once('exit', (code, by) => resolve({ code, signal: by })),
  );
  const landings = files.map((file) => sleep(Math.floor(random() * durations[command])).then(() => land(root, file)));
  await sleep(at);
  child.kill(signal);
  const exit = await exited;
  await Promise.all(landings);
  if (exit.code === 0) return 'ended';
  const stops: readonly (number | null)[] = { SIGKILL: [null], SIGINT: [null, 130], SIGTERM: [null, 143] }[signal];
  assert.ok(stops.includes(exit.code), `${signal} after ${at} ms: exit code ${exit.code}, signal ${exit.signal}`);
  return 'stopped';
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
