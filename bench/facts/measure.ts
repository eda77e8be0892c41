import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { generateRetail, parseRetailOptions } from '../../lib/generate/retail.ts';
import type { Bench, Measured } from '../bench.ts';
import type { Figure, Sample } from '../figures.ts';
import { freshFolder, linkFiles, madeOnce, PIPELINES, WORK } from '../folders.ts';
import { measureTree } from '../process-tree.ts';
import { GENERATOR } from '../retail/measure.ts';
import { ratioFigure } from '../rounds.ts';

const ROOT = join(import.meta.dirname, '..', '..');
const BOUND = 1.03;
/** The tables are written by every so many small runs. */
const SMALL_RUNS = 16;

const SIDES = ['kept', 'off'] as const;

/** What keeping the facts of a run takes of it: processor time of whole processes, with them and without, in turns. */
export async function measureFacts(bench: Bench): Promise<Measured> {
  return { figures: [...(await measureSmall(bench)), ...(await measureLoad(bench))], fingerprints: [], skipped: [] };
}

/** A run of one file of one row, for a table and a sum over it, again and again. */
async function measureSmall(bench: Bench): Promise<readonly Figure[]> {
  const pipelines = await freshFolder(join(WORK, 'facts', 'pipelines', 'shop'));
  const sources = { orders: { format: 'csv', columns: { id: 'bigint', word: 'string' } } };
  const definition = {
    name: 'shop',
    sources,
    silver: { orders: { from: 'orders' } },
    gold: { words: { sql: 'words.sql' } },
  };
  await writeFile(join(pipelines, 'pipeline.js'), `export default ${JSON.stringify(definition)};\n`);
  await writeFile(join(pipelines, 'words.sql'), 'SELECT word, count(*) AS n FROM silver.orders GROUP BY word');
  const samples: Record<(typeof SIDES)[number], Sample[]> = { kept: [], off: [] };
  const lakes = { kept: await freshFolder(lakeOf('kept')), off: await freshFolder(lakeOf('off')) };
  // The first run of each, which makes the tables, is none of them.
  for (let n = 0; n <= SMALL_RUNS * bench.rounds; n += 1) {
    for (const side of n % 2 === 0 ? SIDES : SIDES.toReversed()) {
      const bronze = join(lakes[side], 'bronze', 'shop', 'orders');
      await linkFiles(await freshFolder(join(WORK, 'facts', 'none')), bronze);
      await writeFile(join(bronze, `${n}.csv`), `id,word\n${n},a\n`);
      const sample = await runLake('shop', join(WORK, 'facts', 'pipelines'), side);
      if (n > 0) samples[side].push(sample);
    }
  }
  // Each sixteenth run pays for all: so the sums are compared, round by round.
  const sums = (side: (typeof SIDES)[number]): readonly number[] =>
    Array.from({ length: bench.rounds }, (_, round) => {
      const own = samples[side].slice(round * SMALL_RUNS, (round + 1) * SMALL_RUNS);
      return own.reduce((sum, { cpuMs }) => sum + (cpuMs ?? Number.NaN), 0);
    });
  const title = `facts of ${SMALL_RUNS} runs of one small file, against runs that keep none: processor time`;
  return [ratioFigure(title, sums('kept'), sums('off'), BOUND)];
}

/** A first load of the retail sample, which adds its facts to the tables at once. */
async function measureLoad(bench: Bench): Promise<readonly Figure[]> {
  const { transactions, customers, products } = bench.sizes;
  const input = await madeOnce(`retail-versions-${transactions}-${customers}-${products}`, GENERATOR, async (out) => {
    await generateRetail(parseRetailOptions({ out, transactions, customers, products, files: 8 }), bench.session);
  });
  const samples: Record<(typeof SIDES)[number], number[]> = { kept: [], off: [] };
  for (let round = 0; round < bench.rounds; round += 1) {
    for (const side of round % 2 === 0 ? SIDES : SIDES.toReversed()) {
      const root = await freshFolder(lakeOf(side));
      for (const source of ['customers', 'products', 'transactions']) {
        await linkFiles(join(input, source), join(root, 'bronze', 'retail', source));
      }
      const { cpuMs, ms } = await runLake('retail', PIPELINES, side);
      bench.log(`facts of a load, ${side}: ${cpuMs} ms of processor time, ${ms.toFixed(0)} ms`);
      samples[side].push(cpuMs ?? Number.NaN);
    }
  }
  const title = `facts of a load of ${transactions.toLocaleString('en-US')} transactions, against one that keeps none: processor time`;
  return [ratioFigure(title, samples.kept, samples.off, BOUND)];
}

function lakeOf(side: (typeof SIDES)[number]): string {
  return join(WORK, 'facts', `lake-${side}`);
}

function runLake(pipeline: string, pipelines: string, side: (typeof SIDES)[number]): Promise<Sample> {
  const command = [
    process.execPath,
    '--import',
    join(ROOT, 'bench', 'facts', 'hooks.ts'),
    join(ROOT, 'bin', 'strata.ts'),
  ];
  const args = ['run', pipeline, '--root', lakeOf(side), '--pipelines', pipelines];
  return measureTree('env', [`STRATA_BENCH_FACTS=${side}`, ...command, ...args], ROOT);
}
