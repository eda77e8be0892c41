import { join } from 'node:path';
import { generateSales, parseSalesOptions } from '../../lib/generate/sales.ts';
import type { Bench, Measured } from '../bench.ts';
import { madeOnce, PIPELINES } from '../folders.ts';
import { runFloor, runLake } from '../lake-side.ts';
import { compareWork, peakOf, runRounds } from '../rounds.ts';
import { SALES_TABLES } from './tables.ts';

const FLOOR = new URL('floor.ts', import.meta.url);
const GENERATOR = ['generate/sales.ts', 'generate/sample.ts', 'sql/generate-sales.ts', 'sql/generate.ts'].map(
  (file) => new URL(`../../lib/${file}`, import.meta.url),
);
const CUSTOMERS = 100_000;
const DAYS = 14;

/** The sales pipeline over many small files of which a fifth of the rows are one customer's, against a script for the same tables. */
export async function measureSales(bench: Bench): Promise<Measured> {
  const { sales, salesFiles } = bench.sizes;
  const input = await madeOnce(`sales-${sales}-${salesFiles}`, GENERATOR, async (out) => {
    const options = { out, customers: CUSTOMERS, transactions: sales, days: DAYS, filesPerDay: salesFiles };
    await generateSales(parseSalesOptions({ ...options, hotShare: 0.2 }), bench.session);
  });
  const sources = { customers: join(input, 'customers'), transactions: join(input, 'transactions') };
  const lake = { pipeline: 'sales', pipelines: PIPELINES, sources, tables: SALES_TABLES };
  const files = (salesFiles * DAYS).toLocaleString('en-US');
  const title = `sales, ${sales.toLocaleString('en-US')} transactions in ${files} files, a fifth of one customer`;
  const [floor = [], ours = []] = await runRounds(bench, title, [
    { name: 'floor', run: () => runFloor(bench, FLOOR, input, SALES_TABLES) },
    { name: 'lake', run: () => runLake(bench, lake) },
  ]);
  return {
    figures: [
      ...compareWork(`${title}, against the floor`, ours, floor, null),
      {
        name: `${title}: peak memory`,
        value: peakOf(ours) / 1e9,
        unit: 'GB',
        bound: null,
        detail: `the floor: ${(peakOf(floor) / 1e9).toFixed(2)} GB; DuckDB has 2 GB`,
      },
    ],
    fingerprints: ours[0]?.fingerprints ?? [],
    skipped: [],
  };
}
