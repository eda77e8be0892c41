import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { createHashMacros } from '../../lib/sql/transform.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { planFiles } from '../../lib/table/read.ts';
import type { Bench, Measured, SideResult } from '../bench.ts';
import { measureNode } from '../child.ts';
import type { Figure } from '../figures.ts';
import { compareFingerprints, type FingerprintSpec } from '../fingerprint.ts';
import { BENCH_PIPELINES, freshFolder, WORK } from '../folders.ts';
import { runFloor } from '../lake-side.ts';
import { readLake } from '../read-tables.ts';
import { compareTimes, ratioFigure } from '../rounds.ts';
import { makeOwnTable, OWN_BUCKETS } from './own-table.ts';

const FLOOR = new URL('floor.ts', import.meta.url);
const MERGE_RUN = fileURLToPath(new URL('merge-run.ts', import.meta.url));
const ROOT = join(WORK, 'keyed-lake');
const BUCKETS = OWN_BUCKETS.count;
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

type Ours = SideResult & { readonly mergeMs: number };
type Sides = { readonly ours: Ours[]; readonly bucketed: SideResult[]; readonly flat: SideResult[] };

/**
 * A merge of changed keys into a long history, against a rewrite of the whole table by hand: of the same table, as files
 * of its key buckets, and of one file, from which no later merge could go on with less than all of it.
 */
export async function measureKeyed(bench: Bench): Promise<Measured> {
  await bench.session.run(createHashMacros());
  await makeHistory(bench, bench.sizes.history / VERSIONS);
  const figures: Figure[] = [];
  const times = new Map<Scenario, Sides>();
  let batch = 0;
  for (const scenario of [TENTH, EVERYWHERE, ONE]) {
    const sides: Sides = { ours: [], bucketed: [], flat: [] };
    for (let round = 1; round <= bench.rounds; round += 1) {
      batch += 1;
      const { ours, bucketed, flat } = await measureBatch(bench, batch, scenario);
      const shown = [flat, bucketed, ours].map((one) => one.ms.toFixed(0));
      bench.log(
        `keyed, ${scenario.name}, round ${round}: one file ${shown[0]} ms, buckets ${shown[1]} ms, lake ${shown[2]} ms, of which merge ${ours.mergeMs.toFixed(0)} ms`,
      );
      sides.ours.push(ours);
      sides.bucketed.push(bucketed);
      sides.flat.push(flat);
    }
    times.set(scenario, sides);
    const title = `merge into ${bench.sizes.history.toLocaleString('en-US')} rows, ${scenario.name}, against a full rewrite`;
    figures.push(...compareTimes(`${title} of its buckets`, sides.ours, sides.bucketed, scenario.bound));
    figures.push(...compareTimes(`${title} into one file`, sides.ours, sides.flat, null));
  }
  const [one, all] = [times.get(ONE)?.ours ?? [], times.get(EVERYWHERE)?.ours ?? []];
  figures.push(...compareOneBucket(one, all), peakOf([...times.values()].flatMap((t) => t.ours)));
  return { figures, fingerprints: all.at(-1)?.fingerprints ?? [], skipped: [] };
}

function compareOneBucket(one: readonly Ours[], all: readonly Ours[]): readonly Figure[] {
  const ratio = (name: string, of: (run: Ours) => number, bound: number | null): Figure =>
    ratioFigure(`${name} in one bucket against all buckets`, one.map(of), all.map(of), bound);
  return [ratio('merge states', (run) => run.mergeMs, 0.1), ratio('whole process of a merge', (run) => run.ms, null)];
}

function peakOf(runs: readonly SideResult[]): Figure {
  const peak = Math.max(...runs.map((run) => run.peakBytes ?? 0));
  return {
    name: 'keyed merge: peak memory',
    value: peak / 1e9,
    unit: 'GB',
    bound: PEAK_GB,
    detail: 'the largest of all rounds',
  };
}

async function makeHistory(bench: Bench, keys: number): Promise<void> {
  await freshFolder(ROOT);
  for (let version = 0; version < VERSIONS; version += 1)
    await writeEvents(bench, `v${version}`, version * 100, keys, 'true');
  await runStaff();
}

/** One batch of changes, later than all before it: first by hand, then by the lake, and all must hold the same. */
async function measureBatch(
  bench: Bench,
  batch: number,
  { where }: Scenario,
): Promise<{ readonly ours: Ours; readonly bucketed: SideResult; readonly flat: SideResult }> {
  const keys = bench.sizes.history / VERSIONS;
  const table = join(await freshFolder(join(WORK, 'keyed-own')), 'history');
  await bench.session.run({ name: 'own table', text: makeOwnTable(await dataFiles(), table) });
  const changes = await writeEvents(
    bench,
    `batch-${batch}`,
    10_000 + batch,
    keys,
    where(keys, bench.sizes.history / 100),
  );
  const flat = await runFloor(bench, FLOOR, changes, TABLES, table, 'flat');
  const bucketed = await runFloor(bench, FLOOR, changes, TABLES, table, 'bucketed');
  const sample = await runStaff();
  const ours = { ...sample, fingerprints: await readLake(bench.session, ROOT, 'staff', TABLES) };
  const problems = [flat, bucketed].flatMap((side) => compareFingerprints(ours.fingerprints, side.fingerprints));
  if (problems.length > 0) throw new Error(`the keyed merge made another table:\n${problems.join('\n')}`);
  return { ours, bucketed, flat };
}

/** Every event has a salary of its own, so that each one makes a version. */
async function writeEvents(bench: Bench, name: string, day: number, keys: number, where: string): Promise<string> {
  const folder = join(ROOT, 'bronze', 'staff', 'events');
  await mkdir(folder, { recursive: true });
  const path = join(folder, `${name}.parquet`);
  const select = `SELECT i AS id, DATE '2000-01-01' + ${day} AS since, 'title ' || (hash(i, ${day}) % 50) AS title,
  CAST(20000 + ${day} * 7 + hash(i) % 5 AS INTEGER) AS salary, 'note ' || i AS note FROM range(${keys}) t(i) WHERE ${where}`;
  await bench.session.run({ name: 'events', text: userSql(`COPY (${select}) TO ${quoteText(path)} (FORMAT parquet)`) });
  return path;
}

async function runStaff(): Promise<Omit<Ours, 'fingerprints'>> {
  const { stdout, ...sample } = await measureNode(MERGE_RUN, [ROOT, BENCH_PIPELINES, 'staff'], WORK);
  const { mergeMs } = JSON.parse(stdout) as { readonly mergeMs: number };
  return { ...sample, mergeMs };
}

async function dataFiles(): Promise<readonly string[]> {
  const log = { info: () => undefined, warn: () => undefined };
  const { deps } = await openLocalLake({ root: ROOT, pipelines: BENCH_PIPELINES, readOnly: true, log });
  const entry = await deps.catalog.load({ pipeline: 'staff', layer: 'silver', name: 'history' });
  const files = entry === undefined ? [] : await planFiles(deps.store, entry.metadata);
  return files.map((file) => join(ROOT, deps.store.key(file.path)));
}
