import { copyFile, cp, link, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { generateRetail, parseRetailOptions } from '../../lib/generate/retail.ts';
import type { Bench, Measured, SideResult } from '../bench.ts';
import { packedCommand } from '../command/measure.ts';
import { freshFolder, linkFiles, madeOnce, PIPELINES, WORK } from '../folders.ts';
import { readDatabase } from '../peers/database.ts';
import { DBT_MODULES, writeDbtProject } from '../peers/dbt.ts';
import { findPython } from '../peers/peers.ts';
import { measureTree } from '../process-tree.ts';
import { readLake } from '../read-tables.ts';
import { GENERATOR } from '../retail/measure.ts';
import { RETAIL_TABLES } from '../retail/tables.ts';
import { compareTimes, runRounds, type Side } from '../rounds.ts';
import { THREADS } from '../settings.ts';

const BOUND = 0.3;
const FRESH = 10_000;
const WHY =
  'A run starts and compiles the pipeline (0.5 s, as one with nothing new), asks DuckDB for 300 statements (0.6 s, half of it the four ' +
  'gold models over all sales), reads and writes the metadata of 10 tables with a commit each (0.6 s), and closes accounts.';

/** Input of the first load, and the files that come after it. */
type Input = { readonly all: string; readonly first: string; readonly fresh: string };

/** The retail tables, made of all transactions but 10,000, and then these: what only the second takes. */
export async function measureIncrement(bench: Bench): Promise<Measured> {
  const input = await makeInput(bench);
  const { side: dbt, skipped } = await dbtSide(bench, input);
  const ours = await lakeSide(bench, input);
  const title = `retail, ${bench.sizes.transactions.toLocaleString('en-US')} transactions and 10,000 more`;
  const [lake = [], others = []] = await runRounds(bench, title, dbt === undefined ? [ours] : [ours, dbt]);
  const figures = dbt === undefined ? [] : compareTimes(`${title}, against dbt`, lake, others, null, WHY);
  // Beside others on a machine the time that passes says little of either.
  const bounded = figures.map((one) =>
    one.name.endsWith('processor time') ? { ...one, bound: BOUND, why: WHY } : one,
  );
  return { figures: bounded, fingerprints: [], skipped };
}

async function makeInput({ sizes, session }: Bench): Promise<Input> {
  const { customers, products } = sizes;
  const transactions = sizes.transactions + FRESH;
  const files = transactions / FRESH;
  const all = await madeOnce(`retail-increment-${transactions}`, GENERATOR, async (out) => {
    await generateRetail(parseRetailOptions({ out, transactions, customers, products, files }), session);
  });
  const names = (await readdir(join(all, 'transactions'))).sort();
  const [first, fresh] = [join(WORK, 'increment', 'first'), join(WORK, 'increment', 'fresh')];
  for (const folder of [first, fresh]) await freshFolder(folder);
  for (const [at, name] of names.entries()) {
    await link(join(all, 'transactions', name), join(at < names.length - 1 ? first : fresh, name));
  }
  return { all, first, fresh };
}

async function lakeSide(bench: Bench, { all, first, fresh }: Input): Promise<Side> {
  const packed = await packedCommand();
  const [loaded, root] = [join(WORK, 'increment', 'loaded'), join(WORK, 'increment', 'lake')];
  const run = (lake: string): ReturnType<typeof measureTree> =>
    measureTree(
      process.execPath,
      [join(packed, 'dist', 'bin', 'strata.js'), 'run', 'retail', '--root', lake, '--pipelines', PIPELINES],
      packed,
    );
  // A lake knows its place, so it is loaded where it is measured.
  await freshFolder(root);
  const bronze = join(root, 'bronze', 'retail');
  for (const source of ['customers', 'products']) await linkFiles(join(all, source), join(bronze, source));
  await linkFiles(first, join(bronze, 'transactions'));
  await run(root);
  await freshFolder(loaded);
  await cp(root, loaded, { recursive: true, preserveTimestamps: true });
  return {
    name: 'lake',
    async run(): Promise<SideResult> {
      await freshFolder(root);
      await cp(loaded, root, { recursive: true, preserveTimestamps: true });
      for (const name of await readdir(fresh)) await copyFile(join(fresh, name), join(bronze, 'transactions', name));
      const sample = await run(root);
      return { ...sample, fingerprints: await readLake(bench.session, root, 'retail', RETAIL_TABLES) };
    },
  };
}

async function dbtSide(
  bench: Bench,
  { all, first, fresh }: Input,
): Promise<{ readonly side?: Side; readonly skipped: readonly string[] }> {
  const python = await findPython(DBT_MODULES);
  if (python === undefined)
    return { skipped: ['dbt: not installed in an environment below .peers (bench/peers/dbt.txt)'] };
  const folder = await freshFolder(join(WORK, 'dbt'));
  const [database, loaded] = [join(folder, 'retail.duckdb'), join(folder, 'loaded.duckdb')];
  await writeDbtProject(join(folder, 'project'), database, THREADS);
  const run = (given: string): ReturnType<typeof measureTree> => {
    const vars = JSON.stringify({ input: all, fresh: given });
    const args = ['-c', 'from dbt.cli.main import cli; cli()', 'run', '--profiles-dir', '.', '--vars', vars];
    return measureTree(python, args, join(folder, 'project'));
  };
  await run(first);
  await copyFile(database, loaded);
  const side: Side = {
    name: 'dbt',
    async run() {
      await copyFile(loaded, database);
      const sample = await run(fresh);
      return { ...sample, fingerprints: await readDatabase(bench.session, database, 'dbt', RETAIL_TABLES) };
    },
  };
  return { side, skipped: [] };
}
