import { join } from 'node:path';
import { generateRetail, parseRetailOptions } from '../../lib/generate/retail.ts';
import { type Bench, type Measured, runRounds } from '../bench.ts';
import { type Figure, median, medianRatio } from '../figures.ts';
import { madeOnce, PIPELINES } from '../folders.ts';
import { runFloor, runLake } from '../lake-side.ts';
import { findPeers } from '../peers/peers.ts';
import { RETAIL_TABLES } from './tables.ts';

const FLOOR = new URL('floor.ts', import.meta.url);
const TIME_BOUND = 1.5;
const MEMORY_BOUND_GB = 1.2;

/** The retail pipeline, from landed files to gold, against the same tables made without a lake. */
export async function measureRetail(bench: Bench): Promise<Measured> {
  const { transactions, customers, products } = bench.sizes;
  const input = await madeOnce(`retail-${transactions}-${customers}-${products}`, async (out) => {
    await generateRetail(parseRetailOptions({ out, transactions, customers, products, files: 8 }), bench.session);
  });
  const sources = Object.fromEntries(
    ['customers', 'products', 'transactions'].map((source) => [source, join(input, source)]),
  );
  const lake = { pipeline: 'retail', pipelines: PIPELINES, sources, tables: RETAIL_TABLES };
  const peers = await findPeers(bench, input, RETAIL_TABLES);
  const title = `retail, ${transactions.toLocaleString('en-US')} transactions`;
  const [floor = [], ours = [], plain = [], ...others] = await runRounds(bench, title, [
    { name: 'floor', run: () => runFloor(bench, FLOOR, input, RETAIL_TABLES, 'same') },
    { name: 'lake', run: () => runLake(bench, lake) },
    { name: 'plain floor', run: () => runFloor(bench, FLOOR, input, RETAIL_TABLES, 'plain') },
    ...peers.found,
  ]);
  const times = (side: readonly { readonly ms: number }[]): number[] => side.map(({ ms }) => ms);
  const against = (name: string, side: readonly { readonly ms: number }[], bound: number | null): Figure => ({
    name: `${title}: time against ${name}`,
    value: medianRatio(times(ours), times(side)),
    unit: 'x',
    bound,
    detail: `${seconds(times(ours))} to ${seconds(times(side))}`,
  });
  const peak = median(ours.map(({ peakBytes }) => peakBytes ?? Number.NaN));
  const floorPeak = median(floor.map(({ peakBytes }) => peakBytes ?? Number.NaN));
  return {
    figures: [
      against('the floor', floor, TIME_BOUND),
      against('a floor that neither removes duplicates nor orders', plain, null),
      {
        name: `${title}: peak memory`,
        value: peak / 1e9,
        unit: 'GB',
        bound: MEMORY_BOUND_GB,
        detail: `the floor: ${(floorPeak / 1e9).toFixed(2)} GB`,
      },
      ...peers.found.map((peer, at) => against(peer.name, others[at] ?? [], null)),
    ],
    fingerprints: ours[0]?.fingerprints ?? [],
    skipped: peers.skipped,
  };
}

function seconds(times: readonly number[]): string {
  return `${(median(times) / 1000).toFixed(2)} s`;
}
