import type { Bench, Measured } from '../bench.ts';
import type { FingerprintSpec } from '../fingerprint.ts';
import { BENCH_PIPELINES, madeOnce } from '../folders.ts';
import { runFloor, runLake } from '../lake-side.ts';
import { compareTimes, runRounds } from '../rounds.ts';
import { generateEvents } from './generate.ts';

const FLOOR = new URL('floor.ts', import.meta.url);
const GENERATOR = new URL('generate.ts', import.meta.url);
const TIME_BOUND = 1.5;
const WHY =
  'Every value is read as text and cast, so that a row that does not fit can be kept with its text and its reasons; the ' +
  'floor casts while it reads. The records are counted by their bytes first, on one core, and starting takes half a second.';

const TABLES: readonly FingerprintSpec[] = [
  { table: 'silver.events', key: ['event_id'], measures: ['event_id', 'device_id', 'quantity', 'price', 'score'] },
];

/** One large CSV file to silver, with a contract, against the same file as typed Parquet. */
export async function measureEvents(bench: Bench): Promise<Measured> {
  const { events } = bench.sizes;
  const input = await madeOnce(`events-${events}`, [GENERATOR], (folder) =>
    generateEvents(bench.session, folder, events),
  );
  const lake = { pipeline: 'events', pipelines: BENCH_PIPELINES, sources: { events: input }, tables: TABLES };
  const title = `CSV of ${events.toLocaleString('en-US')} rows to silver`;
  const [floor = [], ours = []] = await runRounds(bench, title, [
    { name: 'floor', run: () => runFloor(bench, FLOOR, input, TABLES) },
    { name: 'lake', run: () => runLake(bench, lake) },
  ]);
  return {
    figures: compareTimes(`${title}, against the floor`, ours, floor, TIME_BOUND, WHY),
    fingerprints: ours[0]?.fingerprints ?? [],
    skipped: [],
  };
}
