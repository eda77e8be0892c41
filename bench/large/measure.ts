import { createReadStream, createWriteStream } from 'node:fs';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Measured, SideResult } from '../bench.ts';
import { generateAlike } from '../events/generate.ts';
import type { Figure } from '../figures.ts';
import type { FingerprintSpec } from '../fingerprint.ts';
import { BENCH_PIPELINES, madeOnce } from '../folders.ts';
import { LAKE, runLake } from '../lake-side.ts';
import { compareTimes, runRounds } from '../rounds.ts';

const GENERATORS = [new URL('../events/generate.ts', import.meta.url)];
const TIME_BOUND = 1.3;
const MEMORY_GB = 1;
const SCRATCH_GB = 2;
/** Files of 256 MB, of which the large one is put together. */
const FILES_PER_GB = 4;
const ROW_BYTES = 90;
/** What leaves the process within MEMORY_GB. */
const OPTIONS = ['--memory', '500MB'];
const TABLES: readonly FingerprintSpec[] = [
  { table: 'silver.events', key: ['event_id'], measures: ['event_id', 'device_id', 'quantity', 'price', 'score'] },
];
const WHY =
  'The file is scanned for the beginnings of its records before it is cut, and every part of it is copied below the header.';

/** One CSV file through units of 256 MB, against the same rows in files of 256 MB; STRATA_BENCH_LARGE_GB is its size. */
export async function measureLarge(bench: Bench): Promise<Measured> {
  const size = Number(process.env['STRATA_BENCH_LARGE_GB'] ?? bench.sizes.largeFile);
  const input = await madeOnce(`large-${size}`, GENERATORS, (folder) => makeFiles(bench, folder, size));
  const title = `one CSV file of ${size} GB through units of 256 MB`;
  const scratch: number[] = [];
  const run = (sources: string): Promise<SideResult> =>
    runLake(bench, {
      pipeline: 'large',
      pipelines: BENCH_PIPELINES,
      sources: { events: sources },
      tables: TABLES,
      options: OPTIONS,
    });
  const [parts = [], whole = []] = await runRounds(bench, title, [
    { name: `${size * FILES_PER_GB} files`, run: () => run(join(input, 'parts')) },
    { name: 'one file', run: () => watchScratch(scratch, () => run(join(input, 'whole'))) },
  ]);
  const other = `${title}, against ${size * FILES_PER_GB} files`;
  return {
    figures: [
      ...compareTimes(other, whole, parts, TIME_BOUND, WHY),
      largest(
        `${title}: peak memory`,
        MEMORY_GB,
        whole.map((one) => one.peakBytes ?? 0),
      ),
      largest(`${title}: scratch`, SCRATCH_GB, scratch),
    ],
    fingerprints: whole[0]?.fingerprints ?? [],
    skipped: [],
  };
}

async function makeFiles({ session }: Bench, folder: string, size: number): Promise<void> {
  const files = size * FILES_PER_GB;
  const rows = Math.floor(1e9 / FILES_PER_GB / ROW_BYTES);
  await mkdir(join(folder, 'parts'));
  await mkdir(join(folder, 'whole'));
  const whole = join(folder, 'whole', 'events.csv');
  const partOf = (at: number): string => join(folder, 'parts', `${String(at).padStart(4, '0')}.csv`);
  await generateAlike(session, { rows, slices: files }, partOf, async (at) => {
    // Headers have one length.
    const start = at === 0 ? 0 : HEADER_BYTES;
    await pipeline(createReadStream(partOf(at), { start }), createWriteStream(whole, { flags: 'a' }));
  });
}

const HEADER_BYTES = 'event_id,event_ts,device_id,kind,session,quantity,price,score\n'.length;

/** Notes the most bytes that are below the lake's scratch folder, looked at now and then. */
async function watchScratch<T>(found: number[], act: () => Promise<T>): Promise<T> {
  const stop = new AbortController();
  let most = 0;
  const watching = (async () => {
    while (!stop.signal.aborted) {
      most = Math.max(most, await bytesBelow(join(LAKE, '.strata-scratch')));
      await sleep(200, undefined, { signal: stop.signal }).catch(() => {});
    }
  })();
  try {
    return await act();
  } finally {
    stop.abort();
    await watching;
    found.push(most);
  }
}

async function bytesBelow(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(names.map((name) => bytesOnDisk(join(folder, name))));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** Files come and go while they are looked at. */
async function bytesOnDisk(path: string): Promise<number> {
  const info = await stat(path).catch(() => undefined);
  return info?.isFile() ? info.blocks * 512 : 0;
}

function largest(name: string, bound: number, bytes: readonly number[]): Figure {
  return { name, value: Math.max(...bytes) / 1e9, unit: 'GB', bound, detail: 'the largest of all rounds' };
}
