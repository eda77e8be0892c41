import { join } from 'node:path';
import { generateRetail, parseRetailOptions } from '../../lib/generate/retail.ts';
import type { Bench, Measured, SideResult } from '../bench.ts';
import { type Figure, median } from '../figures.ts';
import { madeOnce, PIPELINES } from '../folders.ts';
import { runFloor, runLake } from '../lake-side.ts';
import { findPeers } from '../peers/peers.ts';
import { sqlmeshSide } from '../peers/sqlmesh.ts';
import { compareTimes, compareWork, runRounds } from '../rounds.ts';
import { BOUNDED } from '../settings.ts';
import { RETAIL_TABLES } from './tables.ts';

const FLOOR = new URL('floor.ts', import.meta.url);
/** What generated input depends on. */
export const GENERATOR = [
  'generate/retail.ts',
  'generate/retail-words.ts',
  'generate/sample.ts',
  'sql/generate-retail.ts',
  'sql/generate.ts',
].map((file) => new URL(`../../lib/${file}`, import.meta.url));
const WORK_BOUND = 1;
const WHY =
  'Beyond the floor, a run loads and compiles the pipeline, merges both dimensions by key with their log of events, ' +
  'writes 17 tables and ledgers with a commit each, and opens a database session for every unit of work; none of that ' +
  'grows with the transactions. With them grow the check of every value and the search for repeated keys.';
const MEMORY_BOUND_GB = 0.7;

/** The retail pipeline, from landed files to gold, against the same tables made without a lake. */
export async function measureRetail(bench: Bench): Promise<Measured> {
  const { transactions, customers, products } = bench.sizes;
  const input = await madeOnce(`retail-versions-${transactions}-${customers}-${products}`, GENERATOR, async (out) => {
    await generateRetail(parseRetailOptions({ out, transactions, customers, products, files: 8 }), bench.session);
  });
  const names = ['customers', 'products', 'transactions'];
  const sources = Object.fromEntries(names.map((source) => [source, join(input, source)]));
  const lake = { pipeline: 'retail', pipelines: PIPELINES, sources, tables: RETAIL_TABLES };
  const title = `retail, ${transactions.toLocaleString('en-US')} transactions`;
  const work = { work: 'retail', tools: ['pandas', 'polars', 'pyspark'], input, tables: RETAIL_TABLES } as const;
  const peers = await findPeers(bench, work);
  const sqlmesh = await sqlmeshSide(bench, input);
  const others = [...peers.found, ...(sqlmesh === undefined ? [] : [sqlmesh])];
  const [floor = [], ours = [], bounded = [], plain = [], ...theirs] = await runRounds(bench, title, [
    { name: 'floor', run: () => runFloor(bench, FLOOR, input, RETAIL_TABLES, 'same') },
    { name: 'lake', run: () => runLake(bench, lake) },
    { name: `lake ${BOUNDED.join(' ')}`, run: () => runLake(bench, { ...lake, options: BOUNDED }) },
    { name: 'floor without dedupe and order', run: () => runFloor(bench, FLOOR, input, RETAIL_TABLES, 'plain') },
    ...others,
  ]);
  return {
    figures: [
      ...compareWork(`${title}, against the floor`, ours, floor, WORK_BOUND, WHY),
      peakFigure(`${title}, ${BOUNDED.join(' ')}: peak memory`, bounded, ours, floor),
      ...compareWork(`${title}, ${BOUNDED.join(' ')}, against as much as it wants`, bounded, ours, null),
      ...compareTimes(`${title}, against a floor without dedupe and order`, ours, plain, null),
      ...others.flatMap(({ name }, at) => compareWork(`${title}, against ${name}`, ours, theirs[at] ?? [], null)),
    ],
    fingerprints: ours[0]?.fingerprints ?? [],
    skipped: [...peers.skipped, ...(sqlmesh === undefined ? ['SQLMesh: not installed'] : [])],
  };
}

function peakFigure(name: string, ...sides: readonly (readonly SideResult[])[]): Figure {
  const [bounded = 0, ours = 0, floor = 0] = sides.map(
    (side) => median(side.map((s) => s.peakBytes ?? Number.NaN)) / 1e9,
  );
  const detail = `without it: ${ours.toFixed(2)} GB; the floor: ${floor.toFixed(2)} GB`;
  return { name, value: bounded, unit: 'GB', bound: MEMORY_BOUND_GB, detail };
}
