import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { createHashMacros } from '../../lib/sql/transform.ts';
import { planFiles } from '../../lib/table/read.ts';
import type { Bench, Measured, SideResult } from '../bench.ts';
import { measureNode } from '../child.ts';
import type { Figure } from '../figures.ts';
import { compareFingerprints, type FingerprintSpec } from '../fingerprint.ts';
import { BENCH_PIPELINES, freshFolder, WORK } from '../folders.ts';
import { runFloor } from '../lake-side.ts';
import { readLake } from '../read-tables.ts';
import { compareTimes, ratioFigure } from '../rounds.ts';

const FLOOR = new URL('floor.ts', import.meta.url);
const STRATA = fileURLToPath(new URL('../../bin/strata.ts', import.meta.url));
const ROOT = join(WORK, 'keyed-lake');
const BUCKETS = 64;
const VERSIONS = 4;
const PEAK_GB = 2;

const TABLES: readonly FingerprintSpec[] = [
  { table: 'silver.history', key: ['id', 'valid_from'], measures: ['id', 'salary'] },
];

type Scenario = {
  readonly name: string;
  /** Which keys change, over `i`. */
  readonly where: (keys: number, changes: number) => string;
  readonly bound: number | null;
};

const BUCKET = `(strata_hash_long(i) & 2147483647) % ${BUCKETS}`;

const EVERYWHERE: Scenario = {
  name: 'changes in every bucket',
  where: (keys, changes) => `hash(i) % ${Math.round(keys / changes)} = 0`,
  bound: 2.5,
};
const TENTH: Scenario = {
  name: 'changes in a tenth of the buckets',
  where: (keys, changes) =>
    `${BUCKET} < 6 AND hash(i) % ${Math.max(1, Math.round((keys * 6) / BUCKETS / changes))} = 0`,
  bound: 1,
};
const ONE: Scenario = {
  name: 'a hundredth of the changes in one bucket',
  where: (keys, changes) =>
    `${BUCKET} = 9 AND hash(i) % ${Math.max(1, Math.round(keys / BUCKETS / (changes / 100)))} = 0`,
  bound: null,
};

/** A merge of changed keys into a long history, against a rewrite of the whole table by hand. */
export async function measureKeyed(bench: Bench): Promise<Measured> {
  const keys = bench.sizes.history / VERSIONS;
  const changes = bench.sizes.history / 100;
  await bench.session.run(createHashMacros());
  await makeHistory(bench, keys);
  const figures: Figure[] = [];
  const times = new Map<Scenario, { ours: SideResult[]; floor: SideResult[] }>();
  let batch = 0;
  for (const scenario of [TENTH, EVERYWHERE, ONE]) {
    const sides = { ours: [] as SideResult[], floor: [] as SideResult[] };
    for (let round = 1; round <= bench.rounds; round += 1) {
      batch += 1;
      const { floor, ours } = await measureBatch(bench, batch, scenario.where(keys, changes));
      bench.log(
        `keyed, ${scenario.name}, round ${round}: floor ${floor.ms.toFixed(0)} ms, lake ${ours.ms.toFixed(0)} ms`,
      );
      sides.floor.push(floor);
      sides.ours.push(ours);
    }
    times.set(scenario, sides);
    const title = `merge into ${bench.sizes.history.toLocaleString('en-US')} rows, ${scenario.name}, against a full rewrite`;
    figures.push(...compareTimes(title, sides.ours, sides.floor, scenario.bound));
  }
  const [one, all] = [times.get(ONE)?.ours ?? [], times.get(EVERYWHERE)?.ours ?? []];
  figures.push(
    ratioFigure(
      'merge in one bucket: time against all buckets',
      one.map((r) => r.ms),
      all.map((r) => r.ms),
      0.1,
    ),
  );
  const peak = Math.max(...[...times.values()].flatMap((t) => t.ours.map((r) => r.peakBytes ?? 0)));
  figures.push({
    name: 'keyed merge: peak memory',
    value: peak / 1e9,
    unit: 'GB',
    bound: PEAK_GB,
    detail: 'the largest of all rounds',
  });
  return { figures, fingerprints: all.at(-1)?.fingerprints ?? [], skipped: [] };
}

async function makeHistory(bench: Bench, keys: number): Promise<void> {
  await freshFolder(ROOT);
  for (let version = 0; version < VERSIONS; version += 1)
    await writeEvents(bench, `v${version}`, version * 100, keys, 'true');
  await runStaff();
}

/** One batch of changes, later than all before it: first by hand, then by the lake, and both must hold the same. */
async function measureBatch(
  bench: Bench,
  batch: number,
  where: string,
): Promise<{ floor: SideResult; ours: SideResult }> {
  const list = join(WORK, 'keyed-files.json');
  await writeFile(list, JSON.stringify(await dataFiles()));
  const changes = await writeEvents(bench, `batch-${batch}`, 10_000 + batch, bench.sizes.history / VERSIONS, where);
  const floor = await runFloor(bench, FLOOR, changes, TABLES, list);
  const sample = await runStaff();
  const ours = { ...sample, fingerprints: await readLake(bench.session, ROOT, 'staff', TABLES) };
  const problems = compareFingerprints(ours.fingerprints, floor.fingerprints);
  if (problems.length > 0) throw new Error(`the keyed merge made another table:\n${problems.join('\n')}`);
  return { floor, ours };
}

/** Every event has a salary of its own, so that each one makes a version. */
async function writeEvents(bench: Bench, name: string, day: number, keys: number, where: string): Promise<string> {
  const folder = join(ROOT, 'bronze', 'staff', 'events');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.parquet`);
  const select = `SELECT i AS id, DATE '2000-01-01' + ${day} AS since, 'title ' || (hash(i, ${day}) % 50) AS title,
  CAST(20000 + ${day} * 7 + hash(i) % 5 AS INTEGER) AS salary, 'note ' || i AS note FROM range(${keys}) t(i) WHERE ${where}`;
  await bench.session.run({ name: 'events', text: `COPY (${select}) TO ${quoteText(path)} (FORMAT parquet)` });
  return path;
}

async function runStaff(): Promise<Omit<SideResult, 'fingerprints'>> {
  const args = ['--root', ROOT, '--pipelines', BENCH_PIPELINES, '--json', 'run', 'staff'];
  const { stdout, ...sample } = await measureNode(STRATA, args, WORK);
  const { status } = JSON.parse(stdout) as { readonly status?: unknown };
  if (status !== 'SUCCEEDED') throw new Error(`the run of staff did not succeed: ${stdout}`);
  return sample;
}

async function dataFiles(): Promise<readonly string[]> {
  const log = { info: () => undefined, warn: () => undefined };
  const { deps } = await openLocalLake({ root: ROOT, pipelines: BENCH_PIPELINES, readOnly: true, log });
  const entry = await deps.catalog.load({ pipeline: 'staff', layer: 'silver', name: 'history' });
  const files = entry === undefined ? [] : await planFiles(deps.store, entry.metadata);
  return files.map((file) => join(ROOT, deps.store.key(file.path)));
}
