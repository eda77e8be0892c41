import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { RunResult } from '../../lib/core/run.ts';
import { openLocalLake } from '../../lib/runtime/local.ts';
import { quoteText } from '../../lib/sql/quote.ts';
import { userSql } from '../../lib/sql/user-sql.ts';
import { planFiles } from '../../lib/table/read.ts';
import type { Bench, Measured, SideResult } from '../bench.ts';
import { measureNode } from '../child.ts';
import type { FingerprintSpec } from '../fingerprint.ts';
import { BENCH_PIPELINES, freshFolder, linkFiles, WORK } from '../folders.ts';
import { readFolder, readLake } from '../read-tables.ts';
import { compareWork, peakFigure, runRounds } from '../rounds.ts';
import type { Ladder } from '../settings.ts';
import { EXCHANGED, QUESTIONS, tablesOf } from './tables.ts';

const LOADED = join(WORK, 'ladder');
const ROOT = join(WORK, 'ladder-run');
const STRATA = fileURLToPath(new URL('../../bin/strata.ts', import.meta.url));
const FLOOR = fileURLToPath(new URL('floor.ts', import.meta.url));
const SILENT = { info: () => undefined, warn: () => undefined };

/** Against one DuckDB that has all memory. */
const BOUND = 1.5;

/**
 * Answers four questions over tables of a scale by workers of less memory than their inputs have, together, and each of them and one more
 * for itself over smaller ones, beside one DuckDB that has 2 GB. Throws Error where the answers are not the same.
 */
export async function measureLadder(bench: Bench): Promise<Measured> {
  const { each, ...all } = bench.sizes.ladder;
  await load(bench, all.scale);
  const measured = [await measureQuestions(bench, all, QUESTIONS, BOUND)];
  await load(bench, each.scale);
  for (const question of [...QUESTIONS, EXCHANGED])
    measured.push(await measureQuestions(bench, each, [question], null));
  return {
    figures: measured.flatMap(({ figures }) => figures),
    fingerprints: measured.flatMap(({ fingerprints }) => fingerprints),
    skipped: [],
  };
}

/** Of tables that are loaded. */
async function measureQuestions(
  bench: Bench,
  { scale, worker }: Ladder,
  questions: readonly FingerprintSpec[],
  bound: number | null,
): Promise<Pick<Measured, 'figures' | 'fingerprints'>> {
  const files = JSON.stringify(await dataFiles());
  const [only, ...others] = questions.map(({ table }) => table.replace('gold.', ''));
  const name = others.length === 0 ? `question ${only}` : 'four questions in the manner of TPC-H';
  const [ours, floor] = await runRounds(bench, `ladder, ${name}, scale ${scale}`, [
    { name: 'strata', run: () => answer(bench, worker, questions) },
    { name: 'floor', run: () => oneDuckDb(bench, files, questions) },
  ]);
  const title = `${name}, scale ${scale}, by workers of ${worker / 1e6} MB`;
  return {
    figures: [
      ...compareWork(`${title}, against one DuckDB with 2 GB`, ours ?? [], floor ?? [], bound),
      peakFigure(title, ours ?? [], worker / 1e9 + 0.4, `DuckDB has ${worker / 1e6} MB`),
    ],
    fingerprints: ours?.[0]?.fingerprints ?? [],
  };
}

/** Silver alone, which is not measured. */
async function load(bench: Bench, scale: number): Promise<void> {
  await freshFolder(LOADED);
  for (const [source, select] of Object.entries(tablesOf(scale))) {
    const folder = join(LOADED, 'bronze', 'tpch', source);
    await mkdir(folder, { recursive: true });
    const text = `COPY (${select}) TO ${quoteText(join(folder, 'rows.parquet'))} (FORMAT parquet, COMPRESSION zstd)`;
    await bench.session.run({ name: source, text: userSql(text) });
  }
  const silver = Object.keys(tablesOf(scale)).flatMap((name) => ['--select', `silver.${name}`]);
  await measureNode(STRATA, ['run', 'tpch', ...silver, '--root', LOADED, '--pipelines', BENCH_PIPELINES], WORK);
}

async function dataFiles(): Promise<Readonly<Record<string, readonly string[]>>> {
  const { deps } = await openLocalLake({ root: LOADED, pipelines: BENCH_PIPELINES, readOnly: true, log: SILENT });
  const tables = Object.keys(tablesOf(1)).map(async (name) => {
    const entry = await deps.catalog.load({ pipeline: 'tpch', layer: 'silver', name });
    if (entry === undefined) throw new Error(`the run made no table ${name}`);
    return [name, (await planFiles(deps.store, entry.metadata)).map(({ path }) => fileURLToPath(path))] as const;
  });
  return Object.fromEntries(await Promise.all(tables));
}

async function answer(bench: Bench, worker: number, questions: readonly FingerprintSpec[]): Promise<SideResult> {
  await freshFolder(ROOT);
  await linkFiles(LOADED, ROOT);
  const lake = ['--root', ROOT, '--pipelines', BENCH_PIPELINES, '--memory', `${worker / 1e6}MB`, '--json'];
  const select = questions.flatMap(({ table }) => ['--select', table]);
  const { stdout, ...sample } = await measureNode(STRATA, ['run', 'tpch', ...select, ...lake], WORK);
  const { status, steps } = JSON.parse(stdout) as RunResult;
  if (status !== 'SUCCEEDED') throw new Error(`the run of tpch did not succeed: ${stdout}`);
  const units = steps.flatMap(({ step, units: count }) =>
    step === 'Stage' || step === 'Merge' ? [`${step} ${count}`] : [],
  );
  bench.log(`ladder: units ${units.join(', ')}`);
  return { ...sample, fingerprints: await readLake(bench.session, ROOT, 'tpch', questions) };
}

async function oneDuckDb(bench: Bench, files: string, questions: readonly FingerprintSpec[]): Promise<SideResult> {
  const output = await freshFolder(join(WORK, 'floor'));
  const { stdout: _, ...sample } = await measureNode(
    FLOOR,
    [files, output, ...questions.map(({ table }) => table)],
    WORK,
  );
  return { ...sample, fingerprints: await readFolder(bench.session, output, questions) };
}
