import { type Bench, type Measured, runRounds } from '../bench.ts';
import { median, medianRatio } from '../figures.ts';
import type { FingerprintSpec } from '../fingerprint.ts';
import { BENCH_PIPELINES, madeOnce } from '../folders.ts';
import { runFloor, runLake } from '../lake-side.ts';
import { generateEvents } from './generate.ts';

const FLOOR = new URL('floor.ts', import.meta.url);
const TIME_BOUND = 1.5;

const TABLES: readonly FingerprintSpec[] = [
  { table: 'silver.events', key: ['event_id'], measures: ['event_id', 'device_id', 'quantity', 'price', 'score'] },
];

/** One large CSV file to silver, with a contract, against the same file as typed Parquet. */
export async function measureEvents(bench: Bench): Promise<Measured> {
  const { events } = bench.sizes;
  const input = await madeOnce(`events-${events}`, (folder) => generateEvents(bench.session, folder, events));
  const lake = { pipeline: 'events', pipelines: BENCH_PIPELINES, sources: { events: input }, tables: TABLES };
  const title = `CSV of ${events.toLocaleString('en-US')} rows to silver`;
  const [floor = [], ours = []] = await runRounds(bench, title, [
    { name: 'floor', run: () => runFloor(bench, FLOOR, input, TABLES) },
    { name: 'lake', run: () => runLake(bench, lake) },
  ]);
  const times = (side: readonly { readonly ms: number }[]): number[] => side.map(({ ms }) => ms);
  const seconds = (side: readonly { readonly ms: number }[]): string => `${(median(times(side)) / 1000).toFixed(2)} s`;
  return {
    figures: [
      {
        name: `${title}: time against the floor`,
        value: medianRatio(times(ours), times(floor)),
        unit: 'x',
        bound: TIME_BOUND,
        detail: `${seconds(ours)} to ${seconds(floor)}`,
      },
    ],
    fingerprints: ours[0]?.fingerprints ?? [],
    skipped: [],
  };
}
