import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import type { Bench, Measured, SideResult } from '../bench.ts';
import { measureNode } from '../child.ts';
import { packedCommand } from '../command/measure.ts';
import type { Figure } from '../figures.ts';
import type { FingerprintSpec } from '../fingerprint.ts';
import { BENCH_PIPELINES, freshFolder, WORK } from '../folders.ts';
import { runFloor } from '../lake-side.ts';
import { readLake } from '../read-tables.ts';
import { compareTimes, runRounds } from '../rounds.ts';
import { type ManyFiles, makeManyFiles } from './make-table.ts';

const FLOOR = new URL('floor.ts', import.meta.url);
const TIME_BOUND = 1.4;
const PEAK_GB = 1;
const FILES = 2_000;
const TABLES: readonly FingerprintSpec[] = [
  { table: 'silver.events', key: ['event_id'], measures: ['event_id', 'device_id', 'quantity', 'price', 'score'] },
];
/** A second table has so many times the rows in as many files: memory must not follow them. */
const LARGER = 4;
const WHY =
  'A compaction reads the rows twice: once to write them, and once to compare the hashes of all that were read with those of ' +
  'all that were written, before anything is published. Writing takes less than in the script where a trial says that files stay ' +
  'as small. The command, plans and manifests of 2,000 files take 0.9 s whatever the rows are, which is a third of what the smaller ' +
  'table takes and a tenth of what the larger one does.';

/** Small files of two tables to one for each month, against a script that only rewrites them. */
export async function measureCompaction(bench: Bench): Promise<Measured> {
  const few = await measureTable(bench, bench.sizes.events);
  const many = await measureTable(bench, bench.sizes.events * LARGER);
  return {
    figures: [...few.figures, ...many.figures],
    fingerprints: [...few.fingerprints, ...many.fingerprints],
    skipped: [],
  };
}

async function measureTable(bench: Bench, rows: number): Promise<Omit<Measured, 'skipped'>> {
  const made = await makeManyFiles(bench, join(WORK, 'compaction'), rows, FILES);
  const strata = join(await packedCommand(), 'dist', 'bin', 'strata.js');
  const title = `compaction of ${rows.toLocaleString('en-US')} rows in ${made.files.toLocaleString('en-US')} files, against a script that only rewrites`;
  const [floor = [], ours = []] = await runRounds(bench, title, [
    { name: 'floor', run: () => runFloor(bench, FLOOR, made.plain, TABLES) },
    { name: 'lake', run: () => compactOnce(bench, strata, made) },
  ]);
  return {
    figures: [...compareTimes(title, ours, floor, TIME_BOUND, WHY), peakOf(rows, ours)],
    fingerprints: ours[0]?.fingerprints ?? [],
  };
}

/** Compacts a copy of the lake, with the command as the package brings it. */
async function compactOnce(bench: Bench, strata: string, { root }: ManyFiles): Promise<SideResult> {
  const copy = join(await freshFolder(join(WORK, 'compacted')), 'lake');
  await cp(root, copy, { recursive: true });
  const compact = [
    '--root',
    copy,
    '--pipelines',
    BENCH_PIPELINES,
    '--json',
    'compact',
    'events_silver.events',
    '--all',
  ];
  const { stdout, ...sample } = await measureNode(strata, compact, WORK);
  const { error } = JSON.parse(stdout) as { readonly error?: unknown };
  if (error !== null) throw new Error(`the compaction did not succeed: ${stdout}`);
  return { ...sample, fingerprints: await readLake(bench.session, copy, 'events', TABLES) };
}

function peakOf(rows: number, ours: readonly SideResult[]): Figure {
  return {
    name: `compaction of ${rows.toLocaleString('en-US')} rows: peak memory`,
    value: Math.max(...ours.map((one) => one.peakBytes ?? 0)) / 1e9,
    unit: 'GB',
    bound: PEAK_GB,
    detail: 'the largest of all rounds',
  };
}
