import type { Bench, Measured, SideResult } from '../bench.ts';
import type { FingerprintSpec } from '../fingerprint.ts';
import { BENCH_PIPELINES, madeOnce } from '../folders.ts';
import { runFloor, runLake } from '../lake-side.ts';
import { findPeers } from '../peers/peers.ts';
import { compareWork, peakFigure, peakOf, runRounds } from '../rounds.ts';
import { BOUNDED } from '../settings.ts';
import { generateEvents } from './generate.ts';

const FLOOR = new URL('floor.ts', import.meta.url);
const GENERATOR = new URL('generate.ts', import.meta.url);
const WHY =
  'Every value is read as text and cast, so that a row that does not fit can be kept with its text and its reasons; what ' +
  'fails is read a second time for its line. Records are counted by their bytes first, and starting takes half a second.';

/** What a variant of the work is called, and what it is held to. */
type Variant = {
  readonly result: 'hash' | 'plain';
  readonly pipeline: string;
  readonly name: string;
  readonly bounds: { readonly floor: number | null; readonly polars: number | null; readonly peakGb: number };
};

const VARIANTS: readonly Variant[] = [
  {
    ...{ result: 'hash', pipeline: 'kept', name: 'with the hash of each row' },
    bounds: { floor: null, polars: 1.2, peakGb: 0.7 },
  },
  { result: 'plain', pipeline: 'events', name: 'without hash', bounds: { floor: 1.2, polars: null, peakGb: 0.7 } },
];

/** One large CSV file of which each hundredth row fails to silver and quarantine, against the same without a lake. */
export async function measureEvents(bench: Bench): Promise<Measured> {
  const { events } = bench.sizes;
  const input = await inputOf(bench, events);
  const measured: Measured[] = [];
  for (const variant of VARIANTS) measured.push(await measureVariant(bench, variant, events, input));
  return {
    figures: measured.flatMap(({ figures }) => figures),
    fingerprints: measured[0]?.fingerprints ?? [],
    skipped: measured.flatMap(({ skipped }) => skipped),
  };
}

async function measureVariant(
  bench: Bench,
  { result, pipeline, name, bounds }: Variant,
  events: number,
  input: string,
): Promise<Measured> {
  const tables = tablesOf(result);
  const title = `CSV of ${events.toLocaleString('en-US')} rows, 1 % of them bad, ${name}`;
  const peers = await findPeers(bench, { work: 'events', tools: ['polars'], input, more: [result], tables });
  const [floor = [], ours = [], polars = []] = await runRounds(bench, title, [
    { name: 'floor', run: () => runFloor(bench, FLOOR, input, tables, result) },
    { name: 'lake', run: () => runEvents(bench, pipeline, input, tables) },
    ...peers.found,
  ]);
  const peak = (sides: readonly SideResult[]): string => (peakOf(sides) / 1e9).toFixed(2);
  return {
    figures: [
      ...compareWork(`${title}, against the floor`, ours, floor, bounds.floor, WHY),
      ...(polars.length === 0 ? [] : compareWork(`${title}, against polars`, ours, polars, bounds.polars, WHY)),
      peakFigure(
        title,
        ours,
        bounds.peakGb,
        `${BOUNDED.join(' ')}; the floor: ${peak(floor)} GB${polars.length === 0 ? '' : `, polars: ${peak(polars)} GB`}`,
      ),
    ],
    fingerprints: ours[0]?.fingerprints ?? [],
    skipped: peers.skipped,
  };
}

/** Ten times the rows in the same memory. */
export async function measureGrowth(bench: Bench): Promise<Measured> {
  const { events } = bench.sizes;
  const tables = tablesOf('hash');
  const [small, large] = [await inputOf(bench, events), await inputOf(bench, events * 10)];
  const title = `CSV of ${(events * 10).toLocaleString('en-US')} rows, 1 % of them bad, with the hash of each row`;
  const peaks: Record<'once' | 'tenfold', SideResult[]> = { once: [], tenfold: [] };
  for (let round = 1; round <= bench.rounds; round += 1) {
    peaks.once.push(await runEvents(bench, 'kept', small, tables));
    peaks.tenfold.push(await runEvents(bench, 'kept', large, tables));
  }
  const [once, tenfold] = [peakOf(peaks.once), peakOf(peaks.tenfold)];
  const detail = `${(tenfold / 1e9).toFixed(2)} GB to ${(once / 1e9).toFixed(2)} GB`;
  return {
    figures: [
      { name: `${title}: peak memory against a tenth of them`, value: tenfold / once, unit: 'x', bound: 1.2, detail },
      peakFigure(title, peaks.tenfold, 1, `${BOUNDED.join(' ')}; the middle of all rounds`),
    ],
    fingerprints: [],
    skipped: [],
  };
}

function inputOf(bench: Bench, events: number): Promise<string> {
  return madeOnce(`events-${events}`, [GENERATOR], (folder) => generateEvents(bench.session, folder, events));
}

function runEvents(
  bench: Bench,
  pipeline: string,
  input: string,
  tables: readonly FingerprintSpec[],
): Promise<SideResult> {
  return runLake(bench, { pipeline, pipelines: BENCH_PIPELINES, sources: { events: input }, tables, options: BOUNDED });
}

function tablesOf(result: Variant['result']): readonly FingerprintSpec[] {
  const measures = ['event_id', 'device_id', 'quantity', 'price', 'score'];
  const texts = result === 'hash' ? ['row_hash'] : [];
  return [
    { table: 'silver.events', key: ['event_id'], measures, texts },
    { table: 'ops.quarantine', key: ['line'], measures: ['line'] },
  ];
}
