import { spawn } from 'node:child_process';
import { createHash, randomInt } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeGenerated, writeLarge, writeMany } from './committed-tables.ts';
import { writeEvolving, writeModes, writeRetail, writeTypes } from './lakes.ts';

/**
 * `npm run test:interop`: writes lakes with Strata and lets PyIceberg and pyarrow check them. The first run makes a
 * Python environment below .peers; the lakes stay in .peers/interop until the next run.
 */
const HERE = import.meta.dirname;
const PEERS = join(HERE, '..', '..', '.peers');
const REQUIREMENTS = join(HERE, 'requirements.txt');

const { values: options } = parseArgs({
  options: {
    seed: { type: 'string' },
    verbose: { type: 'boolean', default: false },
    spark: { type: 'boolean', default: false },
  },
});

/** The interpreter of an environment that holds exactly the pinned packages. */
async function python(): Promise<string> {
  const folder = join(PEERS, 'pyiceberg');
  const interpreter = join(folder, 'bin', 'python');
  const wanted = createHash('sha256')
    .update(await readFile(REQUIREMENTS))
    .digest('hex');
  const stamp = join(folder, 'requirements.sha256');
  const installed = await readFile(stamp, 'utf8').catch(() => undefined);
  if (installed === wanted) return interpreter;
  await rm(folder, { recursive: true, force: true });
  await mkdir(PEERS, { recursive: true });
  await command('python3', ['-m', 'venv', folder]);
  await command(interpreter, ['-m', 'pip', 'install', '--quiet', '--no-deps', '--requirement', REQUIREMENTS]);
  await writeFile(stamp, wanted);
  return interpreter;
}

async function writeLakes(folder: string, seed: number): Promise<string> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder, { recursive: true });
  const lakes = {
    types: await writeTypes(join(folder, 'types')),
    modes: await writeModes(join(folder, 'modes')),
    evolving: await writeEvolving(join(folder, 'evolving')),
    retail: await writeRetail(join(folder, 'retail')),
    many: await writeMany(join(folder, 'many')),
    large: await writeLarge(join(folder, 'large')),
    generated: await writeGenerated(join(folder, 'generated'), seed),
  };
  const path = join(folder, 'lakes.json');
  await writeFile(path, JSON.stringify(lakes, null, 1));
  return path;
}

/** Ends with the command; throws unless it ends well. */
async function command(file: string, args: readonly string[]): Promise<void> {
  const code = await exitCode(file, args);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}`);
}

function exitCode(file: string, args: readonly string[]): Promise<number> {
  return new Promise((ended, failed) => {
    const child = spawn(file, args, { stdio: 'inherit' });
    child.on('error', failed);
    child.on('close', (code) => ended(code ?? 1));
  });
}

const seed = options.seed === undefined ? randomInt(2 ** 31 - 1000) : Number(options.seed);
console.log(`seed ${seed} (repeat with: npm run test:interop -- --seed ${seed})`);
const interpreter = await python();
const lakes = await writeLakes(join(PEERS, 'interop'), seed);
const flags = options.verbose ? ['--verbose'] : [];
process.exitCode = await exitCode(interpreter, [join(HERE, 'checks', 'main.py'), lakes, ...flags]);
