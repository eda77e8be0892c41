import { randomInt } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeChangedColumns } from './changed-columns.ts';
import { writeGenerated, writeLarge, writeMany } from './committed-tables.ts';
import { exitCode, PEERS, pythonWith, sparkJar } from './environments.ts';
import { writeForeign } from './foreign-files.ts';
import { writeEvolving, writeModes, writeRelocated, writeRetail, writeTypes } from './lakes.ts';
import { writeMaintained } from './maintained-lake.ts';
import { writeMergeOnRead } from './merge-on-read.ts';
import { writePublicFiles } from './public-files.ts';
import { checkReadme } from './readme.ts';

/**
 * `npm run test:interop [-- --seed N] [-- --verbose] [-- --spark]`: writes lakes with Strata and lets PyIceberg and
 * pyarrow check them, or Java Iceberg in Spark. The first run installs what it needs below .peers; the lakes stay in
 * .peers/interop until the next run.
 */
const { values: options } = parseArgs({
  options: {
    seed: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    spark: { type: 'boolean', default: false },
  },
});

async function writeLakes(folder: string, seed: number): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const lakes = {
    types: await writeTypes(join(folder, 'types')),
    modes: await writeModes(join(folder, 'modes')),
    relocated: await writeRelocated(join(folder, 'relocated')),
    maintained: await writeMaintained(join(folder, 'maintained')),
    evolving: await writeEvolving(join(folder, 'evolving')),
    changed: await writeChangedColumns(join(folder, 'changed')),
    retail: await writeRetail(join(folder, 'retail')),
    many: await writeMany(join(folder, 'many')),
    large: await writeLarge(join(folder, 'large')),
    generated: await writeGenerated(join(folder, 'generated'), seed),
    foreign: await writeForeign(join(folder, 'foreign'), await pyiceberg()),
    public: await writePublicFiles(join(folder, 'public'), await pyiceberg()),
    ...(options.spark
      ? { merge_on_read: await writeMergeOnRead(join(folder, 'mor'), await spark(), await sparkJar()) }
      : {}),
  };
  const path = join(folder, 'lakes.json');
  await writeFile(path, JSON.stringify(lakes, null, 1));
  return path;
}

const pyiceberg = (): Promise<string> => pythonWith('pyiceberg', join(import.meta.dirname, 'requirements.txt'));

const spark = (): Promise<string> => pythonWith('spark', join(import.meta.dirname, 'requirements-spark.txt'));

/** The program that checks, and what it takes after the list of lakes. */
async function checker(): Promise<{ interpreter: string; script: string; rest: readonly string[] }> {
  const rest = options.verbose ? ['--verbose'] : [];
  if (!options.spark)
    return {
      interpreter: await pyiceberg(),
      script: 'main.py',
      rest,
    };
  return { interpreter: await spark(), script: 'spark_main.py', rest: [await sparkJar(), ...rest] };
}

const seed = options.seed === undefined ? randomInt(2 ** 31 - 1000) : Number(options.seed);
console.log(`seed ${seed} (the same tables again: npm run test:interop -- --seed ${seed})`);
const { interpreter, script, rest } = await checker();
const lakes = await writeLakes(join(PEERS, 'interop'), seed);
const checked = await exitCode(interpreter, [join(import.meta.dirname, 'checks', script), lakes, ...rest]);
process.exitCode = checked === 0 && !options.spark ? await checkReadme(interpreter) : checked;
