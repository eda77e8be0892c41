import { randomInt } from 'node:crypto';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeChangedColumns } from './changed-columns.ts';
import { writeGenerated, writeLarge, writeMany } from './committed-tables.ts';
import { exitCode, ICEBERG_RELEASES, PEERS, pythonWith, sparkJar } from './environments.ts';
import { writeForeign } from './foreign-files.ts';
import { writeEvolving, writeModes, writeRelocated, writeRetail, writeTypes } from './lakes.ts';
import { writeMaintained } from './maintained-lake.ts';
import { writeMergeOnRead } from './merge-on-read.ts';
import { writeOnRead } from './on-read-lake.ts';
import { writePublicFiles } from './public-files.ts';
import { checkReadme } from './readme.ts';
import { shareLake } from './shared-lake.ts';

/**
 * `npm run test:interop [-- --seed N] [-- --verbose] [-- --without-spark]`: writes lakes with Strata and lets PyIceberg and
 * pyarrow check them, then Java Iceberg in Spark, which also changes and maintains tables in turns with Strata. The first run
 * installs what it needs below .peers; the lakes stay in .peers/interop until the next run.
 */
const { values: options } = parseArgs({
  options: {
    seed: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    'without-spark': { type: 'boolean', default: false },
  },
});
const [oldest, latest] = ICEBERG_RELEASES;

async function writeLakes(folder: string, seed: number): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const modes = await writeModes(join(folder, 'modes'));
  const lakes = {
    types: await writeTypes(join(folder, 'types')),
    modes,
    on_read: await writeOnRead(join(folder, 'on_read'), modes.batches),
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
    ...(options['without-spark']
      ? {}
      : { merge_on_read: await writeMergeOnRead(join(folder, 'mor'), await spark(), await sparkJar(oldest)) }),
  };
  const path = join(folder, 'lakes.json');
  await writeFile(path, JSON.stringify(lakes, null, 1));
  return path;
}

const pyiceberg = (): Promise<string> => pythonWith('pyiceberg', join(import.meta.dirname, 'requirements.txt'));

const spark = (): Promise<string> => pythonWith('spark', join(import.meta.dirname, 'requirements-spark.txt'));

const verbose = options.verbose ? ['--verbose'] : [];
const script = (name: string): string => join(import.meta.dirname, 'checks', name);

/** Spark with each release reads every lake; the older one changed one of them before, the latest shares one with Strata. */
async function checkWithSpark(folder: string, lakes: string): Promise<number> {
  let code = 0;
  for (const release of ICEBERG_RELEASES) {
    console.log(`Spark with Iceberg ${release}`);
    const jar = await sparkJar(release);
    code ||= await exitCode(await spark(), [script('spark_main.py'), lakes, jar, ...verbose]);
  }
  await shareLake(join(folder, 'shared'), await spark(), await sparkJar(latest), await pyiceberg());
  return code;
}

const seed = options.seed === undefined ? randomInt(2 ** 31 - 1000) : Number(options.seed);
console.log(`seed ${seed} (the same tables again: npm run test:interop -- --seed ${seed})`);
const folder = join(PEERS, 'interop');
const lakes = await writeLakes(folder, seed);
const codes = [
  await exitCode(await pyiceberg(), [script('main.py'), lakes, ...verbose]),
  await checkReadme(await pyiceberg()),
  options['without-spark'] ? 0 : await checkWithSpark(folder, lakes),
];
process.exitCode = Math.max(...codes);
