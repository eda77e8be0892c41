import type { Bench, Measured, SideResult } from '../bench.ts';
import type { FingerprintSpec } from '../fingerprint.ts';
import { BENCH_PIPELINES, madeOnce } from '../folders.ts';
import { runFloor, runLake } from '../lake-side.ts';
import { findPeers } from '../peers/peers.ts';
import { compareWork, peakFigure, peakOf, runRounds } from '../rounds.ts';
import { type Clicks, generateClicks } from './generate.ts';

const FLOOR = new URL('floor.ts', import.meta.url);
const GENERATOR = new URL('generate.ts', import.meta.url);
const FEW_FILES = 8;
const TABLES: readonly FingerprintSpec[] = [
  { table: 'silver.clicks', key: ['id'], measures: ['id', 'account', 'cents'], texts: ['page'] },
  { table: 'gold.accounts', key: ['account'], measures: ['account', 'clicks', 'cents'] },
];
const WHY =
  'Each file is looked at for its header, its encoding and its records before it is read, and stands in the ledger; every ' +
  'value is read as text and cast.';

/** Many small files and a key that has a fifth of the rows, against a script, Polars, few files and keys that are even. */
export async function measureClicks(bench: Bench): Promise<Measured> {
  const { clicks: rows, clickFiles: files } = bench.sizes;
  const many = await inputOf(bench, { rows, files, hot: true });
  const few = await inputOf(bench, { rows, files: FEW_FILES, hot: true });
  const even = await inputOf(bench, { rows, files: FEW_FILES, hot: false });
  const title = `${rows.toLocaleString('en-US')} rows in ${files.toLocaleString('en-US')} files`;
  const lake = (input: string): Promise<SideResult> =>
    runLake(bench, { pipeline: 'clicks', pipelines: BENCH_PIPELINES, sources: { clicks: input }, tables: TABLES });
  const peers = await findPeers(bench, { work: 'clicks', tools: ['polars'], input: many, tables: TABLES });
  const [ours = [], floor = [], fewer = [], polars = []] = await runRounds(bench, title, [
    { name: 'lake', run: () => lake(many) },
    { name: 'floor', run: () => runFloor(bench, FLOOR, many, TABLES) },
    { name: `lake, ${FEW_FILES} files`, run: () => lake(few) },
    ...peers.found,
  ]);
  const [same = []] = await runRounds(bench, `${title}, even keys`, [
    { name: `lake, ${FEW_FILES} files`, run: () => lake(even) },
  ]);
  return {
    figures: [
      ...compareWork(`${title}, against the floor`, ours, floor, 1.2, WHY),
      ...(polars.length === 0 ? [] : compareWork(`${title}, against polars`, ours, polars, null)),
      ...compareWork(`${title}, against ${FEW_FILES} files`, ours, fewer, 1.3, WHY),
      ...compareWork(`${rows.toLocaleString('en-US')} rows, a hot key against even ones`, fewer, same, 1.1),
      peakFigure(title, ours, 1, `the floor: ${(peakOf(floor) / 1e9).toFixed(2)} GB`),
    ],
    fingerprints: ours[0]?.fingerprints ?? [],
    skipped: peers.skipped,
  };
}

function inputOf(bench: Bench, clicks: Clicks): Promise<string> {
  const name = `clicks-${clicks.rows}-${clicks.files}-${clicks.hot ? 'hot' : 'even'}`;
  return madeOnce(name, [GENERATOR], (folder) => generateClicks(bench.session, folder, clicks));
}
